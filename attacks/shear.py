"""Shear: the picture slanted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Self

import torch
from torch import Tensor

from attacks.base import Attack, register, uniform
from attacks.limits import Limits
from attacks.warp import translation, warp

Slant = Annotated[float, Limits(-90, 90, above=True, below=True)]


@register("shear", family="geometric", unit="degrees across and down, 0 is the identity", gradient="exact")
@dataclass(frozen=True)
class Shear(Attack):
    """Slant about the centre: x grows by tan(``x_degrees``) y, and y by tan(``y_degrees``) x.

    Positive ``x_degrees`` move the bottom to the right, positive ``y_degrees`` the right side down. Both together
    must not fold the picture flat: their sum stays between -90 and 90 degrees. The canvas keeps its size; gaps are
    black.

    Raises:
        ValueError: an angle or their sum is out of range.
    """

    x_degrees: Slant = 0.0
    y_degrees: Slant = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if abs(total := self.x_degrees + self.y_degrees) >= 90:
            raise ValueError(f"x_degrees + y_degrees must be above -90 to below 90, but is {total}")

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
