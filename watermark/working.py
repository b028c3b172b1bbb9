"""Between the user's pixels and the working size on which the networks see every image.

The working size has a short side of 256 pixels and keeps the aspect ratio. Large images are halved or walked in
strips, so beside the result memory stays within a small multiple of the image's own (1.4 times at 108 megapixels).
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from watermark.errors import ImageTooSmall, UnsupportedImage

WORKING_SIZE = 256
SMALLEST_SIDE = 128
LARGEST_ASPECT = 16
_STRIP_PIXELS = 1 << 20
_WHITE = {np.dtype(np.uint8): 255.0, np.dtype(np.uint16): 65535.0}

Pixels = NDArray[np.uint8] | NDArray[np.uint16]
Luma = NDArray[np.float32]


def check_pixels(pixels: Pixels) -> None:
    """Refuse what is not a picture of a kind and size that can be handled.

    Raises:
        UnsupportedImage: not a numpy array of uint8 or uint16, H x W, H x W x 3 or H x W x 4; or longer than 16 : 1.
        ImageTooSmall: the short side is under 128 pixels.
    """
    if not isinstance(pixels, np.ndarray) or pixels.dtype not in _WHITE:
        kind = getattr(pixels, "dtype", type(pixels).__name__)
        raise UnsupportedImage(f"pixels must be a numpy array of uint8 or uint16, but are {kind}; convert them first")
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (3, 4)):
        raise UnsupportedImage(f"pixels must be H x W, H x W x 3 (RGB) or H x W x 4 (RGBA), but are {pixels.shape}")
    height, width = pixels.shape[:2]
    if min(height, width) < SMALLEST_SIDE:
        raise ImageTooSmall(height, width, SMALLEST_SIDE)
    if max(height, width) > LARGEST_ASPECT * min(height, width):
        raise UnsupportedImage(
            f"the sides may differ by a factor of {LARGEST_ASPECT}, but the image is {width} x {height}; "
            "cut it into parts"
        )


def working_shape(height: int, width: int, size: int = WORKING_SIZE) -> tuple[int, int]:
    """Height and width with a short side of ``size`` pixels at the same aspect ratio, both even.

    Example:
        >>> working_shape(3000, 4000)
        (256, 342)
    """
    short = min(height, width)
    return 2 * round(height * size / short / 2), 2 * round(width * size / short / 2)


def _luma(pixels: Pixels) -> Luma:
    """Rec. 601 luma in [0, 1], transparent pixels over white; in strips, for memory."""
    luma = np.empty(pixels.shape[:2], dtype=np.float32)
    rows = max(1, _STRIP_PIXELS // pixels.shape[1])
    for top in range(0, len(luma), rows):
        luma[top : top + rows] = _strip_luma(pixels[top : top + rows])
    return luma


def _strip_luma(pixels: Pixels) -> Luma:
    scale = np.float32(1 / _WHITE[pixels.dtype])
    values = pixels.astype(np.float32)
    if pixels.ndim == 2:
        return values * scale
    luma: Luma = np.asarray(cv2.cvtColor(values[..., :3], cv2.COLOR_RGB2GRAY)) * scale
    if pixels.shape[2] == 4:
        alpha = values[..., 3] * scale
        luma = luma * alpha + (1 - alpha)
    return luma


def reduced_luma(pixels: Pixels, size: int = WORKING_SIZE) -> Luma:
    """Luma at a short side of ``size`` pixels.

    Args:
        pixels: uint8 or uint16, H x W, H x W x 3 (RGB) or H x W x 4 (RGBA; composed over white).
        size: short side of the result in pixels.

    Returns:
        Float32 luma (Rec. 601) in [0, 1], shape (h, w).
    """
    height, width = pixels.shape[:2]
    rows, columns = working_shape(height, width, size)
    # First halvings, for memory and speed. Each drops an odd pixel at the right and bottom, under a 700th of the
    # side; their rounding to whole levels averages out in the last step.
    while min(pixels.shape[:2]) >= 6 * size:
        pixels = _halve(pixels)
    return _resize(_luma(pixels), rows, columns)


def _halve(pixels: Pixels) -> Pixels:
    """Means of 2 x 2 pixels; a picture with alpha becomes luma over white, lest hidden colours leak."""
    size = (pixels.shape[1] // 2, pixels.shape[0] // 2)
    pixels = pixels[: 2 * size[1], : 2 * size[0]]
    if pixels.ndim == 2 or pixels.shape[2] == 3:
        return cast(Pixels, cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    luma = np.empty(size[::-1], dtype=pixels.dtype)
    rows = 2 * max(1, _STRIP_PIXELS // pixels.shape[1])
    for top in range(0, pixels.shape[0], rows):
        strip = _luma(pixels[top : top + rows]) * np.float32(_WHITE[pixels.dtype])
        part = cv2.resize(strip, (size[0], strip.shape[0] // 2), interpolation=cv2.INTER_AREA)
        luma[top // 2 : (top + rows) // 2] = np.rint(part)
    return luma


def _resize(plane: Luma, rows: int, columns: int) -> Luma:
    if plane.shape == (rows, columns):
        return plane
    kernel = cv2.INTER_AREA if plane.shape[0] > rows else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(plane, (columns, rows), interpolation=kernel), dtype=np.float32)


def _cubic_taps(source: int, target: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Indices and weights, each (target, 4), that enlarge a line with Keys' cubic (1981, a = -1/2)."""
    position = (np.arange(target) + 0.5) * source / target - 0.5
    first = np.floor(position).astype(np.intp) - 1
    distance = np.abs(position[:, None] - (first[:, None] + np.arange(4)))
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    weights = np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))
    return np.clip(first[:, None] + np.arange(4), 0, source - 1), weights.astype(np.float32)


def add_residual(pixels: Pixels, residual: Luma) -> Pixels:
    """The picture plus a residual given at the working size, the same in R, G and B.

    Alpha stays as it is, and so do fully transparent pixels; everything else is rounded and clipped.

    Args:
        pixels: uint8 or uint16, H x W, H x W x 3 (RGB) or H x W x 4 (RGBA).
        residual: float32 in units of luma (1 is white), any size; enlarged with a cubic.

    Returns:
        A new array of the shape and dtype of ``pixels``.
    """
    height, width = pixels.shape[:2]
    white = np.float32(_WHITE[pixels.dtype])
    if residual.shape[0] > height:  # a picture under the working size
        residual = _resize(residual, height, width)
    index, weights = _cubic_taps(residual.shape[1], width)
    wide = np.einsum("hwk,wk->hw", residual[:, index], weights * white)  # (h, W)
    index, weights = _cubic_taps(residual.shape[0], height)
    marked = np.empty_like(pixels)
    depth = cv2.CV_8U if pixels.dtype == np.uint8 else cv2.CV_16U
    strip_rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, strip_rows):
        rows = slice(top, min(top + strip_rows, height))
        first, last = index[rows].min(), index[rows].max() + 1
        taps = np.zeros((rows.stop - top, last - first), dtype=np.float32)
        np.add.at(taps, (np.arange(len(taps))[:, None], index[rows] - first), weights[rows])
        added = taps @ wide[first:last]  # (rows, W)
        if pixels.ndim == 3:
            hidden = pixels.shape[2] == 4 and pixels[rows, :, 3] == 0
            added = np.where(hidden, np.float32(0), added)
            added = cv2.merge([added] * 3 + [np.zeros_like(added)] * (pixels.shape[2] - 3))
        marked[rows] = cv2.add(pixels[rows], added, dtype=depth)  # rounds and saturates
    return marked
