"""What a training step meets: how loud, through which crop, after which attacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from attacks import ATTACKS, Affine, Chain
from attacks.base import Attack, log_uniform, uniform
from attacks.resize import resize
from watermark.training.settings import TrainingSettings

# Chance of each valuemetric attack, in the order in which a picture meets them.
_CHAIN = (
    ("brightness", 0.2),
    ("contrast", 0.2),
    ("gamma", 0.1),
    ("gaussian_blur", 0.25),
    ("resize", 0.3),
    ("gaussian_noise", 0.3),
    ("jpeg", 0.5),
)
_AFFINE_CHANCE = 0.5
_UNTOUCHED_CHANCE = 0.1
_ZOOM_CHANCE = 0.4
_LARGEST_ZOOM = 2.6


@dataclass(slots=True)
class Curriculum:
    """State of the curriculum; moves on while the bits read.

    Attributes:
        strength: current mean PSNR over photographs in dB.
        level: current attack level, 0 to 1.
        accuracy: running bit accuracy.
    """

    strength: float
    level: float = 0.0
    accuracy: float = 0.5

    def update(self, accuracy: float, settings: TrainingSettings) -> None:
        """Take in the bit accuracy of a step."""
        self.accuracy += 0.05 * (accuracy - self.accuracy)
        if self.accuracy > settings.accuracy_gate:
            self.strength = min(self.strength + settings.strength_step, settings.strength_target)
            self.level = min(self.level + settings.level_step, 1.0)


def draw_zoom(generator: torch.Generator, level: float) -> float:
    """How far the view is cropped from the marked picture: 1 is all of it, 2 is half of each side."""
    if torch.rand((), generator=generator) >= _ZOOM_CHANCE:
        return 1.0
    return log_uniform(generator, 1.0, _LARGEST_ZOOM**level)


def draw_chain(generator: torch.Generator, level: float) -> Chain:
    """The attacks that one view meets, in order.

    Args:
        generator: the only source of randomness.
        level: attack level, 0 to 1.
    """
    if uniform(generator, 0.0, 1.0) < _UNTOUCHED_CHANCE:
        return Chain()
    attacks: list[Attack] = []
    if uniform(generator, 0.0, 1.0) < _AFFINE_CHANCE:
        attacks.append(Affine.sample(generator, level))
    for name, chance in _CHAIN:
        if uniform(generator, 0.0, 1.0) < chance:
            attacks.append(ATTACKS[name].sample(generator, level))
    return Chain(tuple(attacks))


def attack_views(views: Tensor, chains: Sequence[Chain]) -> tuple[Tensor, Tensor]:
    """Attack each view with a chain of its own; as detectors do, each attack's result is resized to the working size.

    Args:
        views: marked luma in [0, 1], shape (B, 1, H, W).
        chains: B chains.

    Returns:
        Attacked luma of the same shape, and the matrix from view to attacked pixels of each, shape (B, 3, 3).
    """
    attacked, matrices = [], []
    height, width = views.shape[2:]
    for view, chain in zip(views.split(1), chains, strict=True):
        matrix = torch.eye(3, dtype=torch.float64)
        for attack in chain.attacks:
            if isinstance(attack, Affine):
                matrix = attack.matrix(height, width) @ matrix
            view = resize(attack.apply(view), height, width)
        attacked.append(view)
        matrices.append(matrix)
    return torch.cat(attacked), torch.stack(matrices)
