"""Saturation: distance from the luma times a factor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from kornia.enhance import adjust_saturation_with_gray_subtraction
from torch import Tensor

from attacks.base import Attack, log_uniform, register
from attacks.limits import NonNegative


@register("saturation", family="valuemetric", unit="factor, 1 is the identity", gradient="exact")
@dataclass(frozen=True)
class Saturation(Attack):
    """Stretch colours away from their Rec. 601 luma by ``factor`` and clip, as PIL and torchvision do.

    0 removes all colour; luma images stay as they are.
    """

    factor: NonNegative = 1.0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(log_uniform(generator, 0.3**level, 3.0**level))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        if self.factor == 1.0 or image.shape[1] == 1:
            return image
        adjusted: Tensor = adjust_saturation_with_gray_subtraction(image, self.factor)
        return adjusted
