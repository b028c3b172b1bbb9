"""Shaping by gradient: a mark moved to where the decoder hears it best, after attacks, and the eye sees it least."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from attacks.base import Attack
from attacks.codecs import Avif, WebP
from attacks.jpeg import Jpeg
from attacks.warp import rotation, scaling, translation, warp
from watermark.carriers import TILE_SAMPLES, Carriers, analyse
from watermark.nets.model import Model
from watermark.perception import quality_loss
from watermark.visibility import visibility_map
from watermark.working import WORKING_SIZE

_STEP, _LAST_STEP = 0.12, 0.02  # first and last step, as shares of the residual
_CLIP = 2.0  # of a step, in its root mean squares: flat pictures have few pixels that count
_PILOT_WEIGHT = 0.3
_SOFTEST = 0.05  # soft bits count as at least this, for the logarithm
_QUALITIES = (30, 70)
_WINDOWS, _WINDOW_SIDE = 6, 0.5
_LARGEST_ZOOM = 2.0
_SEED = 1  # of the attacks met: the same picture is marked alike on every run


@dataclass(frozen=True, slots=True)
class Scene:
    """A host as shaping sees it.

    Attributes:
        luma: at the working size, in [0, 1], shape (1, 1, H, W), H and W even.
        view: luma at the size at which attacks are made, shape (1, 1, h, w).
        opacity: share of a change that shows, at the working size, shape (1, 1, H, W) or (1, 1, 1, 1).
        short_side: of the picture in pixels.
    """

    luma: Tensor
    view: Tensor
    opacity: Tensor
    short_side: int


@dataclass(frozen=True, slots=True)
class Meeting:
    """What a mark meets in one step of shaping.

    Attributes:
        turned: heard in a part that is turned and magnified, else in the whole picture and six windows of it.
        brightness: least and greatest binary logarithm of the factor by which the picture is made brighter first; what
            turns white carries nothing.
        coded: attack that codes the picture at the quality given.
    """

    turned: bool
    brightness: tuple[float, float] = (0.0, 0.0)
    coded: Callable[[int], Attack] = Jpeg


@dataclass(frozen=True, slots=True)
class Course:
    """How a mark is shaped.

    Attributes:
        meetings: what the steps meet, in turn.
        steps: how many.
        visibility: weight of the logarithm of the quality loss, over that of the bits.
        louder: by how many dB the mark that is shaped exceeds the one asked for; its strength is chosen anew after.
    """

    meetings: tuple[Meeting, ...]
    steps: int
    visibility: float
    louder: float = 0.0


_UP_TO_TWICE, _ABOUT_TWICE = (0.0, 1.0), (0.8, 1.1)
BALANCED = Course(
    (Meeting(False), Meeting(True, _UP_TO_TWICE), Meeting(False, _UP_TO_TWICE), Meeting(True)), 12, visibility=0.93
)
# For pictures that these leave too little: codecs that smooth what is flat, and white that clips.
FOR_SMOOTHING = Course(
    (Meeting(False, coded=WebP), Meeting(True), Meeting(False, coded=Avif), Meeting(True)),
    48,
    visibility=2.0,
    louder=6.0,
)
FOR_BRIGHTENING = Course((Meeting(False, _ABOUT_TWICE), Meeting(True)), 48, visibility=1.0, louder=2.0)


@torch.enable_grad()
def shaped(
    scene: Scene, model: Model, carriers: Carriers, residual: Tensor, signs: Tensor, course: Course = BALANCED
) -> Tensor:
    """Move a residual towards what reads better and shows less, at the same energy.

    Steps against the gradient of  - log mean signed soft bit - .3 log mean pilot + weight x log quality loss  after
    what the course meets.

    Args:
        scene: the host.
        model: weights that will read the mark.
        carriers: of the key.
        residual: of the plain mark, in units of luma, shape (1, 1, H, W).
        signs: sent bits, +1 for 0 and -1 for 1, shape (256,).
        course: steps, weight and attacks.

    Returns:
        Tensor of the same shape and mean square.
    """
    random = np.random.default_rng(_SEED)
    allowed = visibility_map(scene.luma)
    energy = residual.square().mean()
    pattern = residual / allowed
    size = pattern.square().mean().sqrt()
    for meeting, step in zip(cycle(course.meetings), np.linspace(_STEP, _LAST_STEP, course.steps), strict=False):
        pattern = pattern.detach().requires_grad_(True)
        moved = _with_energy(pattern * allowed, energy)
        # marks are released as drawn: no draw where nothing is brightened
        brightness = float(2 ** random.uniform(*meeting.brightness)) if any(meeting.brightness) else 1.0
        attacked = _attacked(scene, moved, brightness, meeting.coded(int(random.integers(*_QUALITIES))))
        hear = _turned_part if meeting.turned else _windows
        soft, pilot = hear(attacked, scene, model, carriers, random)
        loss = (
            -(soft * signs).mean(1).clamp_min(_SOFTEST).log().mean()
            - _PILOT_WEIGHT * pilot.mean(1).clamp_min(_SOFTEST).log().mean()
            + course.visibility * quality_loss(scene.luma, scene.opacity * moved, scene.short_side).log().mean()
        )
        (gradient,) = torch.autograd.grad(loss, pattern)
        gradient = _normalised(_normalised(gradient).clamp(-_CLIP, _CLIP))
        pattern = pattern - float(step) * size * gradient
    return _with_energy(pattern.detach() * allowed, energy)


def _normalised(values: Tensor) -> Tensor:
    return values / values.square().mean().sqrt().clamp_min(1e-20)


def _with_energy(residual: Tensor, energy: Tensor) -> Tensor:
    return residual * (energy / residual.square().mean().clamp_min(1e-20)).sqrt()


def _attacked(scene: Scene, residual: Tensor, brightness: float, codec: Attack) -> Tensor:
    """The marked view after brightening and a codec, in [0, 1]."""
    added = F.interpolate(scene.opacity * residual, scene.view.shape[2:], mode="bicubic", align_corners=False)
    marked = (brightness * (scene.view + added)).clamp(0, 1)
    if codec.facts.gradient == "none":
        return marked + (codec.apply(marked) - marked).detach()  # straight through
    return codec.apply(marked)


def _windows(
    attacked: Tensor, scene: Scene, model: Model, carriers: Carriers, random: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Soft bits (7, 256) and pilot (7, 48) of the whole picture and of windows drawn from it."""
    height, width = scene.luma.shape[2:]
    luma = F.pad(
        F.interpolate(attacked, (height, width), mode="area"), (0, -width % 8, 0, -height % 8), mode="replicate"
    )
    estimate = model.estimate(luma)[:, :, : height // 2, : width // 2]
    # an odd length has its centre on a sample, the tile between two
    rows, columns = (length + length % 2 for length in estimate.shape[2:])
    to_plane = translation((columns - width // 2) / 2, (rows - height // 2) / 2)
    plane = warp(estimate, to_plane, rows, columns)
    masks = plane.new_zeros((1 + _WINDOWS, 1, rows, columns))
    masks[0] = 1
    tall, wide = (int(length * _WINDOW_SIDE) for length in (rows, columns))
    for mask in masks[1:]:
        top, left = int(random.integers(rows - tall + 1)), int(random.integers(columns - wide + 1))
        mask[:, top : top + tall, left : left + wide] = 1
    soft, _, pilot = carriers.demodulate(analyse(_folded(plane * masks)), model.receive)
    return soft, pilot


def _turned_part(
    attacked: Tensor, scene: Scene, model: Model, carriers: Carriers, random: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Soft bits (1, 256) and pilot (1, 48) of a square part, turned by any angle and magnified up to twice."""
    height, width = attacked.shape[2:]
    short = min(height, width)
    side = short / random.uniform(1, _LARGEST_ZOOM)
    angle = random.uniform(-180, 180)
    x, y = (random.uniform(side / 2, length - side / 2) for length in (width, height))
    to_part = (
        translation(WORKING_SIZE / 2, WORKING_SIZE / 2)
        @ scaling(WORKING_SIZE / side, WORKING_SIZE / side)
        @ rotation(angle)
        @ translation(-x, -y)
    )
    estimate = model.estimate(warp(attacked, to_part, WORKING_SIZE, WORKING_SIZE))
    # laid back on the plane of the tiles, around the picture's centre; a part spans two tiles at most
    across, down = (2 * round(length / short * TILE_SAMPLES / 2) for length in (width, height))
    to_plane = (
        translation(across / 2, down / 2)
        @ scaling(TILE_SAMPLES / short, TILE_SAMPLES / short)
        @ translation(-width / 2, -height / 2)
        @ torch.linalg.inv(to_part)
        @ scaling(2, 2)
    )
    plane = warp(estimate, to_plane, down, across)
    soft, _, pilot = carriers.demodulate(analyse(_folded(plane)), model.receive)
    return soft, pilot


def _folded(plane: Tensor) -> Tensor:
    """Sum tiles (B, 128, 128) from planes (B, 1, h, w), h and w even, whose centre is the tile's."""
    for dim in (2, 3):
        length = plane.shape[dim]
        places = (torch.arange(length) - length // 2 + TILE_SAMPLES // 2) % TILE_SAMPLES
        shape = [*plane.shape]
        shape[dim] = TILE_SAMPLES
        plane = plane.new_zeros(shape).index_add(dim, places, plane)
    return plane.squeeze(1)
