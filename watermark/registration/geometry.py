"""Where the canonical tile lies in the residual estimate, as a 3 x 3 matrix.

Tile coordinates count samples (128 a tile) from the tile's origin, which is the centre of the marked
picture. Estimate coordinates count pixels of the decoder's output from its top left corner; pixel i covers
[i, i + 1). Both have x to the right and y down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watermark.carriers import TILE_SAMPLES

Matrix = NDArray[np.float64]


def translation(x: float, y: float) -> Matrix:
    """Matrix of a shift by (x, y)."""
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], dtype=np.float64)


def linear(a: float, b: float, c: float, d: float) -> Matrix:
    """Matrix of x' = a x + b y, y' = c x + d y."""
    return np.array([[a, b, 0], [c, d, 0], [0, 0, 1]], dtype=np.float64)


def rotation(degrees: float) -> Matrix:
    """Matrix of a rotation about the origin, counter-clockwise on the screen."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return linear(cosine, sine, -sine, cosine)


def centred(matrix: Matrix, height: int, width: int) -> Matrix:
    """``matrix`` with the tile's origin at the centre of an estimate of ``height`` x ``width`` pixels."""
    return translation(width / 2, height / 2) @ matrix


# The eight ways in which a picture can be turned and mirrored, identity first.
DIHEDRAL = tuple(np.rint(rotation(90 * turns) @ linear(mirror, 0, 0, 1)) for mirror in (1, -1) for turns in range(4))


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """How the marked picture lies in the picture examined.

    Attributes:
        rotation_degrees: turn of the content, counter-clockwise, -180 to 180.
        flipped: whether it is mirrored (left to right, before the turn).
        scale: pixels of this picture per pixel that would show the whole marked picture at this picture's
            short side; 1 for an untouched picture, 2 for the central quarter of the area.
        aspect: scale down over scale across, 1 where nothing was stretched.
        shift_x: where the marked picture's centre lies from this picture's centre, along the marked picture's own
            width and in units of its short side; known but for whole tiles, so -0.5 to 0.5.
        shift_y: the same, along its height, downwards.
        matrix: from tile coordinates (units: short side of the marked picture, origin at its centre) to pixels
            of this picture, row by row.
    """

    rotation_degrees: float
    flipped: bool
    scale: float
    aspect: float
    shift_x: float
    shift_y: float
    matrix: tuple[tuple[float, float, float], ...]

    @classmethod
    def of(cls, tile_to_estimate: Matrix, estimate_shape: tuple[int, int], image_shape: tuple[int, int]) -> Geometry:
        """Describe a registration.

        Args:
            tile_to_estimate: matrix from tile samples to estimate pixels.
            estimate_shape: height and width of the estimate.
            image_shape: height and width of the picture examined.
        """
        height, width = estimate_shape
        enlarge = np.diag([image_shape[1] / width, image_shape[0] / height, 1.0])
        matrix = enlarge @ tile_to_estimate @ np.diag([TILE_SAMPLES, TILE_SAMPLES, 1.0])
        matrix /= matrix[2, 2]
        centre = np.linalg.inv(matrix) @ [image_shape[1] / 2, image_shape[0] / 2, 1]
        position = centre[:2] / centre[2]  # of the picture's centre, in tiles
        jacobian = _jacobian(tile_to_estimate, position * TILE_SAMPLES)
        flipped = bool(np.linalg.det(jacobian) < 0)
        upright = jacobian @ np.diag([-1.0 if flipped else 1.0, 1.0])
        across, down = np.hypot(*upright[:, 0]), np.hypot(*upright[:, 1])
        shift = -(position - np.rint(position))
        return cls(
            rotation_degrees=math.degrees(math.atan2(upright[0, 1] - upright[1, 0], upright[0, 0] + upright[1, 1])),
            flipped=flipped,
            scale=float(np.sqrt(across * down)),
            aspect=float(down / across),
            shift_x=float(shift[0]),
            shift_y=float(shift[1]),
            matrix=tuple(tuple(float(value) for value in row) for row in matrix),  # type: ignore[misc]
        )


def _jacobian(matrix: Matrix, point: NDArray[np.float64]) -> Matrix:
    """Derivative (2, 2) of the homography at a point of the tile."""
    x, y, weight = matrix @ [point[0], point[1], 1.0]
    mapped = np.array([x, y]) / weight
    jacobian: Matrix = (matrix[:2, :2] - np.outer(mapped, matrix[2, :2])) / weight
    return jacobian
