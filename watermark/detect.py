"""Reading a mark: pixels to :class:`Detection`, blind, at any size, rotation and crop."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from watermark.carriers import Carriers
from watermark.errors import UsageError
from watermark.nets.model import RELEASE, Model, load_model
from watermark.payload.frame import FORMATS, TAG_BITS, FrameReading, Payload, decode_frame, encode_frame
from watermark.payload.keys import Key
from watermark.registration.candidates import Search, candidates, most_candidates
from watermark.registration.geometry import Geometry
from watermark.registration.joint import Patterns
from watermark.registration.search import HOMOGRAPHY, Listener, Reading, tone_frequencies
from watermark.working import Luma, Pixels, check_pixels, reduced_luma

_WORTH_DECODING = 1.25  # bit energy; payloads were read from 1.4 up. Chance reaches it upright once in 400 keys, and
# in most readings of a long search, which are the best of hundreds.
CLAIM_LEVEL = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """What a picture says under a key.

    Attributes:
        present: whether a frame with a valid tag was read.
        payload: what it says; ``None`` if not present.
        false_positive_bound: tags compared x 2**-32, every decoding attempt counted: if present, an upper bound of
            the probability that an unmarked picture gives as much; if not, what the search would have risked.
        geometry: how the marked picture lies in this one; the identity where ``search`` is ``none``, ``None`` if not
            present.
        bit_errors: of the 256 channel bits, those whose hard decision was wrong; ``None`` if not present.
        score: highest bit energy met: 1 where there is no mark, 1 + signal-to-noise ratio where there is.
        search: how far was searched: ``none``, ``fast`` or ``full``.
    """

    present: bool
    payload: Payload | None
    false_positive_bound: float
    geometry: Geometry | None
    bit_errors: int | None
    score: float
    search: Search


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """How well a picture fits a claimed payload.

    Attributes:
        matches: whether ``p_value`` is at most 1e-6.
        p_value: upper bound of the probability of so good a fit by chance in a picture without this key's mark,
            over all hypotheses that the search can compare. (A picture with another payload of the key fits like
            chance too, see docs/decisions/0007, but no bound is proved for that.)
        bit_errors: of the 256 channel bits, those whose hard decision differs from the claim, at the fit reported:
            the first to match, or the best.
        geometry: how the marked picture lies in this one at that fit.
    """

    matches: bool
    p_value: float
    bit_errors: int
    geometry: Geometry


def estimate_residual(model: Model, luma: Luma) -> NDArray[np.float32]:
    """The decoder's estimate (h / 2, w / 2) from working-size luma (h, w) in [0, 1], h and w even."""
    height, width = luma.shape
    padded = F.pad(torch.from_numpy(luma)[None, None], (0, -width % 8, 0, -height % 8), mode="replicate")
    with torch.inference_mode():
        estimate = model.estimate(padded)[0, 0, : height // 2, : width // 2]
    return estimate.contiguous().numpy()


class Detector:
    """Reads marks of one key; safe to share between threads, the same answer on every run.

    Args:
        key: the secret; the published open key if ``None``.
        formats: payload sizes in bits to try, in order.
        weights: weights file; the released weights by default.

    Raises:
        WeightsError: the weights cannot be used.
    """

    def __init__(self, key: Key | None = None, formats: tuple[int, ...] = FORMATS, weights: Path = RELEASE) -> None:
        if not formats or not set(formats) <= set(FORMATS):
            raise UsageError(f"formats must be some of {FORMATS}, but are {formats}")
        self._key = key if key is not None else Key.open()
        self._formats = formats
        self._model = load_model(weights)
        self._carriers = Carriers.from_key(self._key)
        self._receive = self._model.receive.detach()
        self._tones = tone_frequencies(self._carriers)
        self._patterns = Patterns(self._carriers, self._model.transmit, self._model.receive)

    def detect(self, pixels: Pixels, search: Search = "full") -> Detection:
        """Look for a mark.

        Args:
            pixels: uint8 or uint16, H x W, H x W x 3 (RGB) or H x W x 4 (RGBA), short side 128 px or more.
            search: ``none`` expects the picture as it was marked but for its size; ``fast`` also finds flips,
                quarter turns, crops and padding; ``full`` any rotation, stretching and mild perspective too.

        Raises:
            UnsupportedImage: pixels of another kind.
            ImageTooSmall: the short side is under 128 px.
            UsageError: ``search`` is something else.
        """
        listener = self._listen(pixels, search)
        tags = 0
        score = 0.0
        for reading in self._candidates(listener, search):
            score = max(score, reading.energy)
            if reading.energy < _WORTH_DECODING:
                continue
            frame, compared = decode_frame(reading.soft, self._key, self._formats)
            tags += compared
            if frame is not None:
                if search != "none":  # a slight turn or crop still reads upright
                    reading = _refine_on_codeword(listener, reading, frame)
                return Detection(
                    present=True,
                    payload=frame.payload,
                    false_positive_bound=min(1.0, tags * 2.0**-TAG_BITS),
                    geometry=Geometry.of(reading.matrix, listener.estimate.shape, pixels.shape[:2]),
                    bit_errors=frame.bit_errors,
                    score=score,
                    search=search,
                )
        return Detection(
            present=False,
            payload=None,
            false_positive_bound=min(1.0, tags * 2.0**-TAG_BITS),
            geometry=None,
            bit_errors=None,
            score=score,
            search=search,
        )

    def check(self, pixels: Pixels, payload: Payload, search: Search = "full") -> Check:
        """Compare a picture with a claimed payload; reads marks far too weak for :meth:`detect`.

        The p-value is Hoeffding's bound on the correlation of all 256 soft bits with the codeword, whose
        whitening is random under the key, times the hypotheses that the search can compare.

        Args:
            pixels: as for :meth:`detect`.
            payload: the claim.
            search: as for :meth:`detect`.

        Raises:
            UnsupportedImage: pixels of another kind.
            ImageTooSmall: the short side is under 128 px.
            UsageError: ``search`` is something else.
        """
        listener = self._listen(pixels, search)
        codeword = encode_frame(payload, self._key)
        hypotheses_compared = most_candidates(search)
        best, fit = None, -math.inf
        for reading in self._candidates(listener, search):
            if _correlation(reading, codeword) > fit:
                best, fit = reading, _correlation(reading, codeword)
            p_value = min(1.0, hypotheses_compared * math.exp(-0.5 * max(fit, 0.0) ** 2))
            if p_value <= CLAIM_LEVEL:
                break
        assert best is not None  # the identity is always read
        return Check(
            matches=p_value <= CLAIM_LEVEL,
            p_value=p_value,
            bit_errors=int(np.count_nonzero((best.soft < 0) != codeword.astype(bool))),
            geometry=Geometry.of(best.matrix, listener.estimate.shape, pixels.shape[:2]),
        )

    def readings(self, pixels: Pixels, search: Search = "full") -> Iterator[Reading]:
        """All readings that :meth:`detect` would consider if none of them decoded; for measuring.

        Args:
            pixels: as for :meth:`detect`.
            search: as for :meth:`detect`.
        """
        return self._candidates(self._listen(pixels, search), search)

    def _listen(self, pixels: Pixels, search: str) -> Listener:
        if search not in get_args(Search):
            raise UsageError(f"search must be one of {', '.join(get_args(Search))}, but is {search!r}")
        check_pixels(pixels)
        return Listener(estimate_residual(self._model, reduced_luma(pixels)), self._carriers, self._receive)

    def _candidates(self, listener: Listener, search: Search) -> Iterator[Reading]:
        return candidates(listener, self._tones, self._patterns, search)


def _correlation(reading: Reading, codeword: NDArray[np.uint8]) -> float:
    """Correlation of soft bits with a codeword over the soft bits' length: a standard normal, at most, by chance."""
    signs = 1.0 - 2.0 * codeword
    return float(signs @ reading.soft / np.linalg.norm(reading.soft))


def _refine_on_codeword(listener: Listener, reading: Reading, frame: FrameReading) -> Reading:
    """Sharpen a registration with the whole codeword known, up to a homography."""
    return listener.refine(reading, HOMOGRAPHY, lambda moved: _correlation(moved, frame.codeword), sweeps=3)
