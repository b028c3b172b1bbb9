"""The discriminator: a light patch critic on luma, used in training only."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from watermark.nets.layers import HOST_CHANNELS, host_features


class Discriminator(nn.Module):
    """Patch discriminator with spectral normalisation; one score for each 16 x 16 pixels or so.

    Args:
        channels: width of the network.
    """

    def __init__(self, channels: int = 32) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [
                spectral_norm(nn.Conv2d(HOST_CHANNELS, channels, 3, padding=1)),
                spectral_norm(nn.Conv2d(channels, channels, 3, stride=2, padding=1)),
                spectral_norm(nn.Conv2d(channels, channels, 3, stride=2, padding=1)),
            ]
        )
        self.head = spectral_norm(nn.Conv2d(channels, 1, 1))

    def forward(self, luma: Tensor) -> Tensor:
        """Score patches.

        Args:
            luma: working-size luma in [0, 1], shape (B, 1, H, W), H and W multiples of 4.

        Returns:
            Scores of shape (B, 1, about H / 16, about W / 16); high means "unmarked".
        """
        features = host_features(luma).contiguous(memory_format=torch.channels_last)
        for layer in self.layers:
            features = F.leaky_relu(layer(features), 0.2)
        scores: Tensor = self.head(features).float()
        return scores
