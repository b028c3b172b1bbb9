"""Moiré: the beat between the pixels of a screen and those of a camera."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from attacks.base import Attack, integer, register, uniform
from attacks.limits import Seed, Share
from attacks.seeded import draw_each


def moire_pattern(height: int, width: int, degrees: float, x: float, y: float) -> Tensor:
    """The pattern of Fang et al., "PIMoG: an effective screen-shooting noise-layer simulation", ACM MM 2022.

    Rings of one pixel's width around (``x``, ``y``), which the sampling aliases, and waves of 2 pi pixels across
    ``degrees``; the darker of both, raised to 0.5 and more.

    Returns:
        Float tensor of shape (height, width) in [0.5, 1].
    """
    columns, rows = torch.arange(width) + 1.0, (torch.arange(height) + 1.0)[:, None]
    rings = torch.cos(2 * math.pi * torch.hypot(columns - x, rows - y))
    waves = torch.cos(math.cos(math.radians(degrees)) * columns + math.sin(math.radians(degrees)) * rows)
    return 0.75 + torch.minimum(rings, waves) / 4


@register("moire", family="valuemetric", unit="share of the pattern, 0 is the identity", gradient="exact")
@dataclass(frozen=True)
class Moire(Attack):
    """Mix in a :func:`moire_pattern` by ``strength``, another one for each channel; PIMoG takes 0.15.

    Angle and centre are drawn: image b of a batch uses ``seed + b``.
    """

    strength: Share = 0.0
    seed: Seed = 0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(uniform(generator, 0.0, 0.2 * level), integer(generator, 2**31))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        if self.strength == 0.0:
            return image
        return torch.lerp(image, draw_each(image, self.seed, _draw_patterns), self.strength)


def _draw_patterns(item: Tensor, generator: torch.Generator) -> Tensor:
    channels, height, width = item.shape
    draws = torch.rand(channels, 3, generator=generator).tolist()
    return torch.stack([moire_pattern(height, width, 180 * turn, x * width, y * height) for turn, x, y in draws])
