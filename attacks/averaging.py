"""Averaging: what many marked images share is the mark."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import torch
from torch import Tensor

from attacks.base import Attack, integer, register, uniform
from attacks.knowledge import NOTHING, InformedAttack, Knowledge
from attacks.limits import Count, NonNegative
from attacks.non_local_means import NonLocalMeans
from attacks.residuals import add_residual, residuals


@register(
    "averaging",
    family="removal",
    unit="factor of the mean residual that is subtracted, 0 is the identity; number of marked images",
    gradient="exact",
    needs=("marked",),
)
@dataclass(frozen=True)
class Averaging(InformedAttack):
    """Subtract ``gain`` times the mean residual of ``count`` other marked images.

    Residuals are what ``denoiser`` takes from the marked images, or the true ones where the enemy has the hosts.
    The pictures average out as 1 / count of their energy, the mark, if it is the same in all, stays (Voloshynovskiy
    et al., "Attacks on digital watermarks", IEEE Communications Magazine 2001). A denoiser takes only a part of
    the mark: ``gain`` over 1 makes up for that.
    """

    count: Count = 8
    gain: NonNegative = 1.0
    denoiser: Attack = field(default=NonLocalMeans())

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(2 + integer(generator, 7), uniform(generator, 0.0, 4 * level))

    def apply(self, image: Tensor, knowledge: Knowledge = NOTHING) -> Tensor:  # noqa: D102
        common = residuals(knowledge, self.count, self.denoiser).mean(0, keepdim=True)
        return add_residual(image, common, -self.gain)
