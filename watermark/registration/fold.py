"""Folding: an estimate laid out on the canonical plane and summed on the torus."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from watermark.carriers import TILE_SAMPLES
from watermark.registration.geometry import Matrix, translation

_LARGEST_CANVAS = 24  # tiles along one side; more means a hypothesis that makes no sense


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
    corners = np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]], dtype=np.float64)
    mapped = np.linalg.inv(tile_to_estimate) @ corners
    if np.any(mapped[2] <= 0):
        return None  # the horizon crosses the picture
    points = mapped[:2] / mapped[2] / TILE_SAMPLES + 0.5  # tile k covers [k, k + 1)
    left, top = (math.floor(value + 1e-6) for value in points.min(axis=1))
    columns, rows = (math.ceil(value - 1e-6) for value in points.max(axis=1))
    columns, rows = columns - left, rows - top
    if not (0 < columns <= _LARGEST_CANVAS and 0 < rows <= _LARGEST_CANVAS):
        return None
    # OpenCV counts from pixel centres on both sides
    first = (left - 0.5) * TILE_SAMPLES, (top - 0.5) * TILE_SAMPLES
    matrix = translation(-0.5, -0.5) @ tile_to_estimate @ translation(first[0] + 0.5, first[1] + 0.5)
    size = (columns * TILE_SAMPLES, rows * TILE_SAMPLES)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    if np.allclose(matrix[2], (0, 0, 1)):
        canvas = cv2.warpAffine(estimate, matrix[:2], size, flags=flags)
    else:
        canvas = cv2.warpPerspective(estimate, matrix, size, flags=flags)
    tiles = canvas.reshape(rows, TILE_SAMPLES, columns, TILE_SAMPLES)
    folded: NDArray[np.float32] = tiles.sum(axis=(0, 2), dtype=np.float32)
    return folded
