"""Rounding to whole grey levels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Self

import torch
from torch import Tensor

from attacks.base import Attack, register, uniform
from attacks.limits import Limits


def round_straight_through(values: Tensor) -> Tensor:
    """Round to whole numbers; the gradient passes as if nothing happened."""
    return values + (torch.round(values) - values).detach()


@register("rounding", family="valuemetric", unit="levels, 256 is 8 bits", gradient="straight-through")
@dataclass(frozen=True)
class Rounding(Attack):
    """Round to ``levels`` equal steps between black and white."""

    levels: Annotated[int, Limits(2)] = 256

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(int(uniform(generator, 256 - 128 * level, 256.5)))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        steps = self.levels - 1
        return round_straight_through(image.clamp(0, 1) * steps) / steps
