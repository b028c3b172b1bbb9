"""Collage: the picture as a part of a larger one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor

from attacks.base import Attack, integer, register, uniform
from attacks.limits import PositiveShare, Seed, Share
from attacks.seeded import draw_each
from attacks.sizes import check_size
from attacks.warp import translation

_PATCHES = 6


@register(
    "collage",
    family="occlusion",
    unit="share of each side of the canvas, 1 is the identity",
    gradient="exact",
    resizes=True,
)
@dataclass(frozen=True)
class Collage(Attack):
    """Put the picture on a canvas of which it takes ``scale`` of each side, at ``x``, ``y``.

    The picture keeps its pixels: the canvas is larger. It is filled with smooth random colours (6 x 6 uniform draws,
    bilinear between them); image b of a batch uses ``seed + b``. ``x`` and ``y`` are 0 at the left or top, 1 at the
    right or bottom.
    """

    scale: PositiveShare = 1.0
    x: Share = 0.5
    y: Share = 0.5
    seed: Seed = 0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(
            scale=uniform(generator, 1 - 0.6 * level, 1.0),
            x=uniform(generator, 0.0, 1.0),
            y=uniform(generator, 0.0, 1.0),
            seed=integer(generator, 2**31),
        )

    def _place(self, height: int, width: int) -> tuple[int, int, int, int]:
        rows, columns = round(height / self.scale), round(width / self.scale)
        return round((rows - height) * self.y), round((columns - width) * self.x), rows, columns

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        height, width = image.shape[2:]
        top, left, rows, columns = self._place(height, width)
        check_size(rows, columns)
        colours = draw_each(
            image,
            self.seed,
            lambda item, generator: torch.rand((item.shape[0], _PATCHES, _PATCHES), generator=generator),
        )
        canvas = F.interpolate(colours, (rows, columns), mode="bilinear")
        canvas[:, :, top : top + height, left : left + width] = image
        return canvas

    def matrix(self, height: int, width: int) -> Tensor:  # noqa: D102
        top, left, _, _ = self._place(height, width)
        return translation(left, top)
