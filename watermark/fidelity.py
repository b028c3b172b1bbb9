"""How close a marked picture is to its host: PSNR and SSIM, as embedding reports them."""

from __future__ import annotations

import numpy as np
from skimage.metrics import structural_similarity

from watermark.working import Pixels, reduced_luma

_LARGEST_SIDE = 512  # short side in pixels at which structures are compared


def psnr(host: Pixels, marked: Pixels) -> float:
    """PSNR in dB over all colour channels, without alpha; infinite if nothing changed."""
    white = np.iinfo(host.dtype).max
    channels = slice(None) if host.ndim == 2 else slice(0, 3)
    total, count = 0.0, 0
    for before, after in zip(
        *(np.array_split(image, max(1, image.size >> 22)) for image in (host, marked)), strict=True
    ):
        difference = before[..., channels].astype(np.float32) - after[..., channels].astype(np.float32)
        total += float(np.square(difference).sum(dtype=np.float64))
        count += difference.size
    return float("inf") if total == 0 else float(10 * np.log10(white**2 * count / total))


def ssim(host: Pixels, marked: Pixels) -> float:
    """Structural similarity of luma (Wang et al. 2004) at a short side of 512 pixels, or its own if smaller."""
    side = min(_LARGEST_SIDE, *host.shape[:2])
    before, after = (reduced_luma(image, side) for image in (host, marked))
    return float(structural_similarity(before, after, data_range=1.0))
