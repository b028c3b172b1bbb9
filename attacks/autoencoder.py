"""Regeneration by a small autoencoder: the picture is coded to few numbers and drawn anew.

::

    channel ── cells of 8 x 8 ── linear + network ── latent, 14 values a cell, rounded ── linear + network ── channel

What the code does not hold is lost (Zhao et al., "Invisible image watermarks are provably removable using generative
AI", NeurIPS 2024). This network is small and nearly linear: a mark that survives it may not survive a large generative
model. The weights are ours; their card, beside them, says how ``benchmarks/train_autoencoder.py`` made them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Self

import torch
import torch.nn.functional as F
from safetensors.torch import load
from torch import Tensor, nn

from attacks.base import Attack, log_uniform, register
from attacks.limits import Limits
from attacks.rounding import round_straight_through

WEIGHTS = Path(__file__).parent / "weights" / "autoencoder.safetensors"
FEWEST_LEVELS, MOST_LEVELS = 6, 64  # what the network is trained for
CELL, LATENT = 8, 14  # pixels a side of a cell, values that code it
_CHANNELS = 48
_CPU = torch.device("cpu")


class _Block(nn.Module):
    """Two 3 x 3 convolutions around the identity."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(_CHANNELS, _CHANNELS, 3, padding=1)
        self.second = nn.Conv2d(_CHANNELS, _CHANNELS, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        change: Tensor = self.second(F.relu(self.first(F.relu(features))))
        return features + change


class RegenerationNetwork(nn.Module):
    """Encoder and decoder for single channels; any one of R, G, B or luma looks alike to it.

    Both are a linear transform of cells of 8 x 8 pixels plus a network that corrects it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.analysis = nn.Conv2d(CELL**2, LATENT, 1)
        self.synthesis = nn.Conv2d(LATENT, CELL**2, 1)
        self.encoder = _network(CELL**2, LATENT, blocks=1)
        self.decoder = _network(LATENT, CELL**2, blocks=2)

    def forward(self, plane: Tensor, levels: int) -> Tensor:
        """Code and decode.

        Args:
            plane: in [0, 1], shape (B, 1, H, W), H and W multiples of 8.
            levels: equal steps between -1 and 1 to which each latent value is rounded, 2 or more.

        Returns:
            The same shape, not clipped.
        """
        cells = F.pixel_unshuffle(plane - 0.5, CELL)  # (B, 64, H / 8, W / 8)
        latent = (self.analysis(cells) + self.encoder(cells)).clamp(-1, 1)
        steps = (levels - 1) / 2
        latent = round_straight_through((latent + 1) * steps) / steps - 1
        return F.pixel_shuffle(self.synthesis(latent) + self.decoder(latent), CELL) + 0.5


def _network(inputs: int, outputs: int, blocks: int) -> nn.Sequential:
    last = nn.Conv2d(_CHANNELS, outputs, 3, padding=1)
    nn.init.zeros_(last.weight)
    first = nn.Conv2d(inputs, _CHANNELS, 3, padding=1)
    return nn.Sequential(first, *(_Block() for _ in range(blocks)), nn.ReLU(), last)


@lru_cache(maxsize=4)
def load_network(path: Path = WEIGHTS, device: torch.device = _CPU) -> RegenerationNetwork:
    """The network with the weights at ``path``, frozen, shared and not to be changed.

    Raises:
        OSError: weights or card are missing.
        ValueError: the SHA-256 of the weights is not that of their card.
    """
    data = path.read_bytes()
    expected = json.loads(path.with_suffix(".json").read_text())["sha256"]
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise ValueError(f"{path} has SHA-256 {found}, but its card says {expected}; install it again")
    with torch.inference_mode(False):  # whoever fills the cache, training may use it
        network = RegenerationNetwork()
        network.load_state_dict(load(data))  # stored in 16 bits, computed in 32
        return network.eval().requires_grad_(False).to(device)


@register(
    "autoencoder",
    family="removal",
    unit="levels of each latent value, fewer is stronger; no identity",
    gradient="straight-through",
)
@dataclass(frozen=True)
class Autoencoder(Attack):
    """Draw each channel anew from a code of 14 values of ``levels`` steps (6 to 64) for 8 x 8 pixels."""

    levels: Annotated[int, Limits(FEWEST_LEVELS, MOST_LEVELS)] = 32

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        fewest = MOST_LEVELS * (FEWEST_LEVELS / MOST_LEVELS) ** level
        return cls(round(log_uniform(generator, fewest, MOST_LEVELS)))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        height, width = image.shape[2:]
        planes = image.flatten(0, 1).unsqueeze(1).float()  # (B C, 1, H, W)
        padded = F.pad(planes, (0, -width % CELL, 0, -height % CELL), mode="replicate")
        drawn: Tensor = load_network(device=image.device)(padded, self.levels)[:, :, :height, :width]
        return drawn.clamp(0, 1).reshape(image.shape).to(image.dtype)
