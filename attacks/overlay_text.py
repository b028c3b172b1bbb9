"""Text written over the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from attacks.base import Attack, integer, register, uniform
from attacks.limits import Share

_TEXTS = ("SAMPLE", "Breaking news", "For editorial use only", "when you see it")


def _coverage(text: str, pixels: float, x: float, y: float, height: int, width: int) -> Tensor:
    """Which share of each pixel the letters cover, shape (height, width) in [0, 1]."""
    font = ImageFont.load_default(pixels)
    canvas = Image.new("L", (width, height))
    draw = ImageDraw.Draw(canvas)
    left, top, right, bottom = draw.textbbox((0, 0), text, font)
    draw.text((round((width - right + left) * x) - left, round((height - bottom + top) * y) - top), text, 255, font)
    return torch.from_numpy(np.array(canvas)) / 255


@register(
    "overlay_text", family="occlusion", unit="size as a share of the short side, 0 is the identity", gradient="exact"
)
@dataclass(frozen=True)
class OverlayText(Attack):
    """Write ``text`` in white, in the font that Pillow brings along, mixed in at ``opacity``.

    The line lies at ``x``, ``y``: 0 left or top, 1 right or bottom; what does not fit is cut off at its ends, to the
    left and right in the ratio ``x`` to 1 - ``x``. A ``size`` below one pixel writes nothing.
    """

    text: str = "SAMPLE"
    size: Share = 0.0
    x: Share = 0.5
    y: Share = 0.5
    opacity: Share = 1.0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(
            text=_TEXTS[integer(generator, len(_TEXTS))],
            size=uniform(generator, 0.0, 0.2 * level),
            x=uniform(generator, 0.0, 1.0),
            y=uniform(generator, 0.0, 1.0),
            opacity=uniform(generator, 0.4, 1.0),
        )

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        height, width = image.shape[2:]
        pixels = self.size * min(height, width)
        if pixels < 1:
            return image
        coverage = _coverage(self.text, pixels, self.x, self.y, height, width).to(image)
        return torch.lerp(image, torch.ones_like(image), self.opacity * coverage)
