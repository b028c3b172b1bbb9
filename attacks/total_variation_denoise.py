"""Total variation denoising."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from skimage.restoration import denoise_tv_chambolle
from torch import Tensor

from attacks.arrays import each_array
from attacks.base import Attack, register, uniform
from attacks.limits import NonNegative


@register(
    "total_variation_denoise",
    family="removal",
    unit="weight of the total variation for values in [0, 1], 0 is the identity",
    gradient="none",
)
@dataclass(frozen=True)
class TotalVariationDenoise(Attack):
    """The nearest image of little total variation, by scikit-image (Chambolle, J. Math. Imaging Vis. 20, 2004)."""

    weight: NonNegative = 0.05

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(uniform(generator, 0.0, 0.15 * level))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        if self.weight == 0.0:
            return image.detach()
        return each_array(image, lambda array: denoise_tv_chambolle(array, weight=self.weight, channel_axis=-1))
