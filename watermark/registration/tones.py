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
CLIP = 12.0
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

    def at(self, across: NDArray[np.float32], down: NDArray[np.float32]) -> NDArray[np.float32]:
        """Power at frequencies in cycles per sample, each of shape (m, n); zero beyond the Nyquist frequency."""
        rows, columns = self.power.shape
        x = across * np.float32(columns) + np.float32(columns // 2)
        y = down * np.float32(rows) + np.float32(rows // 2)
        values = cv2.remap(self.power, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
        return np.asarray(values, dtype=np.float32)


def power_spectrum(estimate: NDArray[np.float32]) -> PowerSpectrum:
    """Power spectrum of an estimate (h, w) under a Tukey window, zero-padded, over its local mean."""
    height, width = (min(length, _LONGEST) for length in estimate.shape)
    top, left = (estimate.shape[0] - height) // 2, (estimate.shape[1] - width) // 2
    part = estimate[top : top + height, left : left + width]
    window = np.outer(*(_window(length) for length in (height, width)))
    rows, columns = (512 if length <= 256 else 1024 if length <= 512 else 1536 for length in (height, width))
    power = relative_power(part * window.astype(np.float32), rows, columns)
    reach = (2 * round(columns / width) + 1, 2 * round(rows / height) + 1)
    is_peak = power >= cv2.dilate(power, np.ones(reach[::-1], dtype=np.uint8))
    y, x = np.nonzero(is_peak)
    frequency = np.stack([(x - columns // 2) / columns, (y - rows // 2) / rows], axis=1)
    radius = np.hypot(*frequency.T)
    keep = (radius > 6 / TILE_SAMPLES) & ((frequency[:, 0] > 0) | ((frequency[:, 0] == 0) & (frequency[:, 1] > 0)))
    frequency, strength = frequency[keep], power[y[keep], x[keep]]
    order = np.argsort(-strength, kind="stable")[:_PEAKS]
    return PowerSpectrum(np.minimum(power, CLIP), frequency[order])


def relative_power(part: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.float32]:
    """Power spectrum of a windowed part (h, w), zero-padded to (rows, columns), over its local mean.

    Zero frequency is at [rows // 2, columns // 2].
    """
    height, width = part.shape
    padded = np.zeros((rows, columns), dtype=np.float32)
    padded[:height, :width] = part
    spectrum = cv2.dft(padded, flags=cv2.DFT_COMPLEX_OUTPUT, nonzeroRows=height)
    power = np.fft.fftshift(spectrum[..., 0] ** 2 + spectrum[..., 1] ** 2)
    # the local mean spans about 16 cycles of the tile, many tones' distance apart
    size = (columns // 8 | 1, rows // 8 | 1)
    relative: NDArray[np.float32] = power / (cv2.blur(power, size, borderType=cv2.BORDER_REFLECT) + np.float32(1e-20))
    return relative


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
    if not len(maps):
        return []
    scores = _score(spectrum, maps, reach)
    best = np.argpartition(-scores, min(_POOL, len(scores)) - 1)[:_POOL]
    maps, scores = _adjust(spectrum, maps[best], scores[best], reach)
    maps = maps[np.argsort(-scores, kind="stable")]
    chosen: list[Matrix] = []
    while len(maps) and len(chosen) < count:
        first = maps[0]
        chosen.append(linear(*np.linalg.inv(first).T.ravel()))
        # the same map, up to half a turn and half a cycle at the outermost tone, is read only once
        apart = np.minimum(*(np.abs(maps + sign * first).max(axis=(1, 2)) for sign in (1, -1)))
        maps = maps[apart > 0.012]
    return chosen


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
    reach = tones.astype(np.float32)
    scores = []
    for chunk in np.array_split(maps.astype(np.float32), max(1, len(maps) // 4096)):
        across, down = (reach @ np.ascontiguousarray(row.T) for row in (chunk[:, 0], chunk[:, 1]))  # (48, n)
        scores.append(spectrum.at(across, down).mean(axis=0))
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
