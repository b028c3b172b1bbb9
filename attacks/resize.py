"""Resize: a smaller or larger picture."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Literal, Self

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from attacks.base import Attack, log_uniform, register
from attacks.limits import Positive
from attacks.sizes import check_size
from attacks.warp import scaling

Kernel = Literal["nearest", "bilinear", "bicubic", "area", "lanczos"]


def resize(image: Tensor, height: int, width: int, kernel: Kernel = "bicubic") -> Tensor:
    """Resample to ``height`` x ``width`` pixels.

    ``bilinear``, ``bicubic`` and ``lanczos`` (three lobes) are anti-aliased as in Pillow; ``area`` averages what a
    pixel covers, fractions included, as OpenCV does. All are linear, so gradients pass exactly.

    Args:
        image: float in [0, 1], shape (B, C, H, W).
        height: of the output in pixels.
        width: of the output in pixels.
        kernel: see above.

    Returns:
        Float in [0, 1], shape (B, C, height, width); the image itself where it has that size.

    Raises:
        ValueError: that is too large, see :func:`attacks.sizes.check_size`.
    """
    if image.shape[2:] == (height, width):
        return image
    check_size(height, width)
    if kernel == "nearest":
        return F.interpolate(image, (height, width), mode="nearest-exact")
    if kernel in ("area", "lanczos"):  # not in torch
        down, across = _weights(image.shape[2], height, kernel), _weights(image.shape[3], width, kernel)
        return (down.to(image) @ image @ across.to(image).T).clamp(0, 1)
    return F.interpolate(image, (height, width), mode=kernel, antialias=True, align_corners=False).clamp(0, 1)


def _weights(before: int, after: int, kernel: Literal["area", "lanczos"]) -> Tensor:
    """What each pixel of an axis gives to each of its new ones: the library's resampling of the identity.

    Returns:
        Float tensor of shape (after, before).
    """
    identity = np.eye(before, dtype=np.float32)
    if kernel == "area":
        return torch.from_numpy(cv2.resize(identity, (before, after), interpolation=cv2.INTER_AREA))
    return torch.from_numpy(np.array(Image.fromarray(identity).resize((before, after), Image.Resampling.LANCZOS)))


class Resampling(Attack):
    """Attack that brings pictures to another size.

    Attributes:
        kernel: how pixels are interpolated.
    """

    kernel: Kernel

    @abstractmethod
    def size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of what becomes of a picture of that size, in pixels."""

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        return resize(image, *self.size(*image.shape[2:]), kernel=self.kernel)

    def matrix(self, height: int, width: int) -> Tensor:  # noqa: D102
        rows, columns = self.size(height, width)
        return scaling(columns / width, rows / height)


@register("resize", family="geometric", unit="factor of both sides, 1 is the identity", gradient="exact", resizes=True)
@dataclass(frozen=True)
class Resize(Resampling):
    """Change the size by ``factor`` across and ``factor * aspect`` down, with a stated kernel."""

    factor: Positive = 1.0
    aspect: Positive = 1.0
    kernel: Kernel = "bicubic"

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        kernel: Kernel = "bilinear" if torch.rand((), generator=generator) < 0.5 else "bicubic"
        return cls(log_uniform(generator, 0.35**level, 1.5**level), kernel=kernel)

    def size(self, height: int, width: int) -> tuple[int, int]:  # noqa: D102
        return max(1, round(height * self.factor * self.aspect)), max(1, round(width * self.factor))
