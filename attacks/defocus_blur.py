"""Defocus: every point becomes a disc."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import torch
from kornia.filters import filter2d
from torch import Tensor

from attacks.base import Attack, register, uniform
from attacks.disc import disc
from attacks.limits import NonNegative
from attacks.sizes import check_window


@register("defocus_blur", family="valuemetric", unit="radius in pixels, 0 is the identity", gradient="exact")
@dataclass(frozen=True)
class DefocusBlur(Attack):
    """Average over a disc of ``radius`` pixels, the picture of a point out of focus; borders are reflected."""

    radius: NonNegative = 0.0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(uniform(generator, 0.0, 4.0 * level))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        if self.radius == 0.0:
            return image
        side = 2 * math.ceil(self.radius) + 1
        check_window(side, image)
        kernel = disc(side, self.radius)
        blurred: Tensor = filter2d(image, kernel[None].to(image), border_type="reflect", normalized=True)
        return blurred.clamp(0, 1)  # a mean of whites may be rounded up
