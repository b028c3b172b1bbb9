"""Social network: a picture posted and downloaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch

from attacks.base import log_uniform, register, uniform
from attacks.chain import Chain, Pipeline
from attacks.codecs import RealJpeg
from attacks.jpeg import Subsampling
from attacks.limits import Count, Quality
from attacks.long_side_cap import LongSideCap
from attacks.sharpen import Amount, Sharpen


@register(
    "social",
    family="pipeline",
    unit="pixels of the long side at most, JPEG quality, share of the detail added",
    gradient="none",
    resizes=True,
)
@dataclass(frozen=True)
class Social(Pipeline):
    """Shrink to a long side of ``long_side``, sharpen by ``sharpen``, code as real JPEG.

    The defaults are like those of a large network; none publishes its own.
    """

    long_side: Count = 2048
    jpeg_quality: Quality = 80
    subsampling: Subsampling = "4:2:0"
    sharpen: Amount = 0.25

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(
            long_side=round(log_uniform(generator, 4096 / 4**level, 4096)),
            jpeg_quality=int(uniform(generator, 95 - 25 * level, 96)),
            sharpen=uniform(generator, 0.0, 0.5 * level),
        )

    def chain(self) -> Chain:  # noqa: D102
        return Chain(
            (LongSideCap(self.long_side), Sharpen(self.sharpen), RealJpeg(self.jpeg_quality, self.subsampling))
        )
