"""Writing a mark: pixels and payload to marked pixels, as loud as it must be, checked before it is returned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar, cast, get_args

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from watermark.carriers import Carriers
from watermark.detect import Detector, estimate_residual
from watermark.errors import UsageError
from watermark.fidelity import psnr, ssim
from watermark.nets.model import RELEASE, load_model
from watermark.pattern import plain_residual
from watermark.payload.frame import Payload, encode_frame
from watermark.payload.keys import Key
from watermark.perception import quality_loss
from watermark.registration.geometry import DIHEDRAL, centred
from watermark.registration.search import Listener, Reading
from watermark.shaping import Scene, shaped
from watermark.working import Luma, Pixels, add_residual, check_pixels, reduced_luma

Robustness = Literal["low", "standard", "high"]
Signal = TypeVar("Signal", Luma, Tensor)


class _Reference(NamedTuple):
    """A reference attack: factor on the luma, then a codec."""

    brightness: float
    suffix: str
    option: int
    quality: int


_CODED = _Reference(1.0, ".jpg", cv2.IMWRITE_JPEG_QUALITY, 40)
_SMOOTHED = _Reference(1.0, ".webp", cv2.IMWRITE_WEBP_QUALITY, 50)  # spares flat regions less
_BRIGHTENED = _Reference(2.0, ".png", cv2.IMWRITE_PNG_COMPRESSION, 0)  # lossless
# Bit energy that the mark shall keep after JPEG 40, the quality loss (JOD) that it may cost, and the share of wrong
# channel bits with which it shall read after WebP 50, which may cost more.
_TARGETS: dict[Robustness, tuple[float, float, float]] = {
    "low": (2.5, 0.1, 0.15),
    "standard": (3.75, 0.165, 0.18),
    "high": (5.6, 0.275, 0.18),
}
_DEARER = 1.1  # what reading when brightened may cost, over the quality loss that bit energy may
_MOST_WRONG_BRIGHTENED = (
    0.24  # the same share when brightened: the reference clips luma, which clips before most colours do
)
_MOST_LOSS = 0.5  # what reading after WebP 50 may cost; of 45 photographs the dearest needs .48
_LARGEST_CHANGE = 20 / 255  # of a pixel at the working size, in units of luma
QUIETEST, LOUDEST = 58.0, 38.0  # strengths tried, mean PSNR over photographs in dB
_STRENGTH_STEP = 0.5
_REFERENCE_SIDE = 512  # short side at which reference attacks are made, in pixels
_LONGEST_SHAPED = 4  # long side over short side; beyond, gradients would take many seconds and a gigabyte
_SMALLEST_SHAPED = 200  # short side in pixels; below, enlarging to the working size blurs what shaping hears


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
        self._energy, self._loss, self._most_wrong = _TARGETS[robustness]
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
        host = _Host(self, pixels)
        signs = 1.0 - 2.0 * encode_frame(payload, self._key).astype(np.float32)
        strength = self._strength
        if strength is None:  # of the plain mark; shaping needs to start near its end
            strength = host.quietest(host.residual(signs, LOUDEST), self._energy)
        residual = host.shaped(host.residual(signs, strength), signs)
        if self._strength is None:
            loudest = _quieter(residual, LOUDEST - strength)
            strength = host.acceptable(loudest, signs, self._energy, self._loss, self._most_wrong)
            residual = _quieter(loudest, strength - LOUDEST).clip(-_LARGEST_CHANGE, _LARGEST_CHANGE)
        marked = add_residual(pixels, residual)
        read = self._detector.detect(marked, search="none")
        return Marked(
            pixels=marked,
            psnr=psnr(pixels, marked),
            ssim=ssim(pixels, marked),
            strength=strength,
            reached=self._strength is not None or host.reaches(residual, self._energy),
            read_back=read.payload == payload,
        )


class _Host:
    """One picture while it is being marked."""

    def __init__(self, embedder: Embedder, pixels: Pixels) -> None:
        self._model, self._carriers = embedder._model, embedder._carriers
        side = min(_REFERENCE_SIDE, *pixels.shape[:2])
        self._short_side = min(pixels.shape[:2])
        self._luma = reduced_luma(pixels)
        self._view = reduced_luma(pixels, side)
        self._opacity: Luma = np.ones((1, 1), np.float32)  # of a change, transparent parts show only so much
        if pixels.ndim == 3 and pixels.shape[2] == 4:
            self._opacity = reduced_luma(cast(Pixels, np.ascontiguousarray(pixels[..., 3])))

    def residual(self, signs: NDArray[np.float32], strength: float) -> Luma:
        """The plain mark's residual at the working size for sent bits (256,), +1 for 0 and -1 for 1."""
        return plain_residual(self._model, self._carriers, self._luma, signs, strength)

    def shaped(self, residual: Luma, signs: NDArray[np.float32]) -> Luma:
        """The residual after :func:`watermark.shaping.shaped`; as it is where the picture is very long or small."""
        if max(residual.shape) > _LONGEST_SHAPED * min(residual.shape) or self._short_side < _SMALLEST_SHAPED:
            return residual
        luma, view, opacity, start = (
            torch.from_numpy(plane)[None, None] for plane in (self._luma, self._view, self._opacity, residual)
        )
        scene = Scene(luma, view, opacity, self._short_side)
        return shaped(scene, self._model, self._carriers, start, torch.from_numpy(signs))[0, 0].numpy()

    def quietest(self, loudest: Luma, energy: float) -> float:
        """The quietest strength whose bit energy after JPEG 40 reaches ``energy``.

        Args:
            loudest: the mark's residual at :data:`LOUDEST`.
            energy: bit energy asked for.
        """
        return _quietest(lambda strength: self.reaches(_quieter(loudest, strength - LOUDEST), energy))

    def reaches(self, residual: Luma, energy: float) -> bool:
        """Whether the residual's bit energy after JPEG 40 is at least ``energy``."""
        return self._heard(residual, _CODED).energy >= energy

    def acceptable(
        self, loudest: Luma, signs: NDArray[np.float32], energy: float, loss: float, most_wrong: float
    ) -> float:
        """The quietest strength that reaches ``energy`` at no more than ``loss``, and reads when brightened.

        Brightening may cost a tenth more, and counts only where a mark can stand it so. But the mark is as loud as it
        must be to read after WebP 50 with a share of ``most_wrong`` bits, where that is to be had at half a JOD.
        """
        luma, shown = (torch.from_numpy(plane)[None, None] for plane in (self._luma, loudest * self._opacity))

        def loudest_at(loss: float) -> float:
            return _quietest(
                lambda strength: bool(quality_loss(luma, _quieter(shown, strength - LOUDEST), self._short_side) >= loss)
            )

        def reads(strength: float, reference: _Reference, most_wrong: float) -> bool:
            soft = self._heard(_quieter(loudest, strength - LOUDEST), reference).soft
            return float(np.mean(soft * signs < 0)) <= most_wrong

        def reads_brightened(strength: float) -> bool:
            return reads(strength, _BRIGHTENED, _MOST_WRONG_BRIGHTENED)

        strength, limit = max(self.quietest(loudest, energy), loudest_at(loss)), loudest_at(_DEARER * loss)
        if reads_brightened(limit):
            strength = min(strength, max(limit, _quietest(reads_brightened)))
        louder = np.arange(strength, loudest_at(_MOST_LOSS) - _STRENGTH_STEP / 2, -_STRENGTH_STEP)
        return float(next((strength for strength in louder if reads(strength, _SMOOTHED, most_wrong)), strength))

    def _heard(self, residual: Luma, reference: _Reference) -> Reading:
        """Reading of the mark after a reference attack at a short side of 512 pixels."""
        height, width = self._view.shape
        kernel = cv2.INTER_CUBIC if height >= residual.shape[0] else cv2.INTER_AREA
        view = self._view + cv2.resize(self._opacity * residual, (width, height), interpolation=kernel)
        levels = np.clip(np.rint(reference.brightness * view * 255), 0, 255).astype(np.uint8)
        _, coded = cv2.imencode(reference.suffix, levels, [reference.option, reference.quality])
        attacked = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)
        estimate = estimate_residual(self._model, reduced_luma(attacked))
        reading = Listener(estimate, self._carriers, self._model.receive).read(centred(DIHEDRAL[0], *estimate.shape))
        assert reading is not None  # the identity always folds
        return reading


def _quieter(residual: Signal, decibels: float) -> Signal:
    """The residual at a strength that is higher by ``decibels``."""
    return residual * 10 ** (-decibels / 20)


def _quietest(holds: Callable[[float], bool]) -> float:
    """The highest strength on the grid at which something holds that louder marks only bring about; else the lowest."""
    low, high = 0, round((QUIETEST - LOUDEST) / _STRENGTH_STEP)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(LOUDEST + middle * _STRENGTH_STEP) else (low, middle - 1)
    return LOUDEST + low * _STRENGTH_STEP
