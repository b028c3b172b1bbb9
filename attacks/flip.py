"""Flip: the picture in a mirror."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor

from attacks.base import Attack, register
from attacks.warp import scaling, translation

Axis = Literal["horizontal", "vertical"]


@register("flip", family="geometric", unit="axis; there is no identity", gradient="exact")
@dataclass(frozen=True)
class Flip(Attack):
    """Swap left and right (``horizontal``) or top and bottom (``vertical``)."""

    axis: Axis = "horizontal"

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls("vertical" if torch.rand((), generator=generator) < 0.5 * level else "horizontal")

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        return image.flip(3 if self.axis == "horizontal" else 2)

    def matrix(self, height: int, width: int) -> Tensor:  # noqa: D102
        if self.axis == "horizontal":
            return translation(width, 0) @ scaling(-1, 1)
        return translation(0, height) @ scaling(1, -1)
