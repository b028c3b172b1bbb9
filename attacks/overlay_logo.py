"""A logo over the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor

from attacks.base import Attack, register, uniform
from attacks.disc import disc
from attacks.limits import Share


@register(
    "overlay_logo", family="occlusion", unit="side as a share of the short side, 0 is the identity", gradient="exact"
)
@dataclass(frozen=True)
class OverlayLogo(Attack):
    """Put a white disc in a black ring, as large as ``side``, over the picture, mixed in at ``opacity``.

    The ring is the outer fifth of the radius, the disc the inner three fifths; the picture shows between them. The
    logo lies at ``x``, ``y``: 0 left or top, 1 right or bottom.
    """

    side: Share = 0.0
    x: Share = 0.5
    y: Share = 0.5
    opacity: Share = 1.0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(
            side=uniform(generator, 0.0, 0.4 * level),
            x=uniform(generator, 0.0, 1.0),
            y=uniform(generator, 0.0, 1.0),
            opacity=uniform(generator, 0.4, 1.0),
        )

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        height, width = image.shape[2:]
        pixels = round(self.side * min(height, width))
        if pixels == 0:
            return image
        outer, gap, white = (disc(pixels, share * pixels / 2) for share in (1.0, 0.8, 0.6))
        top, left = round((height - pixels) * self.y), round((width - pixels) * self.x)
        around = (left, width - pixels - left, top, height - pixels - top)
        added, covered = (F.pad(self.opacity * mask, around).to(image) for mask in (white, outer - gap + white))
        return image * (1 - covered) + added
