"""Building blocks shared by the networks."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

UNSHUFFLE = 4  # the networks compute at a quarter of the working size
HOST_CHANNELS = UNSHUFFLE**2 + 1
_NOISE_FLOOR = 1.5 / 255  # contrast under which a region counts as flat


def host_features(luma: Tensor) -> Tensor:
    """Luma made invariant to local brightness and contrast, pixel-unshuffled.

    Args:
        luma: working-size luma in [0, 1], shape (B, 1, H, W) with H and W multiples of 4.

    Returns:
        Tensor of shape (B, 17, H / 4, W / 4): 16 channels of locally normalised luma, one of log contrast.
    """
    pixels = F.pixel_unshuffle(luma, UNSHUFFLE)  # (B, 16, H/4, W/4)
    mean = _box(pixels.mean(1, keepdim=True))
    power = _box(pixels.square().mean(1, keepdim=True))
    deviation = ((power - mean.square()).clamp_min(0) + _NOISE_FLOOR**2).sqrt()
    return torch.cat([(pixels - mean) / deviation, torch.log(deviation / _NOISE_FLOOR)], dim=1)


def _box(cells: Tensor) -> Tensor:
    """Mean over 3 x 3 cells, that is 12 x 12 pixels; the borders average over what there is."""
    return F.avg_pool2d(cells, 3, stride=1, padding=1, count_include_pad=False)


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions around the identity; the second starts at zero.

    Args:
        channels: width of input and output.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        for parameter in self.second.parameters():
            nn.init.zeros_(parameter)

    def forward(self, features: Tensor) -> Tensor:  # noqa: D102
        change: Tensor = self.second(F.relu(self.first(F.relu(features))))
        return features + change
