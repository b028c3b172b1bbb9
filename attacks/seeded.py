"""Draws that depend on the seed and the place in the batch alone."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def draw_each(image: Tensor, seed: int, draw: Callable[[Tensor, torch.Generator], Tensor]) -> Tensor:
    """Draw something for each image of a batch, with a generator of its own: image b uses ``seed + b``.

    The generators are the CPU's, so that every device gives the same picture.

    Args:
        image: float, shape (B, C, H, W).
        seed: of the first image.
        draw: makes a tensor on the CPU from one image (detached, shape (C, H, W)) and a generator.

    Returns:
        What was drawn, stacked, of the dtype and on the device of ``image``.

    Example:
        >>> noise = draw_each(torch.zeros(2, 1, 1, 3), 7, lambda item, rng: torch.rand(item.shape, generator=rng))
        >>> torch.equal(noise[1], torch.rand(1, 1, 3, generator=torch.Generator().manual_seed(8)))
        True
    """
    drawn = [draw(item, torch.Generator().manual_seed(seed + index)) for index, item in enumerate(image.detach())]
    return torch.stack(drawn).to(image)
