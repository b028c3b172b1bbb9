"""What one training step computes: views are marked, attacked and read, and the losses follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from attacks import Chain
from attacks.resize import resize
from attacks.warp import scaling, translation, warp
from watermark.carriers import TILE_SAMPLES, analyse, synthesise
from watermark.nets.model import Model
from watermark.training.curriculum import attack_views
from watermark.training.draw import StepDraw
from watermark.training.losses import bit_loss, pilot_loss, visibility_loss
from watermark.training.settings import TrainingSettings
from watermark.working import WORKING_SIZE

_VISIBLY_CLIPPED = 0.5 / 255


@dataclass(frozen=True, slots=True)
class MarkedViews:
    """Marked views of B images.

    Attributes:
        views: marked luma in [0, 1], rounded to 8 bits, shape (B, 1, crop, crop).
        hosts: unmarked luma at the working size, shape (B, 1, part, part).
        residual: what was added at the working size, same shape.
        clipped: share of pixels of which clipping to [0, 1] took more than half a grey level, scalar.
        place: matrix from view pixels to tile samples, shape (3, 3).
    """

    views: Tensor
    hosts: Tensor
    residual: Tensor
    clipped: Tensor
    place: Tensor


def networks_precision(views: Tensor, bf16: bool) -> torch.autocast:
    """Context in which the networks compute, in bfloat16 if so set."""
    return torch.autocast(views.device.type, torch.bfloat16, enabled=bf16)


def compute_step(
    model: Model, views: Tensor, draw: StepDraw, settings: TrainingSettings, strength: float
) -> tuple[dict[str, Tensor], dict[str, Tensor], MarkedViews]:
    """Losses and figures of a batch.

    Args:
        model: the networks.
        views: luma in [0, 1], shape (B, 1, crop, crop).
        draw: what chance decided; of several candidate chains, the worst counts for each image.
        settings: all knobs.
        strength: current mean PSNR over photographs in dB.

    Returns:
        Weighted losses by name, whose sum is to fall; figures by name, for the log only; the marked views.
    """
    marked = embed_views(model, views, draw, strength, settings)
    chains, ordinary = _worst_chains(model, marked, draw, settings) if len(draw.chains) > 1 else (draw.chains[0], None)
    soft, pilot = read_attacked(model, marked, draw, chains, settings)
    losses = {
        "bits": bit_loss(soft, draw.bits.to(soft)).mean(),
        "pilot": settings.pilot_weight * pilot_loss(pilot),
        "visibility": settings.visibility_weight * visibility_loss(marked.hosts, marked.residual).mean(),
    }
    noise = (marked.views - views).square().mean((1, 2, 3)).clamp_min(1e-10)
    figures = {
        # the curriculum follows ordinary attacks, not the worst
        "bit_accuracy": bit_accuracy(soft if ordinary is None else ordinary, draw.bits).mean(),
        "psnr": -10 * torch.log10(noise).mean(),
        "clipped_share": marked.clipped,
    }
    return losses, figures, marked


def embed_views(
    model: Model, views: Tensor, draw: StepDraw, strength: float, settings: TrainingSettings
) -> MarkedViews:
    """Mark views that show a part of a larger picture.

    Args:
        model: the networks.
        views: luma in [0, 1], shape (B, 1, crop, crop).
        draw: what chance decided.
        strength: current mean PSNR over photographs in dB.
        settings: all knobs.
    """
    size = views.shape[-1]
    part = max(64, round(size / draw.zoom / 8) * 8)  # side of the view at the working size
    left, top = (0, 0) if part == WORKING_SIZE else (draw.left, draw.top)
    hosts = resize(views, part, part)
    carriers = draw.carriers.to(views.device)
    coefficients = carriers.modulate((1 - 2 * draw.bits).to(views), model.transmit, model.pilot_share)
    tile = synthesise(coefficients, WORKING_SIZE).unsqueeze(1)
    pattern = tile.roll((-top, -left), (2, 3))[:, :, :part, :part]
    with networks_precision(views, settings.bf16):
        residual = model.residual(hosts, pattern, (strength + settings.strength_spread * draw.spread).to(views))
    enlarged = residual
    if part != size:
        enlarged = F.interpolate(residual, (size, size), mode="bicubic", align_corners=False)
    unclipped = views + enlarged
    marked = unclipped.clamp(0, 1)
    clipped = ((unclipped - marked).abs() > _VISIBLY_CLIPPED).float().mean()
    rounded = torch.round(marked * 255) / 255
    place = scaling(0.5, 0.5) @ translation(left, top) @ scaling(part / size, part / size)
    return MarkedViews(marked + (rounded - marked).detach(), hosts, residual, clipped, place)


def read_attacked(
    model: Model, marked: MarkedViews, draw: StepDraw, chains: Sequence[Chain], settings: TrainingSettings
) -> tuple[Tensor, Tensor]:
    """Attack marked views and read them, their geometry known but for a little jitter.

    What lies beyond the tile's edge is folded back, so the tile is first warped onto a canvas of 2 x 2 tiles.

    Returns:
        Soft bits (B, 256) and pilot responses (B, 48).
    """
    attacked, matrices = attack_views(marked.views, chains)
    with networks_precision(attacked, settings.bf16):
        estimate = model.estimate(attacked)
    place = draw.jitter @ marked.place @ torch.linalg.inv(matrices)
    canvas = warp(estimate, place @ scaling(2, 2), 2 * TILE_SAMPLES, 2 * TILE_SAMPLES)
    folded = canvas.unflatten(3, (2, -1)).unflatten(2, (2, -1)).sum((2, 4)).squeeze(1)
    soft, _, pilot = draw.carriers.to(attacked.device).demodulate(analyse(folded), model.receive)
    return soft, pilot


def bit_accuracy(soft: Tensor, bits: Tensor) -> Tensor:
    """Share of bits (B, 256) that the signs of the soft bits (B, 256) get right, shape (B,)."""
    return ((soft > 0) == (bits.to(soft) < 0.5)).float().mean(1)


@torch.no_grad()
def _worst_chains(
    model: Model, marked: MarkedViews, draw: StepDraw, settings: TrainingSettings
) -> tuple[list[Chain], Tensor]:
    """For each image the candidate with the highest bit loss, and the soft bits after the first."""
    soft = [read_attacked(model, marked, draw, chains, settings)[0] for chains in draw.chains]
    losses = torch.stack([bit_loss(values, draw.bits.to(values)) for values in soft])  # (candidates, B)
    worst = losses.argmax(0).tolist()
    return [draw.chains[candidate][image] for image, candidate in enumerate(worst)], soft[0]
