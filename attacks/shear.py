"""Shear: the picture slanted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from attacks.base import Attack, register, uniform
from attacks.warp import translation, warp


@register("shear", family="geometric", unit="degrees across and down, 0 is the identity", gradient="exact")
@dataclass(frozen=True)
class Shear(Attack):
    """Slant about the centre: x grows by tan(``x_degrees``) y, and y by tan(``y_degrees``) x.

    Positive ``x_degrees`` move the bottom to the right, positive ``y_degrees`` the right side down. Both together
    must not fold the picture flat: their sum is to stay below 90 degrees. The canvas keeps its size; gaps are black.
    """

    x_degrees: float = 0.0
    y_degrees: float = 0.0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(*(uniform(generator, -15 * level, 15 * level) for _ in range(2)))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        height, width = image.shape[2:]
        if self.x_degrees == self.y_degrees == 0.0:
            return image
        return warp(image, self.matrix(height, width), height, width, "bicubic").clamp(0, 1)

    def matrix(self, height: int, width: int) -> Tensor:  # noqa: D102
        slant = torch.eye(3, dtype=torch.float64)
        slant[0, 1], slant[1, 0] = (math.tan(math.radians(angle)) for angle in (self.x_degrees, self.y_degrees))
        return translation(width / 2, height / 2) @ slant @ translation(-width / 2, -height / 2)
