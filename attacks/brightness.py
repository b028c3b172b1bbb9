"""Brightness: every value times a factor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from attacks.base import Attack, log_uniform, register
from attacks.limits import NonNegative


@register("brightness", family="valuemetric", unit="factor, 1 is the identity", gradient="exact")
@dataclass(frozen=True)
class Brightness(Attack):
    """Multiply all values by ``factor`` and clip, as PIL and torchvision do.

    Example:
        >>> Brightness(0.5).apply(torch.full((1, 1, 1, 1), 0.8)).item()
        0.4000000059604645
    """

    factor: NonNegative = 1.0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(log_uniform(generator, 0.3**level, 2.0**level))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        return (image * self.factor).clamp(0, 1)
