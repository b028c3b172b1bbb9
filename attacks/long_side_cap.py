"""Cap on the long side: what networks do to large pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from attacks.base import Attack, log_uniform, register
from attacks.resize import resize
from attacks.warp import scaling


@register(
    "long_side_cap",
    family="geometric",
    unit="pixels of the long side, its own or more is the identity",
    gradient="exact",
    resizes=True,
)
@dataclass(frozen=True)
class LongSideCap(Attack):
    """Shrink pictures whose long side exceeds ``pixels`` to it, bicubic and anti-aliased; smaller ones stay."""

    pixels: int = 2048

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(round(log_uniform(generator, 4096 / 8**level, 4096)))

    def _size(self, height: int, width: int) -> tuple[int, int]:
        factor = min(1.0, self.pixels / max(height, width))
        return max(1, round(height * factor)), max(1, round(width * factor))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        return resize(image, *self._size(*image.shape[2:]))

    def matrix(self, height: int, width: int) -> Tensor:  # noqa: D102
        rows, columns = self._size(height, width)
        return scaling(columns / width, rows / height)
