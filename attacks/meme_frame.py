"""Meme frame: white bars with text above and below the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from attacks.base import Attack, integer, register, uniform
from attacks.limits import NonNegative
from attacks.overlay_text import OverlayText
from attacks.sizes import check_size
from attacks.warp import translation

_TEXTS = ("", "ONE DOES NOT SIMPLY", "WHEN IT WORKS", "NOBODY:", "SO TRUE")
_LETTERS = 0.5  # share of the bar's height


@register("meme_frame", family="pipeline", unit="share of height, 0 is the identity", gradient="exact", resizes=True)
@dataclass(frozen=True)
class MemeFrame(Attack):
    """Add white bars, each ``bar`` of the height, with the texts ``above`` and ``below`` in black, in the middle.

    An empty text leaves its bar blank.
    """

    bar: NonNegative = 0.15
    above: str = "WHEN IT WORKS"
    below: str = "SO TRUE"

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(uniform(generator, 0.0, 0.25 * level), *(_TEXTS[integer(generator, len(_TEXTS))] for _ in range(2)))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        batch, channels, height, width = image.shape
        rows = round(height * self.bar)
        if rows == 0:
            return image
        check_size(height + 2 * rows, width)
        black = image.new_zeros(batch, channels, rows, width)
        above, below = (1 - OverlayText(text, _LETTERS).apply(black) for text in (self.above, self.below))
        return torch.cat([above, image, below], dim=2)

    def matrix(self, height: int, width: int) -> Tensor:  # noqa: D102
        return translation(0, round(height * self.bar))
