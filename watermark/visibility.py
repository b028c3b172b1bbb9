"""What the eye forgives: where a residual may go. How visible a given one is: :mod:`watermark.perception`.

Everything here works on the working-size luma (short side 256), float in [0, 1]. The map measures
activity *after* a band-pass, because a soft gradient is not texture.
"""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

_FLOOR = 0.003  # residual allowed in a flat region, in units of luma times strength
_LONGEST_PRODUCT = 1024  # samples; longer lines are convolved, whose matrices would take more memory than the picture


def _kernel(length: int, sigma: float) -> Tensor:
    """Gaussian weights, at most one reflection long, shape (1, 1, 2 r + 1)."""
    radius = min(max(1, round(3 * sigma)), length - 1)
    axis = torch.arange(-radius, radius + 1, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (axis / sigma) ** 2)
    return (kernel / kernel.sum()).view(1, 1, -1)


@lru_cache(maxsize=16)
def _blur_matrix(length: int, sigma: float) -> Tensor:
    """Matrix that blurs lines of ``length`` samples from the right, reflected at their ends, shape (length, length)."""
    # whoever fills the cache: training can use it, and it holds full precision
    with torch.inference_mode(False), torch.autocast("cpu", enabled=False):
        return _convolve(torch.eye(length), sigma)


def _convolve(lines: Tensor, sigma: float) -> Tensor:
    """Blur along the last dimension by convolution."""
    kernel = _kernel(lines.shape[-1], sigma).to(lines)
    radius = kernel.shape[-1] // 2
    padded = F.pad(lines.reshape(-1, 1, lines.shape[-1]), (radius, radius), mode="reflect")
    return F.conv1d(padded, kernel).reshape(lines.shape)


def _blur_lines(lines: Tensor, sigma: float) -> Tensor:
    """Blur along the last dimension."""
    length = lines.shape[-1]
    return lines @ _blur_matrix(length, sigma).to(lines) if length <= _LONGEST_PRODUCT else _convolve(lines, sigma)


def gaussian_blur(image: Tensor, sigma: float) -> Tensor:
    """Gaussian blur with reflected borders, never in reduced precision.

    Two matrix products: on the CPU, torch convolves single channels 10 times slower.

    Args:
        image: float, shape (B, C, H, W).
        sigma: standard deviation in pixels.

    Returns:
        Tensor of the same shape.
    """
    with torch.autocast(image.device.type, enabled=False):
        return _blur_lines(_blur_lines(image, sigma).mT, sigma).mT.contiguous()


def visibility_map(luma: Tensor) -> Tensor:
    """Residual that looks alike everywhere, up to one factor: a flat floor plus band-passed activity.

    Args:
        luma: working-size luma in [0, 1], shape (B, 1, H, W).

    Returns:
        Positive tensor of the same shape, in units of luma.
    """
    band = gaussian_blur(luma, 0.7) - gaussian_blur(luma, 2.0)
    return _FLOOR + gaussian_blur(band.square(), 3.0).clamp_min(1e-12).sqrt()
