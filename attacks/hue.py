"""Hue: colours turned around the wheel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Self

import torch
from kornia.enhance import adjust_hue
from torch import Tensor

from attacks.base import Attack, register, uniform
from attacks.limits import Limits

Turn = Annotated[float, Limits(-0.5, 0.5)]


@register("hue", family="valuemetric", unit="turn, 0 is the identity", gradient="exact")
@dataclass(frozen=True)
class Hue(Attack):
    """Turn the hue by ``turn`` of the full circle, -0.5 to 0.5; luma images stay as they are."""

    turn: Turn = 0.0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(uniform(generator, -0.5 * level, 0.5 * level))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        if self.turn == 0.0 or image.shape[1] == 1:
            return image
        turned: Tensor = adjust_hue(image, self.turn * 2 * math.pi)
        return turned.clamp(0, 1)
