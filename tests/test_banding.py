"""Marking puts no bands into a smooth gradient: what is lost by rounding follows no contour of the picture.

A gradient in 8 bits has bands already: steps of one level along its contours, 16 to 40 pixels apart. Rounding could add
to them in three ways, each with a measure here, on the planes (H, W) of pictures whose unrounded gradient is known:

* Bands get wider: the mean length of runs of equal values along rows and columns, and the largest connected region of
  one value (4-neighbours), are those of the host at most (the region by a tenth more, as marks move its border).
* Steps get higher: the largest difference of neighbours is at most the host's plus that of the unrounded mark, rounded
  up.
* What rounding takes away depends on where in the gradient a pixel lies: the rounding error (marked picture less the
  sum before rounding to 8 bits) has a mean near 0 along each contour, eight to a level, and in each block of 16 x 16
  pixels. Rounding of a gradient that is not in whole levels, which is how bands come about, gives means up to half a
  level, truncation half a level throughout. No single error is over half a level, and their standard deviation is at
  most that of the uniform distribution. It is less, as the host is in whole levels and the mark under half a level
  on most of a smooth picture: errors near 0 are the most frequent, so uniform they are not.

The sum before rounding to 8 bits is the one in 16 bits, 257 times finer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import mean
from skimage.measure import label
from skimage.util import view_as_blocks

from watermark import Embedder, Payload, embed
from watermark.embed import Robustness
from watermark.working import Luma, Pixels, add_residual

PAYLOAD = Payload.from_text("testmark")
ROWS, COLUMNS = np.indices((288, 416), dtype=np.float64)
RADIUS = np.hypot(ROWS - 250, COLUMNS - 120)
GRADIENTS = {  # in levels of 8 bits
    "ramp, grey": 100 + COLUMNS / 16,
    "slant, RGB": np.dstack([90 + (ROWS + COLUMNS) / 28, 120 + COLUMNS / 40, 150 - ROWS / 20]),
    "sky, RGB": np.dstack([120 - RADIUS / 16, 150 - RADIUS / 24, 200 - RADIUS / 40]),
}


class Plane(NamedTuple):
    """One channel (H, W), all in levels of 8 bits: smooth before any rounding, exact before the marked one's."""

    smooth: NDArray[np.float64]
    host: NDArray[np.int64]
    marked: NDArray[np.int64]
    exact: NDArray[np.float64]


def mark(host: Pixels, robustness: Robustness) -> tuple[Pixels, Luma]:
    """The marked picture, and the residual at the working size that was added to it."""
    residuals = []

    def noted(pixels: Pixels, residual: Luma) -> Pixels:
        residuals.append(residual)
        return adding(pixels, residual)

    adding = embed.add_residual
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embed, "add_residual", noted)
        marked = Embedder(robustness=robustness).embed(host, PAYLOAD)
    return marked.pixels, residuals[-1]


@pytest.fixture(
    scope="module",
    params=[("ramp, grey", "standard"), ("slant, RGB", "high"), ("sky, RGB", "high")],
    ids=", ".join,
)
def planes(request: pytest.FixtureRequest) -> list[Plane]:
    gradient, robustness = request.param
    smooth = GRADIENTS[gradient]
    host = np.rint(smooth).astype(np.uint8)
    marked, residual = mark(host, robustness)
    exact = add_residual(host.astype(np.uint16) * 257, residual) / 257
    pictures = (np.atleast_3d(picture) for picture in (smooth, host.astype(int), marked.astype(int), exact))
    return [Plane(*channels) for channels in zip(*(np.moveaxis(picture, 2, 0) for picture in pictures), strict=True)]


def steps(plane: NDArray[np.number]) -> Iterator[NDArray[np.number]]:
    """Differences of neighbours in a plane, along rows and along columns."""
    return (np.diff(plane, axis=axis) for axis in (1, 0))


def mean_runs(plane: NDArray[np.int64]) -> list[float]:
    """Mean length in pixels of runs of equal values along rows and along columns."""
    lines = (plane.shape[0], plane.shape[1])
    return [plane.size / (np.count_nonzero(step) + count) for step, count in zip(steps(plane), lines, strict=True)]


def largest_region(plane: NDArray[np.int64]) -> int:
    """Pixels of the largest connected region of one value."""
    return int(np.bincount(label(plane, background=-1, connectivity=1).ravel()).max())


def test_measures_of_bands() -> None:
    bands = np.repeat([[1, 2, 2, 1]], 3, axis=0)
    assert mean_runs(bands) == [4 / 3, 3]
    assert largest_region(bands) == 6


def test_bands_get_no_wider(planes: list[Plane]) -> None:
    for plane in planes:
        assert all(np.less_equal(mean_runs(plane.marked), mean_runs(plane.host)))
        assert largest_region(plane.marked) <= 1.1 * largest_region(plane.host)


def test_steps_get_no_higher_than_the_mark_makes_them(planes: list[Plane]) -> None:
    for plane in planes:
        highest = [max(np.abs(step).max() for step in steps(part)) for part in (plane.host, plane.exact - plane.host)]
        assert max(np.abs(step).max() for step in steps(plane.marked)) <= highest[0] + np.ceil(highest[1])


def test_rounding_is_to_the_nearest_level(planes: list[Plane]) -> None:
    for plane in planes:
        error = plane.marked - plane.exact
        assert np.abs(error).max() <= 0.5 + 0.5 / 257
        assert error.std() <= 12**-0.5
        assert np.abs(plane.exact - plane.host).max() > 0.5  # there is something to round


def test_rounding_errors_follow_no_contour(planes: list[Plane]) -> None:
    for plane in planes:
        error, contours = plane.marked - plane.exact, np.floor(8 * plane.smooth).astype(int)
        numbers, sizes = np.unique(contours, return_counts=True)
        assert np.abs(mean(error, contours, numbers[sizes >= 500])).max() < 0.15
        assert np.abs(view_as_blocks(error, (16, 16)).mean((2, 3))).max() < 0.2
        assert abs(np.corrcoef(error.ravel(), plane.host.ravel())[0, 1]) < 0.02


def test_16_bits_keep_their_levels() -> None:
    """Neither multiples of 257 nor of 256 stand out, as they would after a detour through 8 bits."""
    host = np.rint(257 * (180 - RADIUS / 30)).astype(np.uint16)
    marked, _ = mark(host, "standard")
    assert np.unique(marked).size > 0.9 * np.unique(host).size > 256
    for divisor in (256, 257):
        rests = np.bincount((marked % divisor).ravel(), minlength=divisor)
        assert rests.min() > 0
        assert rests.max() < 2 * rests.mean()
