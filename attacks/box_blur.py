"""Box blur: the mean of a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from kornia.filters import box_blur
from torch import Tensor

from attacks.base import Attack, integer, register
from attacks.limits import OddCount
from attacks.sizes import check_window


@register("box_blur", family="valuemetric", unit="side of the window in pixels, 1 is the identity", gradient="exact")
@dataclass(frozen=True)
class BoxBlur(Attack):
    """Replace every pixel by the mean of ``kernel`` x ``kernel`` pixels, ``kernel`` odd, borders reflected."""

    kernel: OddCount = 1

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(2 * integer(generator, 1 + round(3 * level)) + 1)

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        if self.kernel == 1:
            return image
        check_window(self.kernel, image)
        blurred: Tensor = box_blur(image, self.kernel, border_type="reflect")
        return blurred.clamp(0, 1)  # a mean of whites may be rounded up
