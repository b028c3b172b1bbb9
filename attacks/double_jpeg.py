"""Double JPEG: a JPEG file cut and saved again, its blocks no longer where they were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Self

import torch
from torch import Tensor

from attacks.base import Attack, integer, register, uniform
from attacks.codecs import RealJpeg
from attacks.limits import Limits, Quality
from attacks.warp import translation


@register("double_jpeg", family="pipeline", unit="qualities 1 to 100, pixels", gradient="none", resizes=True)
@dataclass(frozen=True)
class DoubleJpeg(Attack):
    """Real JPEG at quality ``first``, ``shift`` rows and columns off the top left, real JPEG at quality ``second``.

    A ``shift`` of 0 to 7 tells the second grid of 8 x 8 blocks from the first; the sides must exceed it.
    """

    first: Quality = 75
    second: Quality = 75
    shift: Annotated[int, Limits(0)] = 0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        first, second = (int(uniform(generator, 98 - 70 * level, 99)) for _ in range(2))
        return cls(first, second, integer(generator, round(7 * level) + 1))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        once = RealJpeg(self.first).apply(image)
        return RealJpeg(self.second).apply(once[:, :, self.shift :, self.shift :])

    def matrix(self, height: int, width: int) -> Tensor:  # noqa: D102
        return translation(-self.shift, -self.shift)
