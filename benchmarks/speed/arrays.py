"""What the part ``decoded`` times: tasks on arrays in memory, and the cells of them.

Their source is the ``.npy`` file that brings the array into the worker process; it is read in the first call only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from attacks import Crop, Rotate
from benchmarks.envelope import to_pixels, to_tensor
from benchmarks.speed.rounds import Cell
from benchmarks.speed.tasks import KEY, OURS, PAYLOAD, PeerTask, Task, message, photograph
from watermark import Detector, Embedder, Payload
from watermark.payload import polar
from watermark.registration.candidates import Search

PEER = "dwtDct"
STRENGTH = 46.0  # dB, where it is fixed


@dataclass(frozen=True)
class EmbedPixels(Task):
    """Mark with the open key.

    Attributes:
        strength: in dB; ``None`` for adaptive.
    """

    strength: float | None

    def __call__(self) -> None:  # noqa: D102
        _embedder(strength=self.strength).embed(_array(self.source), Payload.from_hex(PAYLOAD))


@dataclass(frozen=True)
class DetectPixels(Task):
    """Look for a mark of the open key.

    Attributes:
        search: how far.
    """

    search: Search

    def __call__(self) -> bool:  # noqa: D102
        return _detector().detect(_array(self.source), self.search).present


class PeerEmbedPixels(PeerTask):
    """Mark by a peer."""

    def __call__(self) -> None:  # noqa: D102
        self.peer.embed(_array(self.source), message(self.peer.message_bits), KEY)


class PeerDetectPixels(PeerTask):
    """Look for a peer's mark."""

    def __call__(self) -> bool:  # noqa: D102
        return self.peer.detect(_array(self.source), KEY, message(self.peer.message_bits)).present


@dataclass(frozen=True)
class DecodeWord(Task):
    """List-decode one word of the polar code.

    Attributes:
        information_bits: one of :data:`watermark.payload.polar.INFORMATION_SIZES`.
    """

    information_bits: int

    def __call__(self) -> None:  # noqa: D102
        polar.decode(_array(self.source), self.information_bits)


def pixel_cells(folder: Path, width: int, height: int) -> list[Cell]:
    """Ours on decoded pixels, and one peer.

    Args:
        folder: where the arrays go.
        width: of the pictures in pixels; a crop keeps .71 of it.
        height: of the pictures in pixels; a crop keeps .71 of it.
    """
    host = photograph(height, width)
    marked = _embedder(strength=STRENGTH).embed(host, Payload.from_hex(PAYLOAD)).pixels
    pictures = {"unmarked": host, "marked": marked}
    for name, attack in (("cropped", Crop(0.71, 0.2, 0.7)), ("rotated", Rotate(30))):
        pictures[name] = to_pixels(attack.apply(to_tensor(marked)))
    files = {name: _stored(folder / f"{width}x{height}-{name}.npy", pixels) for name, pixels in pictures.items()}
    own, peer = partial(Cell, width, height, OURS), partial(Cell, width, height, PEER)
    return [
        own("embed, adaptive strength", EmbedPixels(files["unmarked"], None)),
        own("embed, fixed strength", EmbedPixels(files["unmarked"], STRENGTH)),
        own("detect none, marked", DetectPixels(files["marked"], "none")),
        own("detect fast, marked and cropped", DetectPixels(files["cropped"], "fast")),
        own("detect full, marked and rotated", DetectPixels(files["rotated"], "full")),
        *(own(f"detect {search}, unmarked", DetectPixels(files["unmarked"], search)) for search in get_args(Search)),
        peer("embed", PeerEmbedPixels(files["unmarked"], PEER)),
        peer("detect, unmarked", PeerDetectPixels(files["unmarked"], PEER)),
    ]


def word_cells(folder: Path) -> list[Cell]:
    """The polar code's list decoding of one word of noise, (1, 256), for each number of information bits."""
    noise = np.random.default_rng(1).standard_normal((1, polar.CODE_LENGTH)).astype(np.float32)
    word, cell = _stored(folder / "word.npy", noise), partial(Cell, polar.CODE_LENGTH, 1, OURS)
    return [cell(f"list decoding, {size} bits", DecodeWord(word, size)) for size in polar.INFORMATION_SIZES]


def _stored(path: Path, array: NDArray[Any]) -> Path:
    np.save(path, array)
    return path


_array = cache(np.load)
_detector = cache(Detector)
_embedder = cache(Embedder)
