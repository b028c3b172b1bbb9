"""Overwriting with a mark of another key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from attacks.base import register, uniform
from attacks.knowledge import NOTHING, InformedAttack, Knowledge, given
from attacks.limits import NonNegative


@register(
    "overwrite",
    family="forgery",
    unit="factor of the second mark's residual, 0 is the identity, 1 the mark as its embedder makes it",
    gradient="none",
    needs=("embed",),
)
@dataclass(frozen=True)
class Overwrite(InformedAttack):
    """Mark the image once more, with the enemy's key; ``gain`` makes the second mark louder or quieter.

    Example:
        >>> knowledge = Knowledge(embed=lambda image: image + 0.1)
        >>> round(float(Overwrite(gain=2.0).apply(torch.full((1, 1, 1, 1), 0.5), knowledge)), 3)
        0.7
    """

    gain: NonNegative = 1.0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(uniform(generator, 0.0, 2 * level))

    def apply(self, image: Tensor, knowledge: Knowledge = NOTHING) -> Tensor:  # noqa: D102
        host = image.detach()
        return torch.lerp(host, given(knowledge.embed, "embed")(host), self.gain).clamp(0, 1)
