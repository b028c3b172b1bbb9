"""Sizes that make no sense, refused before they take up memory."""

from __future__ import annotations

from torch import Tensor

MOST_PIXELS = 2**28  # that an attack makes: 268 million


def check_size(height: int, width: int) -> None:
    """Check that an attack may make a picture of that size in pixels.

    Raises:
        ValueError: it has more than 2**28 pixels, 268 million.
    """
    if height * width > MOST_PIXELS:
        raise ValueError(
            f"{width:.9g} x {height:.9g} pixels would be made, but at most {MOST_PIXELS} may; make it smaller"
        )


def check_window(side: int, image: Tensor, *, reflected: bool = True) -> None:
    """Check that a window fits a picture.

    Args:
        side: of the window in pixels, odd.
        image: shape (B, C, H, W).
        reflected: whether it may reach into the borders reflected once, or must be no larger than the picture.

    Raises:
        ValueError: it does not fit.
    """
    short_side = min(image.shape[2:])
    most = 2 * short_side - 1 if reflected else short_side
    if side > most:
        raise ValueError(
            f"a window of {side:.9g} pixels would be needed, but at most {most} fit this picture; take a smaller one"
        )
