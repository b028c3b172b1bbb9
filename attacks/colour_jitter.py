"""Colour jitter: brightness, contrast, saturation and hue in one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch

from attacks.base import log_uniform, register, uniform
from attacks.brightness import Brightness
from attacks.chain import Chain, Pipeline
from attacks.contrast import Contrast
from attacks.hue import Hue, Turn
from attacks.limits import NonNegative
from attacks.saturation import Saturation


@register(
    "colour_jitter",
    family="valuemetric",
    unit="factor, factor, factor, turn; (1, 1, 1, 0) is the identity",
    gradient="exact",
)
@dataclass(frozen=True)
class ColourJitter(Pipeline):
    """Change brightness, contrast and saturation by factors and the hue by a share of the circle, in this order.

    Each step clips.
    """

    brightness: NonNegative = 1.0
    contrast: NonNegative = 1.0
    saturation: NonNegative = 1.0
    hue: Turn = 0.0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(
            brightness=log_uniform(generator, 0.6**level, 1.5**level),
            contrast=log_uniform(generator, 0.6**level, 1.5**level),
            saturation=log_uniform(generator, 0.6**level, 1.5**level),
            hue=uniform(generator, -0.1 * level, 0.1 * level),
        )

    def chain(self) -> Chain:  # noqa: D102
        return Chain((Brightness(self.brightness), Contrast(self.contrast), Saturation(self.saturation), Hue(self.hue)))
