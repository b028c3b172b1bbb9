"""Straighten: a turn after which the corners without picture are cut off."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from attacks.affine import Affine
from attacks.base import Attack, register, uniform
from attacks.chain import Chain
from attacks.crop import Crop
from attacks.rotate import Rotate


@register(
    "straighten",
    family="geometric",
    unit="degrees counter-clockwise, 0 is the identity",
    gradient="exact",
    resizes=True,
)
@dataclass(frozen=True)
class Straighten(Attack):
    """Turn about the centre and keep the largest centred part of the same shape that has no gaps.

    Of sides a >= b, that part has the share b / (a |sin| + b |cos|): rotation with cropping, as in StirMark 3.1.
    ``enlarge`` brings it back to the size of the picture in the same resampling: rotation with cropping and scaling.

    Example:
        >>> tuple(Straighten(90.0).apply(torch.ones(1, 1, 20, 40)).shape)
        (1, 1, 10, 20)
    """

    degrees: float = 0.0
    enlarge: bool = False

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(uniform(generator, -15 * level, 15 * level), bool(torch.rand((), generator=generator) < 0.5))

    def _steps(self, height: int, width: int) -> Attack:
        sine, cosine = abs(math.sin(math.radians(self.degrees))), abs(math.cos(math.radians(self.degrees)))
        share = min(height, width) / (max(height, width) * sine + min(height, width) * cosine)
        if self.enlarge:
            return Affine(self.degrees, scale=1 / share)
        return Chain((Rotate(self.degrees), Crop(share)))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        return self._steps(*image.shape[2:]).apply(image)

    def matrix(self, height: int, width: int) -> Tensor | None:  # noqa: D102
        return self._steps(height, width).matrix(height, width)
