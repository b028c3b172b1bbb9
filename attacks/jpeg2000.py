"""JPEG 2000: a wavelet codec with a stated size of file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Self

import torch
from torch import Tensor

from attacks.base import Attack, log_uniform, register
from attacks.codecs import code, through_pillow
from attacks.limits import Limits


@register("jpeg2000", family="codec", unit="compression ratio, 1 is the mildest", gradient="none")
@dataclass(frozen=True)
class Jpeg2000(Attack):
    """JPEG 2000 of OpenJPEG with the irreversible 9/7 wavelet (ITU-T T.800); luma images are coded as greyscale.

    A file takes 1 / ``ratio`` of the 8-bit samples' size, headers included; at 1 only the transform rounds.
    """

    ratio: Annotated[float, Limits(1)] = 20.0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(log_uniform(generator, 1.0, 60.0**level))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        options = {"quality_mode": "rates", "quality_layers": [self.ratio], "irreversible": True}
        return through_pillow(image, lambda picture: code(picture, "JPEG2000", **options))
