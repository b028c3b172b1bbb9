"""Pad: a border around the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor

from attacks.base import Attack, register, uniform
from attacks.limits import NonNegative, Share
from attacks.sizes import check_size
from attacks.warp import translation


@register("pad", family="geometric", unit="shares of the sides, 0 is the identity", gradient="exact", resizes=True)
@dataclass(frozen=True)
class Pad(Attack):
    """Add borders of shares of the width (``left``, ``right``) and height (``top``, ``bottom``) in grey ``value``.

    Borders are whole pixels wide, so no pixel is resampled.
    """

    left: NonNegative = 0.0
    top: NonNegative = 0.0
    right: NonNegative = 0.0
    bottom: NonNegative = 0.0
    value: Share = 0.0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(*(uniform(generator, 0.0, high) for high in (*(0.25 * level,) * 4, 1.0)))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        height, width = image.shape[2:]
        across = round(width * self.left), round(width * self.right)
        down = round(height * self.top), round(height * self.bottom)
        check_size(height + sum(down), width + sum(across))
        return F.pad(image, (*across, *down), value=self.value)

    def matrix(self, height: int, width: int) -> Tensor:  # noqa: D102
        return translation(round(width * self.left), round(height * self.top))
