"""Affine map about the centre: rotation, scale, aspect, shear and shift in one resampling."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from attacks.base import Attack, log_uniform, register, uniform
from attacks.limits import Positive, Share
from attacks.warp import rotation, scaling, translation, warp


@register(
    "affine",
    family="geometric",
    unit="degrees, factor, factor, slope, shares of the sides, grey; (0, 1, 1, 0, 0, 0, any) is the identity",
    gradient="exact",
)
@dataclass(frozen=True)
class Affine(Attack):
    """Rotate by ``degrees``, magnify by ``scale`` (height by ``aspect`` more), shear, shift by shares of the sides.

    The canvas keeps its size; gaps are of grey ``value``.
    """

    degrees: float = 0.0
    scale: Positive = 1.0
    aspect: Positive = 1.0
    shear: float = 0.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    value: Share = 0.0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(
            degrees=uniform(generator, -45 * level, 45 * level),
            scale=log_uniform(generator, 0.5**level, 1.3**level),
            aspect=log_uniform(generator, 0.87**level, 1.15**level),
            shear=uniform(generator, -0.06 * level, 0.06 * level),
            shift_x=uniform(generator, -0.1 * level, 0.1 * level),
            shift_y=uniform(generator, -0.1 * level, 0.1 * level),
        )

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        height, width = image.shape[2:]
        moved = warp(image - self.value, self.matrix(height, width), height, width, "bicubic")  # its gaps are 0
        return (moved + self.value).clamp(0, 1)

    def matrix(self, height: int, width: int) -> Tensor:  # noqa: D102
        shear = torch.eye(3, dtype=torch.float64)
        shear[0, 1] = self.shear
        root = math.sqrt(self.aspect)
        linear = rotation(self.degrees) @ shear @ scaling(self.scale / root, self.scale * root)
        return (
            translation(width * (0.5 + self.shift_x), height * (0.5 + self.shift_y))
            @ linear
            @ translation(-width / 2, -height / 2)
        )
