"""Perspective from the pilot tones: their local frequencies tell the local slope of a homography.

Let p be a point of the estimate, from its centre, and q(p) = L p / (1 + t p) the point of the tile plane seen there, up
to a shift. L is the linear map at the centre, t the *tilt*. A tone of frequency f then has the local frequency J^T f,
where J = (L - q t^T) / (1 + t p) is the derivative of q; and so a homography is scored by the power at those
frequencies, window by window, which no shift changes. Windows see little power where the scale changes within them;
so the estimate is first undone of each of a grid of tilts. What remains, seen in p / (1 + t p), is again L and the
difference of the tilts. The best are then undone of their own tilt, after which larger windows tell more, twice.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from watermark.carriers import TILE_SAMPLES
from watermark.registration.geometry import Matrix, centred, translation
from watermark.registration.tones import CLIP, PowerSpectrum, relative_power

_LARGEST_ASPECT = 3
_DRAWS = 40_000
_REACH = 0.25  # how far each corner moves inwards at most, in shares of the sides; half of the draws reach 3/5 of it
_TILT_STEP = 0.2 / TILE_SAMPLES  # of the grid of tilts, per estimate pixel
_RAREST = 1 / 1000  # tilts of fewer draws are left out
_WINDOW, _PADDED = 80, 128  # estimate pixels and samples of a local spectrum's sides
_LARGER, _LARGEST = (128, 256), (200, 256)  # the same once the tilt is nearly undone, and once more
_MOST_WINDOWS = 5  # along a side
_CLIMBED_TILTS = 12  # of the grid, the most promising
_CLIMBED = 64  # homographies of each of them
_KEPT = 10  # homographies of each of them that go on
_SHARPENED = 64  # of all those, the best
# First steps of the first climb: the elements of L in tile samples an estimate pixel, those of t
_STEPS = (0.024,) * 4 + (0.05 / TILE_SAMPLES,) * 2
_NEAR_MAP, _NEAR_TILT = 0.01, 0.025 / TILE_SAMPLES  # homographies as near as this are the same

Homographies = tuple[NDArray[np.float32], NDArray[np.float32]]  # L (n, 2, 2) and t (n, 2)
Found = tuple[float, NDArray[np.float32], NDArray[np.float64]]  # score, L (2, 2), t (2,)


def perspectives(estimate: NDArray[np.float32], tones: NDArray[np.int64], count: int) -> list[Matrix]:
    """The most likely homographies of a picture whose corners moved inwards by up to a quarter of the sides.

    A picture turned by half a turn has the same power spectra; only one of the two is returned. Nothing is proposed
    for pictures longer than 3 : 1, where it would take too long.

    Args:
        estimate: the decoder's output, float32, shape (h, w).
        tones: frequencies of the pilot tones (x, y) in cycles per tile, shape (48, 2).
        count: how many to return, best first.

    Returns:
        Matrices from tile samples to estimate pixels, both from an origin at the estimate's centre.
    """
    if max(estimate.shape) > _LARGEST_ASPECT * min(estimate.shape):
        return []
    reach = tones.astype(np.float32) / np.float32(TILE_SAMPLES)
    promising = []
    for tilt, (maps, tilts) in _draws(*estimate.shape):
        windows = _Windows(_untilted(estimate, tilt), reach, _WINDOW, _PADDED)
        scores = windows.score(maps, tilts)
        best = np.argsort(-scores, kind="stable")[:_CLIMBED]
        promising.append((float(scores[best[:4]].mean()), tilt, windows, (maps[best], tilts[best])))
    promising.sort(key=lambda item: -item[0])
    found: list[Found] = []
    for _, tilt, windows, start in promising[:_CLIMBED_TILTS]:
        scores, (maps, tilts) = _climb(windows, start)
        found += [(float(scores[index]), maps[index], tilts[index] + tilt) for index in _distinct(maps, tilts)]
    found.sort(key=lambda item: -item[0])
    for kept, window in ((_SHARPENED, _LARGER), (count, _LARGEST)):
        found = [_sharpened(estimate, reach, to_tile, tilt, *window) for _, to_tile, tilt in found[:kept]]
        found.sort(key=lambda item: -item[0])
    return [_to_estimate(to_tile, tilt) for _, to_tile, tilt in found]


def _sharpened(
    estimate: NDArray[np.float32],
    reach: NDArray[np.float32],
    to_tile: NDArray[np.float32],
    tilt: NDArray[np.float64],
    side: int,
    padded: int,
) -> Found:
    """Score of one L (2, 2) and t (2,) after a climb with larger windows, undone of its tilt; and both as they are."""
    windows = _Windows(_untilted(estimate, tilt), reach, side, padded)
    scores, (maps, tilts) = _climb(windows, (to_tile[None], np.zeros((1, 2), dtype=np.float32)))
    return float(scores[0]), maps[0], tilts[0] + tilt


def _to_estimate(to_tile: NDArray[np.float32], tilt: NDArray[np.float64]) -> Matrix:
    """Matrix from tile samples to estimate pixels of L (2, 2) and t (2,)."""
    matrix = np.eye(3)
    matrix[:2, :2], matrix[2, :2] = to_tile, tilt
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


class _Windows:
    """Local spectra of an estimate, and how well homographies fit them.

    Args:
        estimate: float32, shape (h, w).
        tones: frequencies of the pilot tones in cycles per tile sample, float32, shape (48, 2).
        side: of the windows in estimate pixels; they end with the estimate.
        padded: samples of their spectra's sides.
    """

    def __init__(self, estimate: NDArray[np.float32], tones: NDArray[np.float32], side: int, padded: int) -> None:
        self.fineness = _WINDOW / side  # of the climb's steps
        self._tones = tones
        self._spectra = []
        tall, wide = (min(side, length) for length in estimate.shape)
        taper = np.outer(_taper(tall), _taper(wide))
        for top, left in product(_starts(estimate.shape[0], tall), _starts(estimate.shape[1], wide)):
            part = estimate[top : top + tall, left : left + wide] * taper
            centre = left + (wide - estimate.shape[1]) / 2, top + (tall - estimate.shape[0]) / 2
            spectrum = PowerSpectrum(np.minimum(relative_power(part, padded, padded), CLIP), np.zeros((0, 2)))
            self._spectra.append((np.array(centre, dtype=np.float32), spectrum))

    def score(self, maps: NDArray[np.float32], tilts: NDArray[np.float32]) -> NDArray[np.float32]:
        """Mean power at the places of all tones in all windows under each homography, shape (n,)."""
        total = np.zeros(len(maps), dtype=np.float32)
        for centre, spectrum in self._spectra:
            weight = 1 + tilts @ centre  # (n,)
            seen = maps @ centre / weight[:, None]  # (n, 2)
            slope = (maps - seen[:, :, None] * tilts[:, None]) / weight[:, None, None]  # (n, 2, 2)
            across, down = (self._tones @ np.ascontiguousarray(slope[:, :, axis].T) for axis in (0, 1))  # (48, n)
            total += spectrum.at(across, down).mean(axis=0)
        return total / np.float32(len(self._spectra))


def _starts(length: int, side: int) -> NDArray[np.int64]:
    """First pixels of the windows along a side: evenly spread, about half a window apart or more."""
    count = min(_MOST_WINDOWS, round((length - side) / (side / 2)) + 1)
    return np.linspace(0, length - side, count).astype(np.int64)


def _taper(length: int) -> NDArray[np.float32]:
    """Window of the windows along a side: a sine, shape (length,)."""
    return np.sin(np.pi * (np.arange(length) + 0.5) / length).astype(np.float32)


def _untilted(estimate: NDArray[np.float32], tilt: NDArray[np.float64]) -> NDArray[np.float32]:
    """The estimate seen in p / (1 + t p), on a canvas of the same size."""
    height, width = estimate.shape
    to_estimate = np.eye(3)
    to_estimate[2, :2] = -tilt
    # OpenCV counts from pixel centres on both sides
    matrix = (
        translation(-0.5, -0.5) @ centred(to_estimate, height, width) @ translation(0.5 - width / 2, 0.5 - height / 2)
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpPerspective(estimate, matrix, (width, height), flags=flags), dtype=np.float32)


def _climb(windows: _Windows, start: Homographies) -> tuple[NDArray[np.float32], Homographies]:
    """Climb from each homography, one parameter at a time, with two step sizes; best first."""
    values = np.concatenate([start[0].reshape(-1, 4), start[1]], axis=1)  # (n, 6)

    def score(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return windows.score(values[:, :4].reshape(-1, 2, 2), values[:, 4:])

    scores = score(values)
    for step in (1, 1, 0.5, 0.5):
        for index, sign in product(range(6), (1, -1)):
            moved = values.copy()
            moved[:, index] += sign * step * windows.fineness * _STEPS[index]
            reached = score(moved)
            better = reached > scores
            values[better], scores[better] = moved[better], reached[better]
    order = np.argsort(-scores, kind="stable")
    values = values[order]
    return scores[order], (values[:, :4].reshape(-1, 2, 2), values[:, 4:])


def _distinct(maps: NDArray[np.float32], tilts: NDArray[np.float32]) -> list[int]:
    """Places of the first homographies that differ from each other."""
    left = np.arange(len(maps))
    chosen: list[int] = []
    while len(left) and len(chosen) < _KEPT:
        chosen.append(int(left[0]))
        other_map = np.abs(maps[left] - maps[left[0]]).max(axis=(1, 2)) > _NEAR_MAP
        left = left[other_map | (np.abs(tilts[left] - tilts[left[0]]).max(axis=1) > _NEAR_TILT)]
    return chosen


@lru_cache(maxsize=4)
def _draws(height: int, width: int) -> list[tuple[NDArray[np.float64], Homographies]]:
    """Homographies drawn at random, the same at every call: each tilt of the grid, and those near it less that tilt."""
    reach = np.where(np.arange(_DRAWS) % 2, _REACH, 0.6 * _REACH)[:, None, None]
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    moved = corners + (1 - 2 * corners) * reach * np.random.default_rng(0).random((_DRAWS, 4, 2))
    square = translation(0.5, 0.5) @ np.diag([1 / width, 1 / height, 1])  # from estimate pixels to the unit square
    to_tile = np.diag([width, height, 1]) * (TILE_SAMPLES / min(height, width)) @ np.linalg.inv(_quadrilaterals(moved))
    to_tile = to_tile @ square
    to_tile /= to_tile[:, 2:, 2:]
    tilts = to_tile[:, 2, :2]
    maps = to_tile[:, :2, :2] - to_tile[:, :2, 2:] * tilts[:, None]  # moved so that the centre sees the origin
    cells, near, counts = np.unique(np.rint(tilts / _TILT_STEP), axis=0, return_inverse=True, return_counts=True)
    grouped = []
    for place in np.flatnonzero(counts >= _RAREST * _DRAWS):
        tilt = cells[place] * _TILT_STEP
        here = near.ravel() == place
        grouped.append((tilt, (maps[here].astype(np.float32), (tilts[here] - tilt).astype(np.float32))))
    return grouped


def _quadrilaterals(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Homographies (n, 3, 3) from the unit square to quadrilaterals, clockwise from the top left, shape (n, 4, 2).

    Heckbert, Fundamentals of Texture Mapping and Image Warping (1989), section 2.2.3.
    """
    first, second, third, fourth = corners.transpose(1, 2, 0)  # each (2, n)
    bend = first - second + third - fourth
    edges = np.stack([second - third, fourth - third])  # (2, 2, n)
    area = edges[0, 0] * edges[1, 1] - edges[1, 0] * edges[0, 1]
    tilt_x = (bend[0] * edges[1, 1] - edges[1, 0] * bend[1]) / area
    tilt_y = (edges[0, 0] * bend[1] - bend[0] * edges[0, 1]) / area
    matrices = np.empty((len(corners), 3, 3))
    matrices[:, :2, 0] = (second - first + tilt_x * second).T
    matrices[:, :2, 1] = (fourth - first + tilt_y * fourth).T
    matrices[:, :2, 2] = first.T
    matrices[:, 2] = np.stack([tilt_x, tilt_y, np.ones_like(tilt_x)], axis=1)
    return matrices
