"""Rotation about the centre."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from attacks.base import Attack, register, uniform
from attacks.warp import rotation, translation, warp


@register("rotate", family="geometric", unit="degrees counter-clockwise, 0 is the identity", gradient="exact")
@dataclass(frozen=True)
class Rotate(Attack):
    """Turn about the centre on a canvas of the same size: corners are cut, gaps are black."""

    degrees: float = 0.0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(uniform(generator, -45 * level, 45 * level))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        height, width = image.shape[2:]
        if self.degrees == 0.0:
            return image
        return warp(image, self.matrix(height, width), height, width, "bicubic").clamp(0, 1)

    def matrix(self, height: int, width: int) -> Tensor:  # noqa: D102
        return translation(width / 2, height / 2) @ rotation(self.degrees) @ translation(-width / 2, -height / 2)
