"""Short side: the picture brought to a stated size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch

from attacks.base import log_uniform, register
from attacks.limits import Count
from attacks.resize import Kernel, Resampling


@register(
    "short_side",
    family="geometric",
    unit="pixels of the short side, that of the picture is the identity",
    gradient="exact",
    resizes=True,
)
@dataclass(frozen=True)
class ShortSide(Resampling):
    """Resize so that the short side has ``pixels`` pixels, up or down, with a stated kernel; the aspect ratio stays."""

    pixels: Count = 512
    kernel: Kernel = "bicubic"

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(round(log_uniform(generator, 768 / 3**level, 768)))

    def size(self, height: int, width: int) -> tuple[int, int]:  # noqa: D102
        factor = self.pixels / min(height, width)
        return max(1, round(height * factor)), max(1, round(width * factor))
