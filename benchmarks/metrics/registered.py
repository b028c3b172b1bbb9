"""What an attack costs the picture: attacked against marked, put back in place first where pixels moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attacks.warp import warp
from benchmarks.metrics.quality import Image, psnr

_LEAK = 1e-3  # share of a pixel's value that may come from outside of the picture


@dataclass(frozen=True, slots=True)
class Registered:
    """An attacked picture in the place of the marked one.

    Attributes:
        psnr: in dB over the pixels that both show whole, infinite if those are equal; ``None`` if there are none.
        shown: share of the marked pixels that the attacked picture still shows, 0 to 1.
    """

    psnr: float | None
    shown: float


def registered_psnr(marked: Image, attacked: Image, matrix: NDArray[np.float64]) -> Registered:
    """PSNR of an attacked picture against the marked one, at the size and in the place of the marked one.

    The attacked picture is resampled once (bicubic) under the attack's own matrix. Detail that the attack's resampling
    lost stays lost and counts, and so does the little that resampling back loses, so a rotation is never free.
    Whole-pixel moves (crop, flip, quarter turn, padding) are. A rim that interpolation mixes with what is outside is
    left out of the PSNR.

    Args:
        marked: RGB, uint8, shape (H, W, 3).
        attacked: RGB, uint8, shape (H', W', 3).
        matrix: ``attack.matrix(H, W)`` where there is one: from marked to attacked pixel coordinates, pixel centres at
            1/2, shape (3, 3).

    Example:
        >>> marked = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
        >>> registered_psnr(marked, marked[:, :2], np.eye(3))
        Registered(psnr=inf, shown=0.5)
    """
    height, width = marked.shape[:2]
    there = torch.from_numpy(matrix)
    back: Tensor = torch.linalg.inv(there)
    whole = torch.ones(1, 1, height, width, dtype=torch.float64)
    clean = _clean(_clean(whole, there, *attacked.shape[:2]), back, height, width)[0, 0].numpy() == 1
    shown = _shown(matrix, marked.shape[:2], attacked.shape[:2])
    if not clean.any():
        return Registered(None, shown)
    channels = torch.from_numpy(attacked.astype(np.float64)).permute(2, 0, 1)[None]  # (1, 3, H', W')
    restored = warp(channels, back, height, width, "bicubic")[0].permute(1, 2, 0).round().clamp(0, 255)
    pixels = restored.numpy().astype(np.uint8)
    return Registered(psnr(marked[clean][None], pixels[clean][None]), shown)


def _clean(mask: Tensor, matrix: Tensor, height: int, width: int) -> Tensor:
    """1 where bicubic interpolation under the matrix sees nothing but pixels of the mask, else 0; (1, 1, H', W')."""
    return ((warp(mask, matrix, height, width, "bicubic") - 1).abs() < _LEAK).double()


def _shown(matrix: NDArray[np.float64], size: tuple[int, ...], canvas: tuple[int, ...]) -> float:
    """Share of the pixels of a picture of that size whose centres the matrix sends onto the canvas, both (H, W)."""
    y, x = np.indices(size) + 0.5
    to_x, to_y, depth = np.einsum("ij,jhw->ihw", matrix, np.stack([x, y, np.ones(size)]))
    inside = (to_x > 0) & (to_x < canvas[1] * depth) & (to_y > 0) & (to_y < canvas[0] * depth)  # not behind: depth > 0
    return float(inside.mean())
