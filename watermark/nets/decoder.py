"""The decoder network: a weak residual seen through host and attack.

::

    luma ── host_features (17) ── conv 17>c ── 3 residual blocks ── conv c>4 ── shuffle 2 ── residual estimate

Fully convolutional, computed once per image and before registration.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from watermark.nets.layers import HOST_CHANNELS, ResidualBlock, host_features


class Decoder(nn.Module):
    """Estimates the residual at half the working size, weighted by how far it can be trusted.

    Args:
        channels: width of the network.
        blocks: number of residual blocks.
    """

    def __init__(self, channels: int = 32, blocks: int = 3) -> None:
        super().__init__()
        self.stem = nn.Conv2d(HOST_CHANNELS, channels, 3, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(channels) for _ in range(blocks)))
        self.head = nn.Conv2d(channels, 4, 3, padding=1)

    def forward(self, luma: Tensor) -> Tensor:
        """Estimate the residual.

        Args:
            luma: working-size luma in [0, 1], shape (B, 1, H, W), H and W multiples of 4.

        Returns:
            Estimate of shape (B, 1, H / 2, W / 2), arbitrary scale.
        """
        features = host_features(luma).contiguous(memory_format=torch.channels_last)
        features = self.blocks(self.stem(features))
        return F.pixel_shuffle(self.head(F.relu(features)).float(), 2)
