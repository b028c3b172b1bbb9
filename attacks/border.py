"""Border: a frame painted over the edge of the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Self

import torch
from torch import Tensor

from attacks.base import Attack, register, uniform
from attacks.limits import Limits, Share


@register("border", family="occlusion", unit="share of each side, 0 is the identity", gradient="exact")
@dataclass(frozen=True)
class Border(Attack):
    """Paint the outer ``share`` of the width (left and right) and height (top and bottom) in grey ``value``.

    ``share`` is 0 to 0.5, where nothing is left; ``Pad`` puts its border around the picture.
    """

    share: Annotated[float, Limits(0, 0.5)] = 0.0
    value: Share = 0.0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(uniform(generator, 0.0, 0.15 * level), uniform(generator, 0.0, 1.0))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        height, width = image.shape[2:]
        across, down = round(width * self.share), round(height * self.share)
        inner = (..., slice(down, height - down), slice(across, width - across))
        painted = torch.full_like(image, self.value)
        painted[inner] = image[inner]
        return painted
