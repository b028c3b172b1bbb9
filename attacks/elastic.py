"""Elastic deformation: the picture on rubber."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Self

import torch
import torch.nn.functional as F
from kornia.filters import gaussian_blur2d
from kornia.geometry.transform import remap
from torch import Tensor

from attacks.base import Attack, integer, register, uniform
from attacks.limits import Limits, NonNegative, Seed
from attacks.seeded import draw_each
from attacks.sizes import check_size

_SHORT_SIDE = 512  # of the picture in the units of the parameters
_STEP = 2  # of those units between the points at which displacements are drawn


@register(
    "elastic",
    family="geometric",
    unit="largest displacement in pixels per 512 pixels of the short side, 0 is the identity",
    gradient="exact",
)
@dataclass(frozen=True)
class Elastic(Attack):
    """Move every pixel by smooth noise (Simard et al. 2003): normal noise, blurred by a Gaussian of ``sigma``.

    The longest displacement is ``amplitude``. Both are in pixels per 512 pixels of the short side, so that pictures
    of all sizes deform alike; ``sigma`` is above 2, and the picture folds where ``amplitude`` is much larger than it.
    Image b of a batch uses ``seed + b``. Gaps are black.

    No matrix describes it: ``matrix`` is ``None``.
    """

    amplitude: NonNegative = 0.0
    sigma: Annotated[float, Limits(_STEP, above=True)] = 32.0
    seed: Seed = 0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(amplitude=uniform(generator, 0.0, 8 * level), seed=integer(generator, 2**31))

    def matrix(self, height: int, width: int) -> None:  # noqa: D102
        return None

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        if self.amplitude == 0.0:
            return image
        height, width = image.shape[2:]
        unit = min(height, width) / _SHORT_SIDE
        sigma, radius = self.sigma / _STEP, round(3 * self.sigma / _STEP)
        points = [round(side / unit / _STEP) for side in (height, width)]
        drawn = (2, points[0] + 2 * radius, points[1] + 2 * radius)  # as strong at the borders as within
        check_size(*drawn[1:])
        noise = draw_each(image, self.seed, lambda _, generator: torch.randn(drawn, generator=generator))
        smooth = gaussian_blur2d(noise, (2 * radius + 1, 2 * radius + 1), (sigma, sigma), border_type="constant")
        smooth = smooth[:, :, radius : radius + points[0], radius : radius + points[1]]
        smooth = smooth / smooth.norm(dim=1, keepdim=True).amax(dim=(1, 2, 3), keepdim=True)
        x, y = (self.amplitude * unit * F.interpolate(smooth, (height, width), mode="bilinear")).unbind(1)  # (B, H, W)
        rows, columns = (torch.arange(side).to(image) for side in (height, width))
        moved: Tensor = remap(image, x + columns, y + rows[:, None], mode="bicubic", align_corners=True)
        return moved.clamp(0, 1)
