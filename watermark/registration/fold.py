"""Folding: an estimate laid out on the canonical plane and summed on the torus."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from watermark.carriers import TILE_SAMPLES
from watermark.registration.geometry import Matrix, translation

_LARGEST_CANVAS = 24 * TILE_SAMPLES  # samples along one side; more means a hypothesis that makes no sense
_MIDDLE = (TILE_SAMPLES - 1) / 2  # sample j lies at tile coordinate j - _MIDDLE
_HALF_OUTWARDS = 0.5 * np.array([[-1, 1, -1, 1], [-1, -1, 1, 1]])
_TO_PIXEL_CENTRES = translation(-0.5, -0.5)


def fold(estimate: NDArray[np.float32], tile_to_estimate: Matrix) -> NDArray[np.float32] | None:
    """Sum all copies of the tile that the estimate holds.

    What lies outside of the estimate counts as zero, so parts that are missing leave soft bits honest.

    Args:
        estimate: float32, shape (h, w).
        tile_to_estimate: matrix from tile samples (origin at the marked picture's centre) to estimate pixels.

    Returns:
        Float32 array of shape (128, 128), sample j of an axis at (j + 1/2) - 64; ``None`` if the estimate would
        cover absurdly many tiles.
    """
    height, width = estimate.shape
    # linear interpolation reaches half a pixel beyond the edges
    corners = np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]], dtype=np.float64)
    corners[:2] += _HALF_OUTWARDS
    mapped = np.linalg.inv(tile_to_estimate) @ corners
    if mapped[2].min() <= 0:
        return None  # the horizon crosses the picture
    points = mapped[:2] / mapped[2] + _MIDDLE
    left, top = (math.ceil(value + 1e-6) for value in points.min(axis=1).tolist())
    right, bottom = (math.floor(value - 1e-6) + 1 for value in points.max(axis=1).tolist())
    size = (right - left, bottom - top)
    if min(size) <= 0 or max(size) > _LARGEST_CANVAS:
        return None
    # OpenCV counts from pixel centres on both sides
    matrix = _TO_PIXEL_CENTRES @ tile_to_estimate @ translation(left - _MIDDLE, top - _MIDDLE)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    if matrix[2].tolist() == [0, 0, 1]:
        canvas = cv2.warpAffine(estimate, matrix[:2], size, flags=flags)
    else:
        canvas = cv2.warpPerspective(estimate, matrix, size, flags=flags)
    band = np.zeros((TILE_SAMPLES, size[0]), dtype=np.float32)
    for on_torus, on_canvas in _pieces(top, size[1]):
        band[on_torus] += canvas[on_canvas]
    folded = np.zeros((TILE_SAMPLES, TILE_SAMPLES), dtype=np.float32)
    for on_torus, on_canvas in _pieces(left, size[0]):
        folded[:, on_torus] += band[:, on_canvas]
    return folded


def _pieces(first: int, length: int) -> Iterator[tuple[slice, slice]]:
    """Cut ``length`` samples from sample ``first`` on at the tiles' borders: each piece on the torus, on the canvas."""
    start = first
    while start < first + length:
        place = start % TILE_SAMPLES
        count = min(TILE_SAMPLES - place, first + length - start)
        yield slice(place, place + count), slice(start - first, start - first + count)
        start += count
