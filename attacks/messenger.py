"""Messenger: a picture sent from phone to phone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Self

import torch

from attacks.base import log_uniform, register, uniform
from attacks.chain import Chain, Pipeline
from attacks.codecs import RealJpeg
from attacks.limits import Count, Limits, Quality
from attacks.long_side_cap import LongSideCap


@register(
    "messenger",
    family="pipeline",
    unit="pixels of the long side at most, JPEG quality, times sent",
    gradient="none",
    resizes=True,
)
@dataclass(frozen=True)
class Messenger(Pipeline):
    """Shrink to a long side of ``long_side`` and code as real JPEG (4:2:0), each of the ``times`` that it is sent."""

    long_side: Count = 1600
    jpeg_quality: Quality = 70
    times: Annotated[int, Limits(1, 100)] = 1

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(
            long_side=round(log_uniform(generator, 4096 / 5**level, 4096)),
            jpeg_quality=int(uniform(generator, 95 - 40 * level, 96)),
            times=int(uniform(generator, 1, 2 + 2 * level)),
        )

    def chain(self) -> Chain:  # noqa: D102
        return Chain((LongSideCap(self.long_side), RealJpeg(self.jpeg_quality)) * self.times)
