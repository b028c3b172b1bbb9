"""Resampling under a 3 x 3 matrix, the one place where the pixel convention meets torch's."""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

_OUTSIDE = 1e3  # of a grid that spans [-1, 1]


def translation(x: float, y: float) -> Tensor:
    """Matrix of a shift by (x, y) pixels."""
    return torch.tensor([[1, 0, x], [0, 1, y], [0, 0, 1]], dtype=torch.float64)


def scaling(x: float, y: float) -> Tensor:
    """Matrix of a magnification by x across and y down, about the origin."""
    return torch.diag(torch.tensor([x, y, 1.0], dtype=torch.float64))


def rotation(degrees: float) -> Tensor:
    """Matrix of a rotation about the origin, counter-clockwise on the screen (y points down)."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return torch.tensor([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]], dtype=torch.float64)


def warp(
    image: Tensor, matrix: Tensor, height: int, width: int, mode: Literal["bilinear", "bicubic"] = "bilinear"
) -> Tensor:
    """Move pixels by a matrix; what comes from outside is black.

    Args:
        image: float, shape (B, C, H, W).
        matrix: from input to output pixel coordinates, shape (3, 3) or (B, 3, 3).
        height: height of the output in pixels.
        width: width of the output in pixels.
        mode: interpolation kernel.

    Returns:
        Tensor of shape (B, C, height, width).
    """
    batch, _, rows, columns = image.shape
    to_grid = translation(-1, -1) @ scaling(2 / columns, 2 / rows)  # grid_sample spans [-1, 1] from edge to edge
    inverse = (to_grid @ torch.linalg.inv(matrix.double())).expand(batch, 3, 3).to(image)
    x = torch.arange(width, dtype=image.dtype, device=image.device) + 0.5
    y = torch.arange(height, dtype=image.dtype, device=image.device) + 0.5
    points = torch.stack([x.expand(height, width), y[:, None].expand(height, width)], dim=-1).flatten(0, 1)
    source = points @ inverse[:, :, :2].transpose(1, 2) + inverse[:, None, :, 2]  # (B, H'W', 3)
    grid = (source[..., :2] / source[..., 2:]).unflatten(1, (height, width))
    grid = grid.nan_to_num(_OUTSIDE, _OUTSIDE, _OUTSIDE)  # on the horizon of a perspective
    return F.grid_sample(image, grid, mode=mode, padding_mode="zeros", align_corners=False)
