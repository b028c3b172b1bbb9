"""Stand-in for torchvision in the environment of ``benchmarks/jod.py``. This is not torchvision.

ColorVideoVDP needs two names of torchvision: ``transforms.GaussianBlur``, which its image metric calls, and
``ops.MLP``, which only its experimental machine-learned variants call. The first is written anew below with
torchvision's semantics, the second refuses to work. ``jod_environment.sh`` copies this file into that
environment as the package ``torchvision``, and only where the real one cannot be imported.

Checked in ``tests/benchmarks/test_jod.py``: equal to OpenCV's ``GaussianBlur`` with ``BORDER_REFLECT_101`` at the
same size and standard deviation to 1e-6 on values in [0, 1], for the sizes that ColorVideoVDP uses and for others.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class GaussianBlur(nn.Module):
    """Blur with a normalised Gaussian sampled at whole offsets, borders reflected without repeating the edge.

    Args:
        kernel_size: number of taps across and down, odd.
        sigma: standard deviation in pixels.
    """

    def __init__(self, kernel_size: int, sigma: float) -> None:
        super().__init__()
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"kernel_size is {kernel_size}; it must be odd and positive")
        if sigma <= 0:
            raise ValueError(f"sigma is {sigma}; it must be positive")
        self.radius = kernel_size // 2
        self.sigma = float(sigma)

    def forward(self, image: Tensor) -> Tensor:
        """Blur the last two axes.

        Args:
            image: float, shape (C, H, W) or (B, C, H, W), H and W above half the kernel size.
        """
        offsets = torch.arange(-self.radius, self.radius + 1, dtype=image.dtype, device=image.device)
        taps = torch.exp(-0.5 * (offsets / self.sigma) ** 2)
        taps = taps / taps.sum()
        planes = image.reshape(-1, 1, *image.shape[-2:])
        planes = F.pad(planes, (self.radius,) * 4, mode="reflect")
        planes = F.conv2d(F.conv2d(planes, taps[None, None, None]), taps[None, None, :, None])
        return planes.reshape(image.shape)


class MLP(nn.Module):
    """Named, since ColorVideoVDP imports it; not made."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        raise RuntimeError(
            "this torchvision is the stand-in of benchmarks/jod_torchvision.py and has no MLP; "
            "install the real torchvision to use ColorVideoVDP's machine-learned variants"
        )
