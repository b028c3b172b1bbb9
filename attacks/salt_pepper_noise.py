"""Salt and pepper noise: stuck pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from attacks.base import Attack, integer, register, uniform
from attacks.limits import Seed, Share
from attacks.seeded import draw_each


@register("salt_pepper_noise", family="valuemetric", unit="share of the pixels, 0 is the identity", gradient="exact")
@dataclass(frozen=True)
class SaltPepperNoise(Attack):
    """Make ``share`` of the pixels, all channels of each, black or white at even odds; image b uses ``seed + b``."""

    share: Share = 0.0
    seed: Seed = 0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(uniform(generator, 0.0, 0.05 * level), integer(generator, 2**31))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        if self.share == 0.0:
            return image
        draw = draw_each(
            image, self.seed, lambda item, generator: torch.rand((1, *item.shape[1:]), generator=generator)
        )
        salt, pepper = draw >= 1 - self.share / 2, draw < self.share / 2
        return image.masked_fill(salt, 1.0).masked_fill(pepper, 0.0)
