"""Non-local means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attacks.arrays import each_array
from attacks.base import Attack, register, uniform
from attacks.limits import NonNegative


@register(
    "non_local_means",
    family="removal",
    unit="strength of the filter in grey levels of 255, 0 is the identity",
    gradient="none",
)
@dataclass(frozen=True)
class NonLocalMeans(Attack):
    """OpenCV's non-local means: each pixel becomes the mean of those whose surroundings look alike.

    Patches of 7 x 7 pixels are compared over windows of 21 x 21; ``strength`` is the h of Buades, Coll and Morel, CVPR
    2005. The image is first rounded to 8 bits.
    """

    strength: NonNegative = 3.0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(uniform(generator, 0.0, 12 * level))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        return image.detach() if self.strength == 0.0 else each_array(image, self._denoise)

    def _denoise(self, array: NDArray[np.float32]) -> NDArray[np.float32]:
        levels = np.rint(array * 255).astype(np.uint8)
        denoised = cv2.fastNlMeansDenoising(levels, None, self.strength, 7, 21)
        return np.divide(denoised, 255, dtype=np.float32)
