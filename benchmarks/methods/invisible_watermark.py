"""``invisible-watermark`` of the package index (ShieldMnt): dwtDct, dwtDctSvd, and RivaGAN with its bundled weights.

None of them has a key, an error-correcting code or a decision of its own: presence is tested against a claimed message
(:mod:`.claims`). The package wants B, G, R, where images here are R, G, B; and it refuses pictures of fewer than
256 x 256 pixels by their area, not by their side.

dwtDct and dwtDctSvd go through 8 bits of Y, U, V, which alone leaves a PSNR of about 43 dB: quieter steps drown in that
error, so nominal strengths of 44 dB and more lose the message but not the error.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Self

import cv2
import numpy as np
import torch

from benchmarks.methods.base import Bits, MethodError, Pixels, Reading, gain, required, scaled
from benchmarks.methods.claims import compared
from watermark.errors import ImageTooSmall

_INSTALL = "pip install --no-deps invisible-watermark PyWavelets"
# The package's quantisation step, in grey levels of a Haar approximation; the error's power goes as its square.
_STEP = 36


@dataclass(frozen=True)
class _InvisibleWatermark:
    """What the three have in common.

    Attributes:
        strength: nominal PSNR in dB; the package's own if ``None``.
        message_bits: bits of a message, repeated over the picture.

    Raises:
        MethodMissing: the package is not installed.
    """

    strength: float | None = None
    message_bits: int = 64

    name: ClassVar[str]
    licence: ClassVar[str] = "MIT"
    note: ClassVar[str] = "no error-correcting code, no key; presence by a claimed message"
    smallest_side: ClassVar[int] = 256
    keyed: ClassVar[bool] = False
    blind: ClassVar[bool] = False

    def __post_init__(self) -> None:
        required("imwatermark", self.name, _INSTALL)

    @property
    def version(self) -> str:
        """Of the package."""
        return version("invisible-watermark")

    def with_strength(self, db: float | None) -> Self:
        return replace(self, strength=db)

    def embed(self, image: Pixels, message: Bits, key: bytes) -> Pixels:
        from imwatermark import WatermarkEncoder

        encoder = WatermarkEncoder()
        encoder.set_watermark("bits", message.tolist())
        marked = encoder.encode(_bgr(image), self.name, **self._options())
        return np.asarray(cv2.cvtColor(marked, cv2.COLOR_BGR2RGB), dtype=np.uint8)

    def detect(self, image: Pixels, key: bytes, claimed: Bits | None = None) -> Reading:
        from imwatermark import WatermarkDecoder

        decoder = WatermarkDecoder("bits", self.message_bits)
        bits = decoder.decode(_bgr(image), self.name, **self._options())
        return compared(np.asarray(bits, dtype=np.uint8), claimed)

    def _options(self) -> dict[str, Any]:
        """What the package's encoder and decoder must both be told."""
        return {}


@dataclass(frozen=True)
class DwtDct(_InvisibleWatermark):
    """Quantises the largest coefficient of each 4 x 4 block of a Haar approximation of U; there is no DCT in it."""

    name: ClassVar[str] = "dwtDct"

    def _options(self) -> dict[str, Any]:
        return {"scales": [0, _STEP * gain(self.strength, native=38.9), 0]}  # Y and V stay: the package skips V anyway


@dataclass(frozen=True)
class DwtDctSvd(_InvisibleWatermark):
    """Quantises the largest singular value of the DCT of each 4 x 4 block of a Haar approximation of U."""

    name: ClassVar[str] = "dwtDctSvd"

    def _options(self) -> dict[str, Any]:
        return {"scales": [0, _STEP * gain(self.strength, native=38.8), 0]}


@dataclass(frozen=True)
class RivaGan(_InvisibleWatermark):
    """RivaGAN (Zhang et al. 2019), 32 bits; another strength scales its residual, as W-Bench does.

    Raises:
        MethodMissing: the package or onnxruntime is not installed.
        MethodError: ``message_bits`` is not 32.
    """

    message_bits: int = 32

    name: ClassVar[str] = "rivaGan"

    def __post_init__(self) -> None:
        super().__post_init__()
        required("onnxruntime", self.name, "pip install --no-deps onnxruntime flatbuffers protobuf")
        if self.message_bits != 32:
            raise MethodError(f"{self.name} takes 32 bits, not {self.message_bits}")

    def embed(self, image: Pixels, message: Bits, key: bytes) -> Pixels:  # noqa: D102
        _load_networks()
        marked = super().embed(image, message, key)
        return marked if self.strength is None else scaled(image, marked, gain(self.strength, native=40.4))

    def detect(self, image: Pixels, key: bytes, claimed: Bits | None = None) -> Reading:  # noqa: D102
        _load_networks()
        return super().detect(image, key, claimed)


def _bgr(image: Pixels) -> Pixels:
    height, width = image.shape[:2]
    if height * width < 256 * 256:
        raise ImageTooSmall(height, width, 256)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), dtype=np.uint8)


def _load_networks() -> None:
    """What the package's ``loadModel`` does, but with as many threads as the process may use, not one for each core."""
    import imwatermark.rivaGan
    from onnxruntime import InferenceSession, SessionOptions

    networks = imwatermark.rivaGan.RivaWatermark
    if networks.decoder is None:
        options = SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        folder = Path(imwatermark.rivaGan.__file__).parent
        networks.encoder = InferenceSession(folder / "rivagan_encoder.onnx", options)
        networks.decoder = InferenceSession(folder / "rivagan_decoder.onnx", options)
