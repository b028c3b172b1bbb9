"""What the suite times: one task on a JPEG file, and into another where it marks (on arrays: :mod:`.arrays`).

A task is a plain value that says everything, so that a worker process can be told it. It runs again and again in one
process: networks are loaded once, files are read and written each time.
"""

from __future__ import annotations

import contextlib
import importlib
import io
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from skimage import data

from benchmarks.methods import Bits, Method, Pixels, method
from benchmarks.methods.ours import Toolkit
from watermark.cli.embed import command as embed_command
from watermark.detect import Detector
from watermark.imaging import read_image
from watermark.registration.candidates import Search

BASELINE, OURS = "Pillow", Toolkit.name
QUALITY = 90
PAYLOAD = "0123456789abcdef"
KEY = bytes(range(32))  # of peers that have one


@dataclass(frozen=True)
class Task(ABC):
    """One task; call it.

    Attributes:
        source: the file that it reads.
    """

    source: Path

    def load(self) -> None:  # noqa: B027  most have nothing to do
        """Import what it needs, and no more."""

    @abstractmethod
    def __call__(self) -> bool | None:
        """Do it.

        Returns:
            Whether a mark was found; ``None`` where none was looked for.
        """


class Recode(Task):
    """Decode and encode by Pillow, nothing between: the baseline."""

    def __call__(self) -> None:  # noqa: D102
        encode(decode(self.source), marked_copy(self.source, BASELINE))


class Embed(Task):
    """All that ``watermark embed`` does, from its arguments to the flushed file, in this process."""

    def load(self) -> None:  # noqa: D102
        importlib.import_module("watermark.embed")  # which the command does in its first call

    def __call__(self) -> None:  # noqa: D102
        target = marked_copy(self.source, OURS)
        arguments = [str(self.source), str(target), "--payload", PAYLOAD, "--quality", str(QUALITY), "--force"]
        with contextlib.redirect_stdout(io.StringIO()):
            embed_command.main(arguments, standalone_mode=False)


@dataclass(frozen=True)
class Detect(Task):
    """Read a file and look for a mark of the open key.

    Attributes:
        search: how far.
    """

    search: Search

    def __call__(self) -> bool:  # noqa: D102
        return _detector().detect(read_image(self.source).pixels, self.search).present


@dataclass(frozen=True)
class PeerTask(Task):
    """A task of a method of the registry, at its default strength.

    Attributes:
        name: the method's.
    """

    name: str

    @property
    def peer(self) -> Method:
        """The method, made once in a process."""
        return _peer(self.name)

    def load(self) -> None:  # noqa: D102
        _peer(self.name)


class PeerEmbed(PeerTask):
    """Decode, embed, encode."""

    def __call__(self) -> None:  # noqa: D102
        marked = self.peer.embed(decode(self.source), message(self.peer.message_bits), KEY)
        encode(marked, marked_copy(self.source, self.name))


class PeerDetect(PeerTask):
    """Decode and look for the mark; a method that does not decide presence by itself is told the message."""

    def __call__(self) -> bool:  # noqa: D102
        return self.peer.detect(decode(self.source), KEY, message(self.peer.message_bits)).present


def marked_copy(source: Path, name: str) -> Path:
    """Where the copy of a file goes that a method marked.

    Example:
        >>> marked_copy(Path("host.jpg"), "dwtDct").name
        'host-dwtDct.jpg'
    """
    return source.with_name(f"{source.stem}-{Path(name).stem}.jpg")  # a name may hold a path: command:FILE


def photograph(height: int, width: int) -> Pixels:
    """scikit-image's astronaut of 512 x 512, mirrored and enlarged to the size asked for: content is no matter here."""
    picture = np.concatenate([data.astronaut(), data.astronaut()[:, ::-1]], axis=1)
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def decode(source: Path) -> Pixels:
    """RGB pixels (H, W, 3), uint8, of a JPEG file of any size: ``Image.open`` would warn of large ones."""
    with source.open("rb") as file, JpegImageFile(file) as opened:
        return np.array(opened.convert("RGB"))


def encode(pixels: Pixels, target: Path) -> None:
    """Write RGB pixels (H, W, 3), uint8, as JPEG of quality 90, 4:2:0."""
    Image.fromarray(pixels).save(target, "JPEG", quality=QUALITY)


def message(bits: int) -> Bits:
    """The message for peers, 0 or 1, uint8, shape (bits,)."""
    return np.random.default_rng(1).integers(0, 2, bits).astype(np.uint8)


_detector = cache(Detector)
_peer = cache(method)
