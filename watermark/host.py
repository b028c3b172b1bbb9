"""One picture while it is being marked: how loud a mark must be, after real codecs and to a model of the eye."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple, cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from watermark.carriers import Carriers
from watermark.detect import estimate_residual
from watermark.nets.model import Model
from watermark.pattern import plain_residual
from watermark.perception import quality_loss
from watermark.registration.geometry import DIHEDRAL, centred
from watermark.registration.search import Listener, Reading
from watermark.shaping import BALANCED, FOR_BRIGHTENING, FOR_SMOOTHING, Course, Scene, shaped
from watermark.working import Luma, Pixels, reduced_luma

QUIETEST, LOUDEST = 58.0, 38.0  # strengths tried, mean PSNR over photographs in dB
_STRENGTH_STEP = 0.5
_LARGEST_CHANGE = 20 / 255  # of a pixel at the working size, in units of luma


class _Reference(NamedTuple):
    """A reference attack: factor on the luma, then a codec."""

    brightness: float
    suffix: str
    option: int
    quality: int


_CODED = _Reference(1.0, ".jpg", cv2.IMWRITE_JPEG_QUALITY, 40)
_SMOOTHED = _Reference(1.0, ".webp", cv2.IMWRITE_WEBP_QUALITY, 50)  # spares flat regions less
_BRIGHTENED = _Reference(2.0, ".png", cv2.IMWRITE_PNG_COMPRESSION, 0)  # lossless
_REFERENCE_SIDE = 512  # short side at which reference attacks are made, in pixels
_DEARER = 1.1  # what reading when brightened may cost, over the quality loss that bit energy may
_MOST_LOSS = 0.5  # quality loss that reading after WebP 50 may cost
_MOST_WRONG_BRIGHTENED = 0.24  # share of wrong bits; the reference clips luma, which clips before most colours do
_HOPELESS = 0.3  # the same; with more, shaping for it did not help
_FEW_WRONG, _MOST_WRONG_SHAPED = 0.09, 0.125  # the same of a mark shaped for it, which the reference flatters
_DEAR, _DEARER_YET = 0.2, 1.2  # quality loss over which a mark is shaped longer: in JOD, and over what it may cost
_WORTH_SHAPING = 0.8  # quality loss of one shaped longer, over that before; prediction flatters it by as much
_LONGEST_SHAPED = 4  # long side over short side; beyond, gradients would take many seconds and a gigabyte
_SMALLEST_SHAPED = 200  # short side in pixels; below, enlarging to the working size blurs what shaping hears


@dataclass(frozen=True, slots=True)
class Target:
    """What a mark is asked for.

    Attributes:
        energy: bit energy that it shall keep after JPEG 40.
        loss: quality loss in JOD that it may cost; reading after WebP 50 may cost more.
        most_wrong: share of wrong channel bits with which it shall read after WebP 50.
    """

    energy: float
    loss: float
    most_wrong: float


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """A mark for one picture.

    Attributes:
        loudest: residual at :data:`LOUDEST`, in units of luma at the working size.
        strength: as chosen, mean PSNR over photographs in dB.
    """

    loudest: Luma
    strength: float

    @property
    def residual(self) -> Luma:
        """The residual at the strength chosen."""
        return _quieter(self.loudest, self.strength - LOUDEST)

    @property
    def bounded(self) -> Luma:
        """The same, no pixel of it larger than 20 / 255."""
        return self.residual.clip(-_LARGEST_CHANGE, _LARGEST_CHANGE)

    def at(self, strength: float) -> Mark:
        """The same at another strength."""
        return replace(self, strength=strength)


class Host:
    """One picture, one key's carriers and the bits to be sent.

    Args:
        model: weights that write and read.
        carriers: of the key.
        pixels: as :meth:`watermark.embed.Embedder.embed` takes them.
        signs: sent bits, +1 for 0 and -1 for 1, shape (256,).
    """

    def __init__(self, model: Model, carriers: Carriers, pixels: Pixels, signs: NDArray[np.float32]) -> None:
        self._model, self._carriers, self._signs = model, carriers, signs
        self._short_side = min(pixels.shape[:2])
        self._luma = reduced_luma(pixels)
        long = max(self._luma.shape) > _LONGEST_SHAPED * min(self._luma.shape)
        self._shapeable = not long and self._short_side >= _SMALLEST_SHAPED
        self._view = reduced_luma(pixels, min(_REFERENCE_SIDE, self._short_side))
        self._opacity: Luma = np.ones((1, 1), np.float32)  # of a change, transparent parts show only so much
        if pixels.ndim == 3 and pixels.shape[2] == 4:
            self._opacity = reduced_luma(cast(Pixels, np.ascontiguousarray(pixels[..., 3])))

    def shaped(self, strength: float, course: Course = BALANCED) -> Mark:
        """The mark after :func:`watermark.shaping.shaped`; plain where the picture is very long or small.

        Args:
            strength: the mark that is returned is ``course.louder`` dB louder.
            course: what shaping meets.
        """
        strength -= course.louder
        plain = self._plain(strength)
        if not self._shapeable:
            return Mark(_quieter(plain, LOUDEST - strength), strength)
        luma, view, opacity, start = (
            torch.from_numpy(plane)[None, None] for plane in (self._luma, self._view, self._opacity, plain)
        )
        scene, signs = Scene(luma, view, opacity, self._short_side), torch.from_numpy(self._signs)
        moved = shaped(scene, self._model, self._carriers, start, signs, course)[0, 0].numpy()
        return Mark(_quieter(moved, LOUDEST - strength), strength)

    def adapted(self, target: Target) -> Mark:
        """The mark that fits a target, shaped longer where WebP makes it dear, or brightening loses it.

        Reading after WebP 50 comes first: a mark shaped for that may read less when brightened.

        Args:
            target: what the mark shall stand and may cost.
        """
        plain = Mark(self._plain(LOUDEST), LOUDEST)
        start = self._quietest_with(plain, target.energy)  # shaping needs to start near its end
        mark = self._acceptable(self.shaped(start), target)
        if not self._shapeable or mark.strength == LOUDEST:
            return mark
        reads = self._reads_smoothed(mark, target)
        if not reads or self._loss(mark) > max(_DEAR, _DEARER_YET * target.loss):
            other = self._acceptable(self.shaped(start, FOR_SMOOTHING), target)
            cheaper = self._loss(other) < _WORTH_SHAPING * self._loss(mark)
            return other if self._reads_smoothed(other, target) and (cheaper or not reads) else mark
        loudest = mark.at(min(mark.strength, self._strength_at(mark, _DEARER * target.loss)))
        if _MOST_WRONG_BRIGHTENED < self._wrong(loudest, _BRIGHTENED) <= _HOPELESS:
            other = self.shaped(start, FOR_BRIGHTENING)
            limit = self._strength_at(other, _DEARER * target.loss)
            other = other.at(max(limit, self._quietest_brightened(other, _FEW_WRONG)))
            brightened = self._wrong(other, _BRIGHTENED) <= _MOST_WRONG_SHAPED
            return other if brightened and self._reads_smoothed(other, target) else mark
        return mark

    def reaches(self, mark: Mark, energy: float) -> bool:
        """Whether the mark's bit energy after JPEG 40 is at least ``energy``."""
        return self._heard(mark, _CODED).energy >= energy

    def _plain(self, strength: float) -> Luma:
        """The plain mark's residual."""
        return plain_residual(self._model, self._carriers, self._luma, self._signs, strength)

    def _quietest_with(self, mark: Mark, energy: float) -> float:
        """The quietest strength whose bit energy after JPEG 40 reaches ``energy``, else :data:`LOUDEST`."""
        return _quietest(lambda strength: self.reaches(mark.at(strength), energy))

    def _strength_at(self, mark: Mark, loss: float) -> float:
        """The quietest strength that costs ``loss``, else :data:`LOUDEST`."""
        return _quietest(lambda strength: self._loss(mark.at(strength)) >= loss)

    def _quietest_brightened(self, mark: Mark, most_wrong: float) -> float:
        """The quietest strength with at most that share of wrong bits when brightened, else :data:`LOUDEST`."""
        return _quietest(lambda strength: self._wrong(mark.at(strength), _BRIGHTENED) <= most_wrong)

    def _acceptable(self, mark: Mark, target: Target) -> Mark:
        """At the quietest strength that reaches the energy at no more than the loss, and reads when brightened.

        Brightening may cost a tenth more, and counts only where a mark can stand it so. But the mark is as loud as it
        must be to read after WebP 50, where that is to be had at half a JOD.
        """
        strength = max(self._quietest_with(mark, target.energy), self._strength_at(mark, target.loss))
        limit = self._strength_at(mark, _DEARER * target.loss)
        if self._wrong(mark.at(limit), _BRIGHTENED) <= _MOST_WRONG_BRIGHTENED:
            strength = min(strength, max(limit, self._quietest_brightened(mark, _MOST_WRONG_BRIGHTENED)))
        louder = np.arange(strength, self._strength_at(mark, _MOST_LOSS) - _STRENGTH_STEP / 2, -_STRENGTH_STEP)
        return mark.at(float(next((step for step in louder if self._reads_smoothed(mark.at(step), target)), strength)))

    def _loss(self, mark: Mark) -> float:
        """Predicted quality loss in JOD."""
        luma, shown = (torch.from_numpy(plane)[None, None] for plane in (self._luma, mark.bounded * self._opacity))
        return float(quality_loss(luma, shown, self._short_side))

    def _reads_smoothed(self, mark: Mark, target: Target) -> bool:
        return self._wrong(mark, _SMOOTHED) <= target.most_wrong

    def _wrong(self, mark: Mark, reference: _Reference) -> float:
        """Share of wrong channel bits after a reference attack."""
        return float(np.mean(self._heard(mark, reference).soft * self._signs < 0))

    def _heard(self, mark: Mark, reference: _Reference) -> Reading:
        """Reading of the mark after a reference attack at a short side of 512 pixels."""
        height, width = self._view.shape
        kernel = cv2.INTER_CUBIC if height >= self._luma.shape[0] else cv2.INTER_AREA
        view = self._view + cv2.resize(self._opacity * mark.bounded, (width, height), interpolation=kernel)
        levels = np.clip(np.rint(reference.brightness * view * 255), 0, 255).astype(np.uint8)
        _, coded = cv2.imencode(reference.suffix, levels, [reference.option, reference.quality])
        attacked = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)
        estimate = estimate_residual(self._model, reduced_luma(attacked))
        reading = Listener(estimate, self._carriers, self._model.receive).read(centred(DIHEDRAL[0], *estimate.shape))
        assert reading is not None  # the identity always folds
        return reading


def _quieter(residual: Luma, decibels: float) -> Luma:
    """The residual at a strength that is higher by ``decibels``."""
    return residual * 10 ** (-decibels / 20)


def _quietest(holds: Callable[[float], bool]) -> float:
    """The highest strength on the grid at which something holds that louder marks only bring about; else the lowest."""
    low, high = 0, round((QUIETEST - LOUDEST) / _STRENGTH_STEP)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(LOUDEST + middle * _STRENGTH_STEP) else (low, middle - 1)
    return LOUDEST + low * _STRENGTH_STEP
