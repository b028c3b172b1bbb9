"""Screenshot: a picture seen smaller on a screen, cut out a little carelessly and sent on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Self

import torch

from attacks.base import register, uniform
from attacks.chain import Chain, Pipeline
from attacks.codecs import RealJpeg
from attacks.crop import Crop
from attacks.limits import Limits, Positive, Quality, Share
from attacks.resize import Resize
from attacks.rounding import Rounding


@register(
    "screenshot",
    family="pipeline",
    unit="factor of both sides, share cut of each side, JPEG quality",
    gradient="none",
    resizes=True,
)
@dataclass(frozen=True)
class Screenshot(Pipeline):
    """Resize by ``scale``, cut ``crop`` of each side, round to 8 bits as PNG does, code as real JPEG.

    What is cut lies left and right in the ratio ``x`` to 1 - ``x``, above and below in the ratio ``y`` to 1 - ``y``.
    """

    scale: Positive = 0.6
    crop: Annotated[float, Limits(0, 1, below=True)] = 0.05
    jpeg_quality: Quality = 85
    x: Share = 0.5
    y: Share = 0.5

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(
            scale=uniform(generator, 1 - 0.5 * level, 1.0),
            crop=uniform(generator, 0.0, 0.1 * level),
            jpeg_quality=int(uniform(generator, 95 - 25 * level, 96)),
            x=uniform(generator, 0.0, 1.0),
            y=uniform(generator, 0.0, 1.0),
        )

    def chain(self) -> Chain:  # noqa: D102
        return Chain(
            (
                Resize(self.scale),
                Crop(1 - self.crop, self.x, self.y),
                Rounding(),
                RealJpeg(self.jpeg_quality),
            )
        )
