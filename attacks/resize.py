"""Resize: a smaller or larger picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from attacks.base import Attack, log_uniform, register
from attacks.warp import scaling

Kernel = Literal["bilinear", "bicubic", "nearest"]


def resize(image: Tensor, height: int, width: int, kernel: Kernel = "bicubic") -> Tensor:
    """Resample to ``height`` x ``width`` pixels, anti-aliased as PIL does (but for ``nearest``)."""
    if image.shape[2:] == (height, width):
        return image
    if kernel == "nearest":
        return F.interpolate(image, (height, width), mode="nearest-exact")
    return F.interpolate(image, (height, width), mode=kernel, antialias=True, align_corners=False).clamp(0, 1)


@register("resize", family="geometric", unit="factor of both sides, 1 is the identity", gradient="exact", resizes=True)
@dataclass(frozen=True)
class Resize(Attack):
    """Change the size by ``factor`` across and ``factor * aspect`` down, with a stated kernel."""

    factor: float = 1.0
    aspect: float = 1.0
    kernel: Kernel = "bicubic"

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        kernel: Kernel = "bilinear" if torch.rand((), generator=generator) < 0.5 else "bicubic"
        return cls(log_uniform(generator, 0.35**level, 1.5**level), kernel=kernel)

    def _size(self, height: int, width: int) -> tuple[int, int]:
        return max(1, round(height * self.factor * self.aspect)), max(1, round(width * self.factor))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        return resize(image, *self._size(*image.shape[2:]), kernel=self.kernel)

    def matrix(self, height: int, width: int) -> Tensor:  # noqa: D102
        rows, columns = self._size(height, width)
        return scaling(columns / width, rows / height)
