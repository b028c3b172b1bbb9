"""The generator: where and how this host hides the pattern.

::

    luma ── host_features (17) ─┐
                                ├─ conv 33>32 ─┬───────────────────────── + ─ conv 32>32 ─┬─ modulation (16) ─ shuffle
    pattern ── unshuffle (16) ──┘              └ conv /2 ─ residual block ─ conv ─ x2 ──┘ └─ correction (16) ─ shuffle

    shape = pattern x (1 + .9 tanh modulation) + correction
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from watermark.nets.layers import HOST_CHANNELS, UNSHUFFLE, ResidualBlock, host_features


class Generator(nn.Module):
    """Fully convolutional shaping of the pattern; with fresh weights it is the identity.

    Args:
        channels: width of the network.
    """

    def __init__(self, channels: int = 32) -> None:
        super().__init__()
        pixels = UNSHUFFLE**2
        self.stem = nn.Conv2d(HOST_CHANNELS + pixels, channels, 3, padding=1)
        self.down = nn.Conv2d(channels, channels, 3, stride=2, padding=1)
        self.block = ResidualBlock(channels)
        self.up = nn.Conv2d(channels, channels, 3, padding=1)
        self.head = nn.Conv2d(channels, 2 * pixels, 3, padding=1)
        for parameter in self.head.parameters():
            nn.init.zeros_(parameter)

    def forward(self, luma: Tensor, pattern: Tensor) -> Tensor:
        """Shape the pattern to the host.

        Args:
            luma: working-size luma in [0, 1], shape (B, 1, H, W), H and W multiples of 8.
            pattern: tiled pattern of unit mean square, same shape.

        Returns:
            Residual before visibility map and strength, same shape.
        """
        features = torch.cat([host_features(luma), F.pixel_unshuffle(pattern, UNSHUFFLE)], dim=1)
        features = features.contiguous(memory_format=torch.channels_last)
        top = F.relu(self.stem(features))  # (B, c, H/4, W/4)
        low = self.block(self.down(top))  # (B, c, H/8, W/8)
        top = top + F.interpolate(self.up(F.relu(low)), scale_factor=2.0, mode="nearest")
        modulation, correction = self.head(F.relu(top)).float().chunk(2, dim=1)
        modulation = 0.9 * torch.tanh(F.pixel_shuffle(modulation, UNSHUFFLE))
        return pattern * (1 + modulation) + F.pixel_shuffle(correction, UNSHUFFLE)
