"""Aspect: the picture made wider or narrower."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch

from attacks.base import log_uniform, register
from attacks.limits import Positive
from attacks.resize import Kernel, Resampling


@register("aspect", family="geometric", unit="factor of the width, 1 is the identity", gradient="exact", resizes=True)
@dataclass(frozen=True)
class Aspect(Resampling):
    """Change the width by ``factor`` and keep the height; anti-aliased."""

    factor: Positive = 1.0
    kernel: Kernel = "bicubic"

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(log_uniform(generator, 0.7**level, 1.4**level))

    def size(self, height: int, width: int) -> tuple[int, int]:  # noqa: D102
        return height, max(1, round(width * self.factor))
