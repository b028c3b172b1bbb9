"""Motion blur: the mean along a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from kornia.filters import motion_blur
from torch import Tensor

from attacks.base import Attack, integer, register, uniform
from attacks.limits import OddCount
from attacks.sizes import check_window


@register(
    "motion_blur",
    family="valuemetric",
    unit="length in pixels, 1 is the identity; degrees counter-clockwise from horizontal",
    gradient="exact",
)
@dataclass(frozen=True)
class MotionBlur(Attack):
    """Average along a line of ``kernel`` pixels, odd, turned by ``degrees`` and centred; borders are reflected.

    The line is turned as a picture of ``kernel`` x ``kernel`` pixels, bilinearly.
    """

    kernel: OddCount = 1
    degrees: float = 0.0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(2 * integer(generator, 1 + round(5 * level)) + 1, uniform(generator, 0.0, 180.0))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        if self.kernel == 1:
            return image
        check_window(self.kernel, image)
        blurred: Tensor = motion_blur(image, self.kernel, self.degrees, 0.0, border_type="reflect", mode="bilinear")
        return blurred.clamp(0, 1)  # a mean of whites may be rounded up
