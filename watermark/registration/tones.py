"""Rotation, scale and stretch from the pilot tones in the power spectrum, which no shift changes.

A tone at frequency f (cycles per tile) of a picture that was mapped by A appears at A^-T f. Every peak of
the power spectrum that is one of the tones therefore fixes rotation and scale; so each pair of a peak and a
tone proposes a hypothesis, whose score is the power at the places of all other tones.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from watermark.carriers import TILE_SAMPLES
from watermark.registration.geometry import Matrix, linear

_SMALLEST_SCALE, _LARGEST_SCALE = 0.7, 3.6
_LONGEST = 768  # samples of a side that are transformed; the middle of longer estimates
_CLIP = 12.0
_PEAKS = 400
_STRETCHED_PEAKS = 150  # each is tried with 25 stretches
_TAPER = 0.1  # share of each side under the window's cosine flanks; a full Hann window costs the tones 2 dB
_STRETCH = 0.15
_STRETCH_STEP = 0.012
_POOL = 1500  # hypotheses that are adjusted after the first scoring


@dataclass(frozen=True)
class PowerSpectrum:
    """Normalised power of an estimate.

    Attributes:
        power: power over its local mean, clipped; shape (Fy, Fx), zero frequency at [Fy // 2, Fx // 2].
        peaks: frequencies of its strongest local maxima in cycles per sample (x, y), half plane, shape (n, 2).
    """

    power: NDArray[np.float32]
    peaks: NDArray[np.float64]

    def at(self, frequencies: NDArray[np.float64]) -> NDArray[np.float32]:
        """Power at frequencies in cycles per sample, shape (..., 2); zero beyond the Nyquist frequency."""
        rows, columns = self.power.shape
        x = np.rint(frequencies[..., 0] * columns).astype(np.int32) + columns // 2
        y = np.rint(frequencies[..., 1] * rows).astype(np.int32) + rows // 2
        inside = (x >= 0) & (x < columns) & (y >= 0) & (y < rows)
        values: NDArray[np.float32] = np.where(inside, self.power.ravel().take(y * columns + x, mode="clip"), 0)
        return values


def power_spectrum(estimate: NDArray[np.float32]) -> PowerSpectrum:
    """Power spectrum of an estimate (h, w) under a Tukey window, zero-padded, over its local mean."""
    height, width = (min(length, _LONGEST) for length in estimate.shape)
    top, left = (estimate.shape[0] - height) // 2, (estimate.shape[1] - width) // 2
    part = estimate[top : top + height, left : left + width]
    window = np.outer(*(_window(length) for length in (height, width)))
    rows, columns = (512 if length <= 256 else 1024 if length <= 512 else 1536 for length in (height, width))
    padded = np.zeros((rows, columns), dtype=np.float32)
    padded[:height, :width] = part * window.astype(np.float32)
    spectrum = cv2.dft(padded, flags=cv2.DFT_COMPLEX_OUTPUT, nonzeroRows=height)
    power = np.fft.fftshift(spectrum[..., 0] ** 2 + spectrum[..., 1] ** 2)
    # the local mean spans about 16 cycles of the tile, many tones' distance apart
    size = (columns // 8 | 1, rows // 8 | 1)
    power = power / (cv2.blur(power, size, borderType=cv2.BORDER_REFLECT) + 1e-20)
    power = power.astype(np.float32)
    reach = (2 * round(columns / width) + 1, 2 * round(rows / height) + 1)
    is_peak = power >= cv2.dilate(power, np.ones(reach[::-1], dtype=np.uint8))
    y, x = np.nonzero(is_peak)
    frequency = np.stack([(x - columns // 2) / columns, (y - rows // 2) / rows], axis=1)
    radius = np.hypot(*frequency.T)
    keep = (radius > 6 / TILE_SAMPLES) & ((frequency[:, 0] > 0) | ((frequency[:, 0] == 0) & (frequency[:, 1] > 0)))
    frequency, strength = frequency[keep], power[y[keep], x[keep]]
    order = np.argsort(-strength, kind="stable")[:_PEAKS]
    return PowerSpectrum(np.minimum(power, _CLIP), frequency[order])


def _window(length: int) -> NDArray[np.float64]:
    """Tukey window: flat but for half-cosine flanks, shape (length,)."""
    distance = (np.minimum(np.arange(length), np.arange(length)[::-1]) + 0.5) / length
    window: NDArray[np.float64] = np.where(distance < _TAPER / 2, np.sin(np.pi * distance / _TAPER) ** 2, 1.0)
    return window


def hypotheses(
    spectrum: PowerSpectrum, tones: NDArray[np.int64], *, upright: bool, stretched: bool, count: int
) -> list[Matrix]:
    """The most likely linear maps from tile samples to estimate pixels.

    A picture turned by half a turn has the same power spectrum; only one of the two is returned.

    Args:
        spectrum: of the estimate.
        tones: frequencies of the pilot tones (x, y) in cycles per tile, shape (48, 2).
        upright: keep only rotations near whole quarter turns.
        stretched: also try pictures stretched by up to 15 % across or down, after or before they were turned.
        count: how many to return, best first.
    """
    steps = np.exp(np.arange(-_STRETCH, _STRETCH + 1e-9, _STRETCH_STEP)) if stretched else np.ones(1)
    reach = np.asarray(tones, dtype=np.float64) / TILE_SAMPLES  # cycles per tile sample
    peaks = spectrum.peaks[:_STRETCHED_PEAKS] if stretched and not upright else spectrum.peaks
    found: list[NDArray[np.float64]] = []
    for stretch in steps:
        squeeze = np.array([np.sqrt(stretch), 1 / np.sqrt(stretch)])
        for mirror in (np.array([1.0, 1.0]), np.array([-1.0, 1.0])):
            # stretched after the turn: undo it on the peaks
            found.append(_pair(peaks * squeeze, reach * mirror, upright) * mirror / squeeze[:, None])
            if stretched and not upright:  # stretched before the turn: do it to the tones
                found.append(_pair(peaks, reach * squeeze * mirror, upright) * (squeeze * mirror))
    maps = np.concatenate(found)  # (n, 2, 2) frequency maps: received = map @ tone
    scores = _score(spectrum, maps, reach)
    best = np.argsort(-scores, kind="stable")[:_POOL]
    maps, scores = _adjust(spectrum, maps[best], scores[best], reach)
    chosen: list[NDArray[np.float64]] = []
    for index in np.argsort(-scores, kind="stable"):
        candidate = maps[index]
        # the same map up to half a cycle at the outermost tone
        if all(min(np.abs(candidate - other).max(), np.abs(candidate + other).max()) > 0.012 for other in chosen):
            chosen.append(candidate)
            if len(chosen) == count:
                break
    return [linear(*np.linalg.inv(candidate).T.ravel()) for candidate in chosen]


def _pair(peaks: NDArray[np.float64], tones: NDArray[np.float64], upright: bool) -> NDArray[np.float64]:
    """Frequency maps (n, 2, 2) that take some tone to some peak by rotation and scale alone."""
    received = peaks[:, 0] + 1j * peaks[:, 1]
    sent = tones[:, 0] + 1j * tones[:, 1]
    turn = (received[:, None] / sent[None]).ravel()  # received = turn * sent
    shrink = np.abs(turn)
    keep = (shrink > 1 / _LARGEST_SCALE) & (shrink < 1 / _SMALLEST_SCALE)
    if upright:
        keep &= np.abs((np.angle(turn) + np.pi / 4) % (np.pi / 2) - np.pi / 4) < np.radians(1.0)
    turn = turn[keep]
    return np.stack([np.stack([turn.real, -turn.imag], -1), np.stack([turn.imag, turn.real], -1)], 1)


def _score(spectrum: PowerSpectrum, maps: NDArray[np.float64], tones: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean power at the places of all tones under each map, shape (n,)."""
    scores = [
        spectrum.at(tones @ chunk.transpose(0, 2, 1)).mean(axis=1, dtype=np.float64)
        for chunk in np.array_split(maps, max(1, len(maps) // 4096))
    ]
    return np.concatenate(scores)


def _adjust(
    spectrum: PowerSpectrum, maps: NDArray[np.float64], scores: NDArray[np.float64], tones: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Climb from each map by small turns and scalings, twice, halving the step."""
    for step in (0.006, 0.003):
        moved = [maps]
        for change in ((1 + step, 0), (1 - step, 0), (1, step), (1, -step)):
            moved.append(np.array([[change[0], -change[1]], [change[1], change[0]]]) @ maps)
        every = np.stack([scores, *(_score(spectrum, candidate, tones) for candidate in moved[1:])])  # (5, n)
        choice = every.argmax(axis=0)
        maps = np.stack(moved)[choice, np.arange(len(maps))]
        scores = every.max(axis=0)
    return maps, scores
