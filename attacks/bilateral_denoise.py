"""Bilateral filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
import torch
from torch import Tensor

from attacks.arrays import each_array
from attacks.base import Attack, register, uniform
from attacks.limits import NonNegative, Positive
from attacks.sizes import check_window


@register(
    "bilateral_denoise",
    family="removal",
    unit="standard deviation of differences in grey levels of 255, 0 is the identity",
    gradient="none",
)
@dataclass(frozen=True)
class BilateralDenoise(Attack):
    """OpenCV's bilateral filter: pixels are averaged that are near in place and in colour.

    Weights are Gaussian in distance (``sigma_space`` pixels, cut at a radius of 1.5 ``sigma_space``) and in the sum of
    the channels' absolute differences (``sigma_colour``); Tomasi and Manduchi, ICCV 1998.
    """

    sigma_colour: NonNegative = 20.0
    sigma_space: Positive = 3.0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(uniform(generator, 0.0, 50 * level), uniform(generator, 1.0, 4.0))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        if self.sigma_colour == 0.0:
            return image.detach()
        check_window(2 * round(1.5 * self.sigma_space) + 1, image)
        return each_array(
            image,
            lambda array: np.asarray(cv2.bilateralFilter(array, 0, self.sigma_colour / 255, self.sigma_space)),
        )
