"""Pictures that are marked elsewhere: by a service, on another machine, by hand. Only reading is a program's.

A TOML file describes it as :mod:`.command` does, and names two folders beside the file::

    originals = "originals"
    marked = "marked"

Each picture has a message and a key of its own, which the benchmark draws. So a run is made twice. The first writes
what is to be marked, and every row of it says so; if nothing else was measured it exits with 3::

    originals/2c26b46b68ffc68f.png
    originals/2c26b46b68ffc68f.json        {"message": "0123456789abcdef", "key": "..."}, in hexadecimal digits

The party marks each with its message and key and saves it as ``marked/2c26b46b68ffc68f.png`` (or with another ending:
the stem counts). The second run finds them. The stem is drawn from pixels, message and key, so no picture is taken for
another. A run in which any file of the two folders is new or another measures all of them again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from benchmarks.methods.base import Bits, MethodError, MethodMissing, Pixels
from benchmarks.methods.command import Command, read_marked, save_png


@dataclass(frozen=True, kw_only=True)
class Folder(Command):
    """A method whose marked pictures lie in a folder.

    Attributes:
        originals: folder of what is to be marked; made when needed.
        marked: folder of what was marked.
    """

    originals: Path
    marked: Path

    def with_strength(self, db: float | None) -> Self:  # noqa: D102
        if db is not None:
            raise MethodError(f"{self.name}: pictures that are marked elsewhere have one strength only")
        return self

    def embed(self, image: Pixels, message: Bits, key: bytes) -> Pixels:
        """The marked picture, if it is there.

        Raises:
            MethodMissing: it is not; what is to be marked has been written.
            MethodError: there are two, or it is damaged or of another size.
        """
        words = {"message": np.packbits(message).tobytes().hex(), "key": key.hex()}
        digest = hashlib.sha256(json.dumps([image.shape, words]).encode() + np.ascontiguousarray(image).tobytes())
        stem = digest.hexdigest()[:16]
        found = sorted(self.marked.glob(f"{stem}.*"))
        if len(found) == 1:
            return read_marked(found[0], image, self.name)
        if found:
            raise MethodError(f"{self.name}: {' and '.join(path.name for path in found)} are both in {self.marked}")
        self.originals.mkdir(parents=True, exist_ok=True)
        save_png(image, self.originals / f"{stem}.png")
        (self.originals / f"{stem}.json").write_text(json.dumps(words) + "\n", encoding="utf-8")
        raise MethodMissing(
            f"{self.name}: mark what {self.originals} holds as the .json beside each picture says, save it under the "
            f"same name in {self.marked}, and run again"
        )

    def files(self) -> list[Path]:
        """All files of both folders, on which its rows depend beside program and description."""
        return sorted(path for folder in (self.originals, self.marked) for path in folder.glob("*") if path.is_file())
