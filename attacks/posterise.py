"""Posterising: only the high bits kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Self

import torch
from kornia.enhance import posterize
from torch import Tensor

from attacks.base import Attack, register, uniform
from attacks.limits import Limits


@register("posterise", family="valuemetric", unit="bits 1 to 8, 8 is the identity", gradient="straight-through")
@dataclass(frozen=True)
class Posterise(Attack):
    """Round to 8 bits and set all but the high ``bits`` to 0, as PIL does; 8 leaves values between levels as they are.

    Example:
        >>> Posterise(1).apply(torch.full((1, 1, 1, 1), 200 / 255)).mul(255).item()
        128.0
    """

    bits: Annotated[int, Limits(1, 8)] = 8

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(int(uniform(generator, 8 - 6 * level, 9)))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        if self.bits == 8:
            return image
        kept: Tensor = posterize((image.detach() * 255).round() / 255, self.bits)
        return image + (kept - image).detach()
