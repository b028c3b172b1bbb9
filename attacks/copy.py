"""Copy: a mark taken from one image and put on another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import torch
from torch import Tensor

from attacks.base import Attack, register, uniform
from attacks.knowledge import NOTHING, InformedAttack, Knowledge
from attacks.limits import NonNegative
from attacks.non_local_means import NonLocalMeans
from attacks.residuals import add_residual, residuals


@register(
    "copy",
    family="forgery",
    unit="factor of the residual that is added, 0 is the identity",
    gradient="exact",
    needs=("marked",),
)
@dataclass(frozen=True)
class Copy(InformedAttack):
    """Add ``gain`` times the residual of one marked image.

    The residual is what ``denoiser`` takes from the first image of ``Knowledge.marked``, or the true one where the
    enemy has the host (Kutter, Voloshynovskiy and Herrigel, "The watermark copy attack", SPIE 3971, 2000).
    """

    gain: NonNegative = 1.0
    denoiser: Attack = field(default=NonLocalMeans())

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(uniform(generator, 0.0, 2 * level))

    def apply(self, image: Tensor, knowledge: Knowledge = NOTHING) -> Tensor:  # noqa: D102
        return add_residual(image, residuals(knowledge, 1, self.denoiser), self.gain)
