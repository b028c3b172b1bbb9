"""Cut-out: a rectangle painted over."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from attacks.base import Attack, register, uniform
from attacks.limits import Share


@register("cut_out", family="occlusion", unit="share of the area, 0 is the identity", gradient="exact")
@dataclass(frozen=True)
class CutOut(Attack):
    """Paint a rectangle of ``area`` of the pixels, as wide for its height as the picture, in grey ``value``.

    It lies at ``x``, ``y``: 0 left or top, 1 right or bottom.
    """

    area: Share = 0.0
    x: Share = 0.5
    y: Share = 0.5
    value: Share = 0.0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(*(uniform(generator, 0.0, high) for high in (0.5 * level, 1.0, 1.0, 1.0)))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        height, width = image.shape[2:]
        rows, columns = round(height * math.sqrt(self.area)), round(width * math.sqrt(self.area))
        top, left = round((height - rows) * self.y), round((width - columns) * self.x)
        painted = image.clone()
        painted[:, :, top : top + rows, left : left + columns] = self.value
        return painted
