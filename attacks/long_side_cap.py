"""Cap on the long side: what networks do to large pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch

from attacks.base import log_uniform, register
from attacks.limits import Count
from attacks.resize import Kernel, Resampling


@register(
    "long_side_cap",
    family="geometric",
    unit="pixels of the long side, its own or more is the identity",
    gradient="exact",
    resizes=True,
)
@dataclass(frozen=True)
class LongSideCap(Resampling):
    """Shrink pictures whose long side exceeds ``pixels`` to it, anti-aliased; smaller ones stay."""

    pixels: Count = 2048
    kernel: Kernel = "bicubic"

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(round(log_uniform(generator, 4096 / 8**level, 4096)))

    def size(self, height: int, width: int) -> tuple[int, int]:  # noqa: D102
        factor = min(1.0, self.pixels / max(height, width))
        return max(1, round(height * factor)), max(1, round(width * factor))
