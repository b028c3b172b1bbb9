"""Greyscale: colours mixed towards their luma."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from kornia.color import rgb_to_grayscale
from torch import Tensor

from attacks.base import Attack, register, uniform
from attacks.limits import Share


@register("greyscale", family="valuemetric", unit="amount 0 to 1, 0 is the identity", gradient="exact")
@dataclass(frozen=True)
class Greyscale(Attack):
    """Mix in ``amount`` of the Rec. 601 luma, 1 removes all colour; luma images stay as they are."""

    amount: Share = 1.0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(uniform(generator, 0.0, level))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        if image.shape[1] == 1:
            return image
        return torch.lerp(image, rgb_to_grayscale(image).expand_as(image), self.amount)
