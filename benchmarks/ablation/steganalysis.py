"""A small steganalyser: fixed high-pass filters, a truncated linear unit, a convolutional network.

After Ye, Ni and Yi, "Deep learning hierarchical representations for image steganalysis" (IEEE TIFS 2017): their first
layer is the filters of the spatial rich model (Fridrich and Kodovsky, "Rich models for steganalysis of digital images",
IEEE TIFS 2012) and cuts the residuals off at +-3 grey levels. Theirs learns on from there and is deeper; this one is
small enough to be trained afresh for every arm on one core. What it does not find, a better one may.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

Luma8 = NDArray[np.uint8]
_CUT = 3.0  # grey levels
_WIDTHS = (16, 24, 32, 48, 64)
_EVALUATED = 64  # pictures at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class SteganalysisSettings:
    """How a steganalyser is trained.

    Attributes:
        epochs: passes over the pairs, at most.
        patience: passes without a lower loss on the early-stopping part after which training ends.
        held_out: share of the pairs that make that part, the last ones, 0 to 1.
        batch_pairs: pairs a step; a cover and its marked copy are always in one batch.
        learning_rate: highest, of AdamW; cosine to zero.
        seed: of everything random.
    """

    epochs: int = 20
    patience: int = 6
    held_out: float = 0.15
    batch_pairs: int = 16
    learning_rate: float = 3e-3
    seed: int = 1


def high_pass_kernels() -> Tensor:
    """Eight kernels of the spatial rich model: first to third order across and down, square 3 x 3 and 5 x 5.

    Each is divided by the weight of the pixel that it predicts, so that a residual is the error of that prediction.

    Returns:
        Shape (8, 1, 5, 5); each sums to zero.
    """
    kernels = np.zeros((8, 5, 5), dtype=np.float32)
    lines = np.array([[0, 0, -1, 1, 0], [0, 1 / 2, -1, 1 / 2, 0], [0, 1 / 3, -1, 1, -1 / 3]])
    for order, line in enumerate(lines):
        kernels[2 * order, 2, :] = line
        kernels[2 * order + 1, :, 2] = line
    kernels[6, 1:4, 1:4] = np.array([[-1, 2, -1], [2, -4, 2], [-1, 2, -1]]) / 4
    outer, inner = np.array([-1, 2, -2, 2, -1]), np.array([2, -6, 8, -6, 2])
    kernels[7] = np.stack([outer, inner, np.array([-2, 8, -12, 8, -2]), inner, outer]) / 12
    return torch.from_numpy(kernels).unsqueeze(1)


class Steganalyser(nn.Module):
    """Scores pictures: above 0 means marked."""

    kernels: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernels", high_pass_kernels())
        layers: list[nn.Module] = []
        for before, after in pairwise((len(self.kernels), *_WIDTHS)):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(_WIDTHS[-1], 1)

    def forward(self, luma: Tensor) -> Tensor:
        """Score pictures.

        Args:
            luma: in grey levels, 0 to 255, shape (B, 1, H, W), sides from 36 pixels.

        Returns:
            Shape (B,).
        """
        residuals = F.conv2d(luma, self.kernels).clamp(-_CUT, _CUT)
        with torch.autocast("cpu", torch.bfloat16):
            features = self.layers(residuals.contiguous(memory_format=torch.channels_last))
        scores: Tensor = self.head(features.float().mean((2, 3))).squeeze(1)
        return scores


def early_stopping_pairs(count: int, settings: SteganalysisSettings) -> slice:
    """Which of ``count`` pairs decide when to stop: the last ones, at least one."""
    return slice(count - max(1, round(count * settings.held_out)), count)


def train_steganalyser(covers: Luma8, marked: Luma8, settings: SteganalysisSettings | None = None) -> Steganalyser:
    """Train a steganalyser from nothing.

    Args:
        covers: unmarked luma, uint8, shape (N, H, H), N at least 2.
        marked: the same marked, in the same order and shape.
        settings: how.

    Returns:
        The network at its lowest loss on the early-stopping part, in evaluation mode.
    """
    settings = settings or SteganalysisSettings()
    kept = early_stopping_pairs(len(covers), settings)
    rng = np.random.default_rng(settings.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = Steganalyser()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, settings.epochs)
    best, lowest, since = copy.deepcopy(network.state_dict()), np.inf, 0
    for _ in range(settings.epochs):
        network.train()
        order = rng.permutation(kept.start)
        for first in range(0, len(order), settings.batch_pairs):
            chosen = order[first : first + settings.batch_pairs]
            pair = _turned(np.concatenate([covers[chosen], marked[chosen]]), rng)
            optimiser.zero_grad()
            loss = _loss(network(_tensor(pair)))
            loss.backward()
            optimiser.step()
        schedule.step()
        scores = np.concatenate([score(network, covers[kept]), score(network, marked[kept])])
        held_out = float(_loss(torch.from_numpy(scores)))
        since += 1
        if held_out < lowest:
            best, lowest, since = copy.deepcopy(network.state_dict()), held_out, 0
        if since >= settings.patience:
            break
    network.load_state_dict(best)
    return network.eval()


@torch.no_grad()
def score(network: Steganalyser, pictures: Luma8) -> NDArray[np.float32]:
    """Scores of pictures (N, H, H), uint8; shape (N,)."""
    network.eval()
    parts = [network(_tensor(pictures[first : first + _EVALUATED])) for first in range(0, len(pictures), _EVALUATED)]
    scores: NDArray[np.float32] = torch.cat(parts).numpy()
    return scores


def count_right(network: Steganalyser, covers: Luma8, marked: Luma8) -> tuple[int, int]:
    """Right answers and all answers over covers and marked pictures, each judged alone."""
    right = int((score(network, covers) <= 0).sum() + (score(network, marked) > 0).sum())
    return right, len(covers) + len(marked)


def _loss(scores: Tensor) -> Tensor:
    """Cross entropy of scores of which the first half are of covers, the second of marked pictures."""
    covers, marked = scores.chunk(2)
    return (F.softplus(covers).mean() + F.softplus(-marked).mean()) / 2


def _tensor(pictures: Luma8) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures)).unsqueeze(1).float()


def _turned(pictures: Luma8, rng: np.random.Generator) -> Luma8:
    """All pictures flipped and turned alike, one of eight ways at random."""
    if rng.random() < 0.5:
        pictures = pictures.swapaxes(1, 2)
    return np.rot90(pictures, int(rng.integers(4)), (1, 2))
