"""Sharpening by an unsharp mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Self

import torch
from torch import Tensor

from attacks.base import Attack, register, uniform
from attacks.gaussian_blur import GaussianBlur
from attacks.limits import Limits, NonNegative

Amount = Annotated[float, Limits(-1)]


@register(
    "sharpen",
    family="valuemetric",
    unit="share of the detail added, 0 is the identity; standard deviation in pixels",
    gradient="exact",
)
@dataclass(frozen=True)
class Sharpen(Attack):
    """Add ``amount`` times what a Gaussian blur of ``sigma`` pixels takes away, and clip (an unsharp mask)."""

    amount: Amount = 0.0
    sigma: NonNegative = 1.0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(uniform(generator, 0.0, 2.0 * level), uniform(generator, 0.5, 2.0))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        if self.amount == 0.0:
            return image
        detail = image - GaussianBlur(self.sigma).apply(image)
        return (image + self.amount * detail).clamp(0, 1)
