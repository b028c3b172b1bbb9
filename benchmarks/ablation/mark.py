"""Marking for the ablation: a picture and a name in, marked pixels out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.envelope import name_seed
from watermark import Embedder, Key, Payload
from watermark.carriers import Carriers
from watermark.nets.model import load_model
from watermark.pattern import plain_residual
from watermark.payload.frame import encode_frame
from watermark.working import Pixels, add_residual, reduced_luma


def key_of(name: str) -> Key:
    """The key of a picture, drawn from its name: the same in every arm, so that arms can be compared image by image."""
    return Key(name_seed(name, "key"))


def payload_of(name: str) -> Payload:
    """The 64-bit payload of a picture, drawn from its name."""
    return Payload(name_seed(name, "payload")[:8])


@dataclass(frozen=True, slots=True)
class Marker:
    """How an arm writes its marks.

    Attributes:
        weights: weights file.
        shaped: whether the mark is shaped by gradient for the picture at hand, with the decoder in a closed loop; if
            not, it is what the networks give.
    """

    weights: Path
    shaped: bool = False

    def mark(self, pixels: Pixels, name: str, strength: float) -> Pixels:
        """Mark a picture with the key and payload of its name.

        Args:
            pixels: uint8, H x W or H x W x 3.
            name: of the picture.
            strength: mean PSNR over photographs in dB, 30 to 60; higher is quieter.

        Returns:
            Marked pixels, same shape and dtype.

        Raises:
            UsageError: the strength of a shaped mark is out of range.
        """
        key, payload = key_of(name), payload_of(name)
        if self.shaped:
            return Embedder(key, strength=strength, weights=self.weights).embed(pixels, payload).pixels
        signs = 1.0 - 2.0 * encode_frame(payload, key).astype(np.float32)
        model, carriers = load_model(self.weights), Carriers.from_key(key)
        return add_residual(pixels, plain_residual(model, carriers, reduced_luma(pixels), signs, strength))
