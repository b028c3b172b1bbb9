"""Aspect: the picture made wider or narrower."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from attacks.base import Attack, log_uniform, register
from attacks.resize import resize
from attacks.warp import scaling


@register("aspect", family="geometric", unit="factor of the width, 1 is the identity", gradient="exact", resizes=True)
@dataclass(frozen=True)
class Aspect(Attack):
    """Change the width by ``factor`` and keep the height; bicubic, anti-aliased."""

    factor: float = 1.0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(log_uniform(generator, 0.7**level, 1.4**level))

    def _columns(self, width: int) -> int:
        return max(1, round(width * self.factor))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        height, width = image.shape[2:]
        return resize(image, height, self._columns(width))

    def matrix(self, height: int, width: int) -> Tensor:  # noqa: D102
        return scaling(self._columns(width) / width, 1)
