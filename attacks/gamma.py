"""Gamma: every value to a power."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from attacks.base import Attack, log_uniform, register
from attacks.limits import Positive


@register("gamma", family="valuemetric", unit="exponent, 1 is the identity", gradient="exact")
@dataclass(frozen=True)
class Gamma(Attack):
    """Raise all values to the power ``exponent``; above 1 darkens."""

    exponent: Positive = 1.0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(log_uniform(generator, 0.6**level, 1.7**level))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        if self.exponent == 1.0:
            return image
        return image.clamp_min(1e-6).pow(self.exponent)  # the slope at 0 is infinite below 1
