"""Speckle: noise in proportion to the value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from attacks.base import Attack, integer, register, uniform
from attacks.limits import NonNegative, Seed
from attacks.seeded import draw_each


@register(
    "speckle_noise",
    family="valuemetric",
    unit="standard deviation as a share of the value, 0 is the identity",
    gradient="exact",
)
@dataclass(frozen=True)
class SpeckleNoise(Attack):
    """Add x n to every value x, n independent and normal of ``sigma``, and clip; image b uses ``seed + b``."""

    sigma: NonNegative = 0.0
    seed: Seed = 0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(uniform(generator, 0.0, 0.2 * level), integer(generator, 2**31))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        if self.sigma == 0.0:
            return image
        noise = draw_each(image, self.seed, lambda item, generator: torch.randn(item.shape, generator=generator))
        return (image + image * self.sigma * noise).clamp(0, 1)
