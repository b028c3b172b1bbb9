"""Gaussian blur."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from kornia.filters import gaussian_blur2d
from torch import Tensor

from attacks.base import Attack, register, uniform
from attacks.limits import NonNegative
from attacks.sizes import check_window


@register(
    "gaussian_blur", family="valuemetric", unit="standard deviation in pixels, 0 is the identity", gradient="exact"
)
@dataclass(frozen=True)
class GaussianBlur(Attack):
    """Blur with a Gaussian of ``sigma`` pixels, borders reflected."""

    sigma: NonNegative = 0.0

    @classmethod
    def of_kernel(cls, size: int) -> Self:
        """The blur that OpenCV and torchvision derive from an odd kernel size: sigma = .3 ((size - 1) / 2 - 1) + .8.

        Example:
            >>> round(GaussianBlur.of_kernel(17).sigma, 3)
            2.9
        """
        return cls(0.3 * ((size - 1) * 0.5 - 1) + 0.8)

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(uniform(generator, 0.0, 1.8 * level))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        radius = round(3 * self.sigma)
        if radius == 0:
            return image
        size = (2 * radius + 1, 2 * radius + 1)
        check_window(size[0], image)
        blurred: Tensor = gaussian_blur2d(image, size, (self.sigma, self.sigma), border_type="reflect")
        return blurred
