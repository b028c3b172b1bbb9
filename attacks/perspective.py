"""Perspective: the picture seen at an angle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
import torch
from kornia.geometry import get_perspective_transform
from torch import Tensor

from attacks.base import Attack, register, uniform
from attacks.warp import warp

Offset = tuple[float, float]


@register(
    "perspective",
    family="geometric",
    unit="shifts of the corners right and down as shares of the sides, 0 is the identity",
    gradient="exact",
)
@dataclass(frozen=True)
class Perspective(Attack):
    """Move each corner right by a share of the width and down by a share of the height; the canvas keeps its size.

    Gaps are black.

    Raises:
        ValueError: the moved corners are not those of a convex quadrilateral, so no camera sees them so.

    Example:
        >>> trapezium = Perspective(top_left=(0.25, 0.0), top_right=(-0.25, 0.0))
        >>> x, y, w = (trapezium.matrix(100, 200) @ torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)).tolist()
        >>> round(x / w, 6), round(y / w, 6)
        (50.0, 0.0)
    """

    top_left: Offset = (0.0, 0.0)
    top_right: Offset = (0.0, 0.0)
    bottom_right: Offset = (0.0, 0.0)
    bottom_left: Offset = (0.0, 0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not _is_convex(*self._offsets):
            raise ValueError(f"the corners of {self} do not form a convex quadrilateral; shift them less")

    @property
    def _offsets(self) -> tuple[Offset, Offset, Offset, Offset]:
        return self.top_left, self.top_right, self.bottom_right, self.bottom_left

    @classmethod
    def of_distortion(cls, scale: float, generator: torch.Generator) -> Self:
        """Each corner moves inwards, across and down each by a uniform share of up to ``scale`` / 2.

        This is the ``distortion_scale`` of torchvision's ``RandomPerspective``. Above 2/3 the corners of some draws
        fold over; those are drawn again.

        Args:
            scale: 0, the identity, to 1.
            generator: the only source of randomness.
        """
        while True:
            x, y = ([uniform(generator, 0.0, scale / 2) for _ in range(4)] for _ in range(2))
            offsets = (x[0], y[0]), (-x[1], y[1]), (-x[2], -y[2]), (x[3], -y[3])
            if _is_convex(*offsets):
                return cls(*offsets)

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls.of_distortion(0.5 * level, generator)

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        height, width = image.shape[2:]
        if self == type(self)():
            return image
        return warp(image, self.matrix(height, width), height, width, "bicubic").clamp(0, 1)

    def matrix(self, height: int, width: int) -> Tensor:  # noqa: D102
        size = torch.tensor([width, height], dtype=torch.float64)
        transform: Tensor = get_perspective_transform((_CORNERS * size)[None], (_moved(*self._offsets) * size)[None])
        return transform[0]


# of the unit square, clockwise from the top left
_CORNERS = torch.tensor([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=torch.float64)


def _moved(*offsets: Offset) -> Tensor:
    return _CORNERS + torch.tensor(offsets, dtype=torch.float64)


def _is_convex(*offsets: Offset) -> bool:
    """Whether the unit square with moved corners is convex, and not seen from behind."""
    corners = _moved(*offsets).numpy().astype(np.float32)
    return cv2.isContourConvex(corners) and cv2.contourArea(corners, oriented=True) > 0
