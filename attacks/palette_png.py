"""Palette PNG: few colours, as in an indexed PNG or a GIF."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Self

import torch
from PIL import Image
from torch import Tensor

from attacks.base import Attack, log_uniform, register
from attacks.codecs import through_pillow
from attacks.limits import Limits


@register("palette_png", family="codec", unit="colours, 256 is the mildest", gradient="none")
@dataclass(frozen=True)
class PalettePng(Attack):
    """Keep 2 to 256 ``colours`` of Pillow's median cut (Heckbert 1982), Floyd and Steinberg's dither or none.

    PNG itself loses nothing, so no file is written.
    """

    colours: Annotated[int, Limits(2, 256)] = 256
    dither: bool = True

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        dither = bool(torch.rand((), generator=generator) < 0.5)
        return cls(round(log_uniform(generator, 256 * 0.03**level, 256)), dither)

    def _quantise(self, picture: Image.Image) -> Image.Image:
        coloured = picture.convert("RGB")
        few = coloured.quantize(self.colours, Image.Quantize.MEDIANCUT)
        return coloured.quantize(palette=few, dither=Image.Dither.FLOYDSTEINBERG) if self.dither else few

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        return through_pillow(image, self._quantise)
