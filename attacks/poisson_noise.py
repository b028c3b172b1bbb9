"""Poisson noise: light comes in whole photons."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Self

import torch
from torch import Tensor

from attacks.base import Attack, integer, register, uniform
from attacks.limits import Limits, Seed
from attacks.seeded import draw_each


@register(
    "poisson_noise",
    family="valuemetric",
    unit="photons at white, infinity is the identity",
    gradient="straight-through",
)
@dataclass(frozen=True)
class PoissonNoise(Attack):
    """Replace every value by a Poisson draw of that mean, counted in ``photons`` at white, and clip.

    The standard deviation is sqrt(value / photons). Image b of a batch uses ``seed + b``.
    """

    photons: Annotated[float, Limits(0, math.inf, above=True)] = math.inf
    seed: Seed = 0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        deviation = uniform(generator, 0.001, 0.001 + 0.099 * level)  # at white
        return cls(deviation**-2, integer(generator, 2**31))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        if self.photons == math.inf:
            return image
        counts = draw_each(
            image, self.seed, lambda item, generator: torch.poisson(item.cpu() * self.photons, generator)
        )
        return image + ((counts / self.photons).clamp(0, 1) - image).detach()
