"""Contrast: distance from the mean luma times a factor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from kornia.enhance import adjust_contrast_with_mean_subtraction
from torch import Tensor

from attacks.base import Attack, log_uniform, register
from attacks.limits import NonNegative


@register("contrast", family="valuemetric", unit="factor, 1 is the identity", gradient="exact")
@dataclass(frozen=True)
class Contrast(Attack):
    """Stretch values about the image's mean luma by ``factor`` and clip, as torchvision does."""

    factor: NonNegative = 1.0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(log_uniform(generator, 0.3**level, 2.0**level))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        if self.factor == 1.0:
            return image
        scaled: Tensor = adjust_contrast_with_mean_subtraction(image, self.factor)
        return scaled.clamp(0, 1)
