"""Wavelet shrinkage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from skimage.restoration import denoise_wavelet
from torch import Tensor

from attacks.arrays import each_array
from attacks.base import Attack, register, uniform
from attacks.limits import NonNegative


@register(
    "wavelet_denoise",
    family="removal",
    unit="standard deviation of the noise looked for, values in [0, 1], 0 is the identity",
    gradient="none",
)
@dataclass(frozen=True)
class WaveletDenoise(Attack):
    """Soft thresholds in the bands of a sym4 transform, by scikit-image.

    BayesShrink chooses the threshold of each band from ``sigma`` (Chang, Yu and Vetterli, IEEE Trans. Image Processing
    9, 2000). It needs PyWavelets, which the toolkit does not install; without it, ``apply`` raises ``ImportError``.
    """

    sigma: NonNegative = 0.02

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(uniform(generator, 0.0, 0.06 * level))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        if self.sigma == 0.0:
            return image.detach()
        try:
            return each_array(
                image, lambda array: denoise_wavelet(array, sigma=self.sigma, wavelet="sym4", channel_axis=-1)
            )
        except ImportError as error:
            raise ImportError("wavelet_denoise needs PyWavelets; pip install 'watermark-toolkit[wavelets]'") from error
