"""Crop: a part of the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from attacks.base import Attack, register, uniform
from attacks.limits import PositiveShare, Share
from attacks.warp import translation


@register("crop", family="geometric", unit="share of each side, 1 is the identity", gradient="exact", resizes=True)
@dataclass(frozen=True)
class Crop(Attack):
    """Keep ``side`` of the height and of the width, at ``x``, ``y`` (0 left or top, 1 right or bottom)."""

    side: PositiveShare = 1.0
    x: Share = 0.5
    y: Share = 0.5

    @classmethod
    def of_area(cls, area: float, x: float = 0.5, y: float = 0.5) -> Self:
        """The crop that keeps ``area`` of the pixels: a quarter of the area is half of the side."""
        return cls(math.sqrt(area), x, y)

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(*(uniform(generator, low, 1.0) for low in (1 - 0.55 * level, 0.0, 0.0)))

    def _box(self, height: int, width: int) -> tuple[int, int, int, int]:
        rows, columns = max(1, round(height * self.side)), max(1, round(width * self.side))
        return round((height - rows) * self.y), round((width - columns) * self.x), rows, columns

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        top, left, rows, columns = self._box(*image.shape[2:])
        return image[:, :, top : top + rows, left : left + columns]

    def matrix(self, height: int, width: int) -> Tensor:  # noqa: D102
        top, left, _, _ = self._box(height, width)
        return translation(-left, -top)
