"""Writing a mark: pixels and payload to marked pixels, as loud as it must be, checked before it is returned."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch

from watermark.carriers import Carriers
from watermark.detect import Detector
from watermark.errors import UsageError
from watermark.fidelity import psnr, ssim
from watermark.host import Host, Target
from watermark.nets.model import RELEASE, load_model
from watermark.payload.frame import Payload, encode_frame
from watermark.payload.keys import Key
from watermark.working import Pixels, add_residual, check_pixels

Robustness = Literal["low", "standard", "high"]

_TARGETS: dict[Robustness, Target] = {
    "low": Target(energy=2.5, loss=0.1, most_wrong=0.15),
    "standard": Target(energy=3.75, loss=0.165, most_wrong=0.18),
    "high": Target(energy=5.6, loss=0.275, most_wrong=0.18),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Marked:
    """A marked picture and how it came out.

    Attributes:
        pixels: same shape and dtype as the host's.
        psnr: of this picture in dB, over all colour channels; infinite if nothing changed.
        ssim: structural similarity of luma (Wang et al. 2004, in windows of 7 x 7 pixels) at a short side of 512 px, or
            its own if smaller.
        strength: as chosen or given, mean PSNR over photographs in dB; higher is quieter.
        reached: whether the bit energy that the robustness asks for is there after JPEG 40; not where it would have
            cost too much quality. True where the strength was given, as nothing is asked then.
        read_back: whether the payload was read from these very pixels.
    """

    pixels: Pixels
    psnr: float
    ssim: float
    strength: float
    reached: bool
    read_back: bool


class Embedder:
    """Writes marks of one key; safe to share between threads.

    Args:
        key: the secret; the published open key if ``None``.
        robustness: how much the mark must withstand; the strength is chosen for each picture, and stops where
            quality would suffer, but not before the mark reads after WebP 50, unless that costs more than half a JOD.
            Where quality allows, it also reads when the picture is made twice as bright.
        strength: fixed strength instead, mean PSNR over photographs in dB, 30 to 60.
        weights: weights file; the released weights by default.

    Raises:
        UsageError: ``robustness`` or ``strength`` is something else.
        WeightsError: the weights cannot be used.
    """

    @torch.inference_mode(False)  # whatever the caller does: shaping takes gradients through the carriers
    def __init__(
        self,
        key: Key | None = None,
        robustness: Robustness = "standard",
        strength: float | None = None,
        weights: Path = RELEASE,
    ) -> None:
        if robustness not in get_args(Robustness):
            raise UsageError(f"robustness must be one of {', '.join(get_args(Robustness))}, but is {robustness!r}")
        if strength is not None and not 30 <= strength <= 60:
            raise UsageError(f"strength must be 30 to 60 dB, but is {strength}")
        self._key = key if key is not None else Key.open()
        self._target = _TARGETS[robustness]
        self._strength = strength
        self._model = load_model(weights)
        self._carriers = Carriers.from_key(self._key)
        self._detector = Detector(self._key, weights=weights)

    @torch.inference_mode(False)
    def embed(self, pixels: Pixels, payload: Payload) -> Marked:
        """Mark a picture.

        Args:
            pixels: uint8 or uint16, H x W, H x W x 3 (RGB) or H x W x 4 (RGBA), short side 128 px or more.
            payload: what the mark shall say.

        Returns:
            The marked picture; look at ``read_back`` before you rely on it.

        Raises:
            UnsupportedImage: pixels of another kind.
            ImageTooSmall: the short side is under 128 px.
        """
        check_pixels(pixels)
        signs = 1.0 - 2.0 * encode_frame(payload, self._key).astype(np.float32)
        host = Host(self._model, self._carriers, pixels, signs)
        if self._strength is None:
            mark = host.adapted(self._target)
            marked = add_residual(pixels, mark.bounded)
        else:
            mark = host.shaped(self._strength)
            marked = add_residual(pixels, mark.residual)
        read = self._detector.detect(marked, search="none")
        return Marked(
            pixels=marked,
            psnr=psnr(pixels, marked),
            ssim=ssim(pixels, marked),
            strength=mark.strength,
            reached=self._strength is not None or host.reaches(mark, self._target.energy),
            read_back=read.payload == payload,
        )
