"""This toolkit, through its public face."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar, Self

import numpy as np

import watermark as wm
from benchmarks.methods.base import Bits, MethodError, Pixels, Reading
from watermark.errors import UsageError


@dataclass(frozen=True)
class Toolkit:
    """Blind, with a key and 64 bits of payload.

    ``present`` means that a frame's tag verified. The score is the highest bit energy met. p is the bound of a find's
    false positives, and 1 where nothing was found; the public face gives no bits then.

    Attributes:
        strength: mean PSNR over photographs in dB; ``None`` chooses one for each picture.
    """

    strength: float | None = None

    name: ClassVar[str] = "watermark-toolkit"
    version: ClassVar[str] = wm.__version__
    licence: ClassVar[str] = "Apache-2.0"
    note: ClassVar[str] = "authenticated payload, full search, all payload sizes tried"
    message_bits: ClassVar[int] = 64
    smallest_side: ClassVar[int] = 128
    keyed: ClassVar[bool] = True
    blind: ClassVar[bool] = True

    def with_strength(self, db: float | None) -> Self:  # noqa: D102
        method = replace(self, strength=db)
        try:
            wm.Embedder(strength=db)
        except UsageError as error:
            raise MethodError(f"{self.name}: {error}") from error
        return method

    def embed(self, image: Pixels, message: Bits, key: bytes) -> Pixels:  # noqa: D102
        embedder = wm.Embedder(wm.Key(key), strength=self.strength)
        marked = embedder.embed(image, wm.Payload(np.packbits(message).tobytes())).pixels
        return np.asarray(marked, dtype=np.uint8)

    def detect(self, image: Pixels, key: bytes, claimed: Bits | None = None) -> Reading:  # noqa: D102
        found = _detector(key).detect(image)
        bits = None if found.payload is None else np.unpackbits(np.frombuffer(found.payload.data, dtype=np.uint8))
        p = found.false_positive_bound if found.present else 1.0
        return Reading(present=found.present, score=found.score, bits=bits, p=p)


@lru_cache(maxsize=2)  # the attacked copies of one picture are read one after the other
def _detector(key: bytes) -> wm.Detector:
    return wm.Detector(wm.Key(key))
