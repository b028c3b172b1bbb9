"""Shift: the picture moved on its canvas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from attacks.base import Attack, register, uniform
from attacks.limits import Limits
from attacks.warp import translation

SignedShare = Annotated[float, Limits(-1, 1)]


@register("shift", family="geometric", unit="shares of the sides, 0 is the identity", gradient="exact")
@dataclass(frozen=True)
class Shift(Attack):
    """Move right by ``x`` of the width and down by ``y`` of the height, -1 to 1; gaps are black.

    Moves are whole pixels, so no pixel is resampled; ``Affine`` moves by fractions.
    """

    x: SignedShare = 0.0
    y: SignedShare = 0.0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(*(uniform(generator, -0.25 * level, 0.25 * level) for _ in range(2)))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        height, width = image.shape[2:]
        right, down = round(width * self.x), round(height * self.y)
        return F.pad(image, (right, -right, down, -down))

    def matrix(self, height: int, width: int) -> Tensor:  # noqa: D102
        return translation(round(width * self.x), round(height * self.y))
