"""Differentiable JPEG: the quantisation of ITU-T T.81 with libjpeg's tables, without the entropy coder."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal, Self

import torch
import torch.nn.functional as F
from kornia.color import rgb_to_ycbcr, ycbcr_to_rgb
from torch import Tensor

from attacks.base import Attack, register, uniform
from attacks.limits import Limits, Quality
from attacks.rounding import round_straight_through

Rounding = Literal["straight-through", "smooth"]
Subsampling = Literal["4:4:4", "4:2:2", "4:2:0"]
Table = tuple[int, ...]
_POOL: dict[Subsampling, tuple[int, int]] = {"4:4:4": (1, 1), "4:2:2": (1, 2), "4:2:0": (2, 2)}
# ITU-T T.81, Annex K, tables K.1 (luminance) and K.2 (chrominance), row by row
_LUMINANCE = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
_CHROMINANCE = (
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99, *((99,) * 32),
)  # fmt: skip


def quantisation_tables(quality: int) -> tuple[Tensor, Tensor]:
    """Luminance and chrominance tables of libjpeg (and so of Pillow and OpenCV) at ``quality`` 1 to 100.

    Returns:
        Two float tensors of shape (8, 8), whole numbers from 1 to 255.

    Example:
        >>> quantisation_tables(50)[0][0, :3].tolist()
        [16.0, 11.0, 10.0]
    """
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    luminance, chrominance = (
        ((torch.tensor(table, dtype=torch.float32) * scale + 50) / 100).floor().clamp(1, 255).reshape(8, 8)
        for table in (_LUMINANCE, _CHROMINANCE)
    )
    return luminance, chrominance


@lru_cache(maxsize=1)
def _cosines() -> Tensor:
    """Orthonormal 8-point DCT-II, shape (8 frequencies, 8 samples)."""
    with torch.inference_mode(False):  # whoever fills the cache, gradients can pass
        k, n = torch.arange(8.0)[:, None], torch.arange(8.0)[None]
        rows = torch.cos(math.pi * (n + 0.5) * k / 8) / 2
        rows[0] /= math.sqrt(2)
    return rows


def _round(values: Tensor, rounding: Rounding) -> Tensor:
    if rounding == "straight-through":
        return round_straight_through(values)
    nearest = torch.round(values).detach()
    return nearest + (values - nearest) ** 3  # Shin and Song 2017


def _code_plane(plane: Tensor, table: Tensor, rounding: Rounding) -> Tensor:
    """Quantise a plane of 0 .. 255 of shape (B, 1, H, W), any H and W."""
    height, width = plane.shape[2:]
    padded = F.pad(plane - 128, (0, -width % 8, 0, -height % 8), mode="replicate")
    blocks = padded.unflatten(3, (-1, 8)).unflatten(2, (-1, 8)).transpose(3, 4)  # (B, 1, h, w, 8, 8)
    cosines = _cosines().to(plane)
    table = table.to(plane)
    quantised = _round(cosines @ blocks @ cosines.T / table, rounding) * table
    decoded = (cosines.T @ quantised @ cosines).transpose(3, 4).flatten(2, 3).flatten(3, 4)
    return decoded[:, :, :height, :width] + 128


@register("jpeg", family="codec", unit="quality 1 to 100", gradient="straight-through")
@dataclass(frozen=True)
class Jpeg(Attack):
    """JPEG at a libjpeg ``quality``; luma images are coded as greyscale JPEG.

    ``tables``, the steps for luminance and chrominance, 64 of 1 to 255 each, row by row, replace those of ``quality``,
    as for encoders with tables of their own. ``rounding`` passes gradients straight through, or is the smooth cubic
    of Shin and Song 2017, which leaves part of what a coefficient is off its step.
    """

    quality: Quality = 50
    subsampling: Subsampling = "4:2:0"
    rounding: Rounding = "straight-through"
    tables: Annotated[tuple[Table, Table] | None, Limits(1, 255)] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for table in self.tables or ():
            if len(table) != 64:
                raise ValueError(f"tables must have 64 steps each, but one has {len(table)}")

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(int(uniform(generator, 98 - 70 * level, 99)))

    def _tables(self) -> tuple[Tensor, Tensor]:
        if self.tables is None:
            return quantisation_tables(self.quality)
        luminance, chrominance = (torch.tensor(table, dtype=torch.float32).reshape(8, 8) for table in self.tables)
        return luminance, chrominance

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        luminance, chrominance = self._tables()
        if image.shape[1] == 1:
            return (_code_plane(image * 255, luminance, self.rounding) / 255).clamp(0, 1)
        luma, *colour = (rgb_to_ycbcr(image) * 255).split(1, dim=1)
        luma = _code_plane(luma, luminance, self.rounding)
        pool, size = _POOL[self.subsampling], luma.shape[2:]
        coded = [
            F.interpolate(
                _code_plane(F.avg_pool2d(plane + 0.5, pool, ceil_mode=True), chrominance, self.rounding),
                scale_factor=[float(factor) for factor in pool],
                mode="bilinear",
            )[:, :, : size[0], : size[1]]
            - 0.5  # grey is 127.5 in kornia's colour planes and 128 in JFIF's
            for plane in colour
        ]
        decoded: Tensor = ycbcr_to_rgb(torch.cat([luma, *coded], dim=1) / 255)
        return decoded.clamp(0, 1)
