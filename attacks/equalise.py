"""Histogram equalisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from kornia.enhance import equalize
from torch import Tensor

from attacks.base import Attack, register, uniform
from attacks.limits import Share


@register("equalise", family="valuemetric", unit="share 0 to 1, 0 is the identity", gradient="exact")
@dataclass(frozen=True)
class Equalise(Attack):
    """Mix in ``share`` of the picture with levelled histograms, channel by channel, as PIL does.

    The levelled picture is a step function of 256 levels: the gradient is 1 - ``share``, none at a ``share`` of 1.
    """

    share: Share = 0.0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(uniform(generator, 0.0, level))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        if self.share == 0.0:
            return image
        return torch.lerp(image, equalize(image), self.share)
