"""Median blur: the median of a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from kornia.filters import median_blur
from scipy.ndimage import median_filter
from torch import Tensor

from attacks.arrays import each_array
from attacks.base import Attack, integer, register
from attacks.limits import OddCount
from attacks.sizes import check_window


@register("median_blur", family="valuemetric", unit="side of the window in pixels, 1 is the identity", gradient="exact")
@dataclass(frozen=True)
class MedianBlur(Attack):
    """Replace every value by the median of ``kernel`` x ``kernel``, ``kernel`` odd, channel by channel.

    Borders are reflected. The gradient goes to the pixel that is the median, at ties to one of them. Where none is
    asked for, SciPy finds the same medians without holding every window in memory.

    Raises:
        ValueError: on applying it, the window is larger than the picture.
    """

    kernel: OddCount = 1

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(2 * integer(generator, 1 + round(2 * level)) + 1)

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        if self.kernel == 1:
            return image
        check_window(self.kernel, image, reflected=False)
        if image.requires_grad and torch.is_grad_enabled():
            blurred: Tensor = median_blur(image, self.kernel, border_type="reflect")
            return blurred
        size = (self.kernel, self.kernel, 1)
        return each_array(image, lambda array: median_filter(array, size, mode="mirror"))
