"""The pictures of a run: what is known of them before they are opened, and their pixels."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import watermark
from benchmarks.envelope import kinds_of_pictures, rgb_pixels
from watermark.errors import UsageError

BUNDLED = Path(watermark.__path__[0]) / "assets" / "singapore.jpg"


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture.

    Attributes:
        path: where it lies.
        name: its file name.
        kind: as the manifest says: ``photo``, ``text``, ``illustration``.
        sha256: of the file; empty if it cannot be opened.
        width, height: in pixels; ``None`` if the file is no picture.
    """

    path: Path
    name: str
    kind: str
    sha256: str
    width: int | None
    height: int | None

    @classmethod
    def of(cls, path: Path, kind: str = "photo") -> Picture:
        """Describe a file; one that cannot be read is described as such, and fails when it is measured."""
        width = height = None
        sha256 = ""
        try:
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            with Image.open(path) as opened:
                width, height = opened.size
        except (OSError, Image.DecompressionBombError):
            pass
        return cls(path, path.name, kind, sha256, width, height)

    def pixels(self) -> NDArray[np.uint8]:
        """Pixels as methods take them: RGB, uint8, shape (H, W, 3); see :func:`benchmarks.envelope.rgb_pixels`."""
        return rgb_pixels(self.path)


def find_pictures(
    folder: Path | None, kinds: Sequence[str] | None = ("photo",), only: Sequence[str] = ("",)
) -> tuple[Picture, ...]:
    """Pictures of a folder, by name: those of its ``manifest.csv`` (columns ``name``, ``kind``, ``width``, ``height``).

    Without a manifest every file that ends as a picture does is one, of the kind ``photo``.

    Args:
        folder: the bundled photograph alone if ``None``.
        kinds: those that are wanted; all if ``None``.
        only: beginnings of names, of which a picture must have one.

    Raises:
        UsageError: the folder is none or its manifest wrong, or it has no picture of a kind or with a beginning that is
            wanted.
    """
    if folder is None:
        return (Picture.of(BUNDLED),)
    try:
        manifest = (folder / "manifest.csv").exists()
        listed = kinds_of_pictures(folder, math.inf) if manifest else _photographs(folder)
    except (OSError, KeyError, ValueError) as error:
        raise UsageError(
            f"{folder} must be a folder of pictures; a manifest.csv, if there, has the columns name, kind, width and "
            f"height ({type(error).__name__}: {error})"
        ) from error
    if not listed:
        raise UsageError(f"{folder} has no picture")
    for kind in kinds or ():
        if kind not in listed.values():
            known = ", ".join(sorted(set(listed.values())))
            raise UsageError(f"{folder} has no {kind}; it has {known}")
    wanted = {path: kind for path, kind in listed.items() if kinds is None or kind in kinds}
    for start in only:
        if not any(path.name.startswith(start) for path in wanted):
            raise UsageError(f"no picture of the run has a name that begins with {start!r}")
    return tuple(Picture.of(path, wanted[path]) for path in sorted(wanted) if path.name.startswith(tuple(only)))


def _photographs(folder: Path) -> dict[Path, str]:
    """The pictures of a folder without a manifest, as ``kinds_of_pictures`` gives them; unreadable ones too."""
    readable = {suffix for suffix, format in Image.registered_extensions().items() if format in Image.OPEN}
    return {path: "photo" for path in folder.iterdir() if path.suffix.lower() in readable}
