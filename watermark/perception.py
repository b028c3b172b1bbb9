"""How visible a residual is: a model of ColorVideoVDP's luminance channel, differentiable and cheap.

ColorVideoVDP (Mantiuk et al. 2024) compares two pictures in a contrast pyramid, weighted by the eye's contrast
sensitivity and divided by masking. This keeps its luminance path at the working size, for a picture shown pixel for
pixel on its display ``standard_fhd`` (200 cd / m^2, 37.85 pixels per degree); finer detail is not in the residual.
Over 36 known changes its loss correlates with the measured one at .92 in the logarithm, at .98 over the 24 that are as
fine as a mark (tests/test_perception.py).
"""

from __future__ import annotations

import torch
from torch import Tensor

from watermark.visibility import gaussian_blur
from watermark.working import WORKING_SIZE

_PIXELS_PER_DEGREE = 37.85
_PEAK_LUMINANCE, _BLACK_LUMINANCE = 199.8, 0.6  # cd / m^2: the display, and the room reflected on it
_GAMMA = 2.2
_BANDS = 5
_PYRAMID_BLUR = 1.05  # pixels
_CENTRE = 0.3228  # centre of the finest band in cycles per pixel
_SENSITIVITY = 0.968
_TRANSDUCER, _MASKING = 2.264, 1.3026  # exponents of contrast differences and of what masks them
_MASK_GAIN, _MASK_WEIGHT, _MASK_BLUR = 10**-0.7955, 1.2, 3.0
_TO_LOSS, _LOSS_EXPONENT = 0.0393, 0.698  # from pooled differences to JOD, fitted to shaped marks


def quality_loss(luma: Tensor, residual: Tensor, short_side: int) -> Tensor:
    """How much a residual costs, in just-objectionable differences: 10 minus the JOD score that is to be expected.

    Args:
        luma: working-size luma of the host in [0, 1], shape (B, 1, H, W).
        residual: what embedding adds to it, same shape.
        short_side: of the full picture in pixels; the larger, the finer the mark looks.

    Returns:
        Shape (B,); about .2 for a mark that nobody minds, 1 where three of four people prefer the host.
    """
    density = _PIXELS_PER_DEGREE * WORKING_SIZE / short_side
    host, marked = _luminance(luma), _luminance(luma + residual)
    total = luma.new_zeros(luma.shape[0])
    for band in range(_BANDS):
        host_low, marked_low = gaussian_blur(host, _PYRAMID_BLUR), gaussian_blur(marked, _PYRAMID_BLUR)
        sensitivity = 2 * _contrast_sensitivity(_CENTRE * density / 2**band, host_low)
        seen_host = (host - host_low) / host_low * sensitivity
        seen_marked = (marked - marked_low) / marked_low * sensitivity
        mask = _MASK_GAIN * gaussian_blur(torch.minimum(seen_host.abs(), seen_marked.abs()), _MASK_BLUR)
        masked = 1 + _MASK_WEIGHT * mask.clamp_min(1e-9).pow(_MASKING)
        difference = (seen_marked - seen_host).abs().clamp_min(1e-9).pow(_TRANSDUCER) / masked
        total = total + difference.square().mean((1, 2, 3)).square()  # root mean square, then fourth powers
        host, marked = host_low[:, :, ::2, ::2], marked_low[:, :, ::2, ::2]
    return _TO_LOSS * (total + 1e-20).pow(_LOSS_EXPONENT / 4)


def _luminance(luma: Tensor) -> Tensor:
    """Luma in [0, 1] as the display shows it, in cd / m^2."""
    return _PEAK_LUMINANCE * luma.clamp(0, 1).pow(_GAMMA) + _BLACK_LUMINANCE


def _contrast_sensitivity(frequency: float, luminance: Tensor) -> Tensor:
    """Sensitivity at ``frequency`` cycles per degree: log-Gaussian, its peak and height rising with the luminance."""
    height = 380 / (1 + (6 / luminance).pow(0.6))
    octaves = torch.log2(frequency / (2.75 * (luminance / 8.9).pow(0.13)))
    variance = torch.where(octaves < 0, 2.5, 1.45)
    return _SENSITIVITY * height * torch.exp(-octaves.square() / (2 * variance))
