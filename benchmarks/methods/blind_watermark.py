"""``blind-watermark`` of the package index (guofei9987): DWT, DCT and SVD of shuffled 4 x 4 blocks of Y, U and V.

Its two passwords, seeds of 32 bits that shuffle blocks and message, are drawn from the key. It has no error-correcting
code and no decision of its own: presence is tested against a claimed message (:mod:`.claims`). It wants B, G, R.
"""

from __future__ import annotations

import hashlib
import math
import multiprocessing
import warnings
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any, ClassVar, Self

import cv2
import numpy as np

from benchmarks.methods.base import Bits, Pixels, Reading, gain, required
from benchmarks.methods.claims import compared
from watermark.errors import ImageTooSmall

_STEPS = 36.0, 20.0  # the package's quantisation steps of the first two singular values, in grey levels


@dataclass(frozen=True)
class BlindWatermark:
    """The package at its own steps, or at steps for another PSNR.

    Attributes:
        strength: nominal PSNR in dB; the package's own if ``None``.
        message_bits: bits of a message, repeated over the picture.

    Raises:
        MethodMissing: the package is not installed.
    """

    strength: float | None = None
    message_bits: int = 64

    name: ClassVar[str] = "blind-watermark"
    licence: ClassVar[str] = "MIT"
    note: ClassVar[str] = "no error-correcting code; passwords of 32 bits; presence by a claimed message"
    keyed: ClassVar[bool] = True
    blind: ClassVar[bool] = False

    def __post_init__(self) -> None:
        # On import the package sets the process's start method, which fails where one is set and stays if none is.
        method = multiprocessing.get_start_method(allow_none=True)
        multiprocessing.set_start_method(None, force=True)
        try:
            package = required("blind_watermark", self.name, "pip install --no-deps blind-watermark PyWavelets")
        finally:
            multiprocessing.set_start_method(method, force=True)
        package.bw_notes.close()  # or it would greet on stdout

    @property
    def version(self) -> str:
        """Of the package."""
        return version("blind-watermark")

    @property
    def smallest_side(self) -> int:
        """Short side in pixels: more blocks of 8 x 8 pixels than bits."""
        return 8 * math.ceil(math.sqrt(self.message_bits + 1))

    def with_strength(self, db: float | None) -> Self:  # noqa: D102
        return replace(self, strength=db)

    def embed(self, image: Pixels, message: Bits, key: bytes) -> Pixels:  # noqa: D102
        core = self._core(image, key)
        core.read_img(img=cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        core.read_wm(message.astype(bool), mode="bit")
        marked = np.rint(core.embed()).astype(np.uint8)
        return np.asarray(cv2.cvtColor(marked, cv2.COLOR_BGR2RGB), dtype=np.uint8)

    def detect(self, image: Pixels, key: bytes, claimed: Bits | None = None) -> Reading:  # noqa: D102
        core = self._core(image, key)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # its k-means divides by nothing where all bits look alike
            bits = core.extract(
                embed_img=cv2.cvtColor(image, cv2.COLOR_RGB2BGR), wm_shape=self.message_bits, mode="bit"
            )
        return compared(np.asarray(bits, dtype=np.uint8), claimed)

    def _core(self, image: Pixels, key: bytes) -> Any:
        from blind_watermark import WaterMark

        height, width = image.shape[:2]
        if ((height + 1) // 8) * ((width + 1) // 8) <= self.message_bits:
            raise ImageTooSmall(height, width, self.smallest_side)
        digest = hashlib.sha256(key).digest()
        passwords = (int.from_bytes(digest[start : start + 4], "big") for start in (0, 4))
        core = WaterMark(*passwords)
        core.bwm_core.d1, core.bwm_core.d2 = (step * gain(self.strength, native=37.9) for step in _STEPS)
        return core
