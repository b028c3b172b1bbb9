"""Discs with smooth edges."""

from __future__ import annotations

import torch
from torch import Tensor


def disc(side: int, radius: float) -> Tensor:
    """A disc in the middle of a square: 1 inside, 0 outside, falling linearly over the pixel of the edge.

    Args:
        side: of the square in pixels.
        radius: in pixels.

    Returns:
        Float tensor of shape (side, side) in [0, 1].

    Example:
        >>> disc(3, 1.0)
        tensor([[0.0858, 0.5000, 0.0858],
                [0.5000, 1.0000, 0.5000],
                [0.0858, 0.5000, 0.0858]])
    """
    offset = torch.arange(side) - (side - 1) / 2
    return (radius + 0.5 - torch.hypot(offset[:, None], offset)).clamp(0, 1)
