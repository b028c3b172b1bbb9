"""Print and scan: the picture on paper and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch

from attacks.affine import Affine
from attacks.base import integer, log_uniform, register, uniform
from attacks.chain import Chain, Pipeline
from attacks.codecs import RealJpeg
from attacks.contrast import Contrast
from attacks.gamma import Gamma
from attacks.gaussian_blur import GaussianBlur
from attacks.gaussian_noise import GaussianNoise
from attacks.limits import NonNegative, Positive, Quality, Seed


@register(
    "print_scan",
    family="pipeline",
    unit="degrees, factor of both sides, exponent, factor, pixels, standard deviation, JPEG quality",
    gradient="none",
)
@dataclass(frozen=True)
class PrintScan(Pipeline):
    """Print: tone curve ``gamma`` and ink that spreads by ``blur`` pixels; scan: a page laid a little askew.

    The scan turns by ``degrees``, magnifies by ``scale``, keeps ``contrast`` and adds ``noise``; around the picture
    is white paper. It is coded as real JPEG. Image b of a batch uses ``seed + b``.
    """

    degrees: float = 0.5
    scale: Positive = 0.98
    gamma: Positive = 1.15
    blur: NonNegative = 0.8
    contrast: NonNegative = 0.85
    noise: NonNegative = 0.015
    jpeg_quality: Quality = 85
    seed: Seed = 0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(
            degrees=uniform(generator, -2 * level, 2 * level),
            scale=log_uniform(generator, 0.94**level, 1.03**level),
            gamma=log_uniform(generator, 0.8**level, 1.3**level),
            blur=uniform(generator, 0.0, 1.5 * level),
            contrast=log_uniform(generator, 0.7**level, 1.1**level),
            noise=uniform(generator, 0.0, 0.03 * level),
            jpeg_quality=int(uniform(generator, 95 - 25 * level, 96)),
            seed=integer(generator, 2**31),
        )

    def chain(self) -> Chain:  # noqa: D102
        return Chain(
            (
                Gamma(self.gamma),
                GaussianBlur(self.blur),
                Affine(self.degrees, self.scale, value=1.0),
                Contrast(self.contrast),
                GaussianNoise(self.noise, self.seed),
                RealJpeg(self.jpeg_quality),
            )
        )
