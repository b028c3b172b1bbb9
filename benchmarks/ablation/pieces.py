"""Pictures for steganalysis: pieces of 256 x 256 pixels at full resolution, each marked as a picture of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.ablation.mark import Marker
from benchmarks.ablation.results import Detectability
from benchmarks.ablation.steganalysis import (
    Luma8,
    SteganalysisSettings,
    count_right,
    early_stopping_pairs,
    train_steganalyser,
)
from watermark.training.data import Pictures

SIDE = 256
_SEED = 1


def training_pieces(data: Path, count: int) -> Luma8:
    """One piece of each of some training pictures, chosen and placed at random, always the same.

    Args:
        data: folder of training pictures, whose sides are 256 pixels or more.
        count: pieces; fewer if there are fewer pictures.

    Returns:
        Luma, uint8, shape (count, 256, 256).

    Raises:
        SettingsError: there is no picture.
    """
    pictures = Pictures(data)
    rng = np.random.default_rng(_SEED)
    pieces = []
    for index in rng.permutation(len(pictures))[:count]:
        luma = pictures.luma(int(index))
        top, left = (int(rng.integers(length - SIDE + 1)) for length in luma.shape)
        pieces.append(luma[top : top + SIDE, left : left + SIDE])
    return np.stack(pieces)


def held_out_pieces(paths: Sequence[Path]) -> Luma8:
    """All whole pieces of some photographs, side by side from the top left corner; uint8, shape (N, 256, 256)."""
    pieces = []
    for path in paths:
        with Image.open(path) as picture:
            luma = np.asarray(picture.convert("L"))
        rows, columns = (length // SIDE for length in luma.shape)
        whole = luma[: rows * SIDE, : columns * SIDE].reshape(rows, SIDE, columns, SIDE)
        pieces.append(whole.swapaxes(1, 2).reshape(-1, SIDE, SIDE))
    return np.concatenate(pieces)


def detectability(marker: Marker, strength: float, training: Luma8, held_out: Luma8) -> Detectability:
    """Train a steganalyser against an arm, and count how often it is right.

    Args:
        marker: how the arm writes its marks; each piece gets a key and payload of its own.
        strength: in dB.
        training: unmarked pieces to learn from, shape (N, 256, 256).
        held_out: unmarked pieces to be judged by, shape (M, 256, 256).
    """

    def marked(pieces: Luma8, kind: str) -> Luma8:
        return np.stack([marker.mark(piece, f"{kind} piece {number}", strength) for number, piece in enumerate(pieces)])

    settings = SteganalysisSettings()
    learnt = marked(training, "training")
    network = train_steganalyser(training, learnt, settings)
    stopping = early_stopping_pairs(len(training), settings)
    return Detectability(
        *count_right(network, held_out, marked(held_out, "held-out")),
        *count_right(network, training[stopping], learnt[stopping]),
    )
