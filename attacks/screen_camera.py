"""Screen and camera: a screen photographed with a telephone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch

from attacks.base import integer, log_uniform, register, uniform
from attacks.chain import Chain, Pipeline
from attacks.codecs import RealJpeg
from attacks.gaussian_blur import GaussianBlur
from attacks.gaussian_noise import GaussianNoise
from attacks.limits import NonNegative, Quality, Seed, Share
from attacks.moire import Moire
from attacks.perspective import Perspective
from attacks.white_balance import WhiteBalance

_HELD_BY_HAND = Perspective((0.04, 0.02), (-0.02, 0.04), (-0.03, -0.02), (0.02, -0.03))


@register(
    "screen_camera",
    family="pipeline",
    unit="corners, pixels, share of moiré, factors of red and blue, standard deviation, JPEG quality",
    gradient="none",
)
@dataclass(frozen=True)
class ScreenCamera(Pipeline):
    """See at an angle, blur by ``blur`` pixels, mix in ``moire``, mistake the light, add ``noise``, code as real JPEG.

    ``red`` and ``blue`` are the factors of the white balance. The steps are those of StegaStamp (Tancik, Mildenhall
    and Ng, CVPR 2020), with the moiré of PIMoG (Fang et al., ACM MM 2022); around the screen is black. Image b of a
    batch uses ``seed + b``.
    """

    perspective: Perspective = _HELD_BY_HAND
    blur: NonNegative = 0.8
    moire: Share = 0.1
    red: NonNegative = 0.93
    blue: NonNegative = 1.08
    noise: NonNegative = 0.015
    jpeg_quality: Quality = 80
    seed: Seed = 0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(
            perspective=Perspective.of_distortion(0.2 * level, generator),
            blur=uniform(generator, 0.0, 1.5 * level),
            moire=uniform(generator, 0.0, 0.15 * level),
            red=log_uniform(generator, 0.85**level, 1.18**level),
            blue=log_uniform(generator, 0.85**level, 1.18**level),
            noise=uniform(generator, 0.0, 0.02 * level),
            jpeg_quality=int(uniform(generator, 95 - 45 * level, 96)),
            seed=integer(generator, 2**31),
        )

    def chain(self) -> Chain:  # noqa: D102
        return Chain(
            (
                self.perspective,
                GaussianBlur(self.blur),
                Moire(self.moire, self.seed),
                WhiteBalance(self.red, self.blue),
                GaussianNoise(self.noise, self.seed),
                RealJpeg(self.jpeg_quality),
            )
        )
