"""Turns by 90, 180 and 270 degrees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from attacks.base import Attack, register, uniform


@register(
    "quarter_turn",
    family="geometric",
    unit="turns of 90 degrees counter-clockwise, 0 is the identity",
    gradient="exact",
    resizes=True,
)
@dataclass(frozen=True)
class QuarterTurn(Attack):
    """Turn by ``turns`` times 90 degrees, canvas and all: no pixel is resampled, odd turns swap height and width."""

    turns: int = 1

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(int(uniform(generator, 1, 2 + 2 * level)))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        return torch.rot90(image, self.turns, dims=(2, 3))

    def matrix(self, height: int, width: int) -> Tensor:  # noqa: D102
        total = torch.eye(3, dtype=torch.float64)
        for _ in range(self.turns % 4):
            total = torch.tensor([[0, 1, 0], [-1, 0, width], [0, 0, 1]], dtype=torch.float64) @ total
            height, width = width, height
        return total
