"""White balance: the colour of the light mistaken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from attacks.base import Attack, log_uniform, register
from attacks.limits import NonNegative


@register("white_balance", family="valuemetric", unit="factors of red and of blue, 1 is the identity", gradient="exact")
@dataclass(frozen=True)
class WhiteBalance(Attack):
    """Multiply red by ``red`` and blue by ``blue`` and clip, as a camera does; luma images stay as they are."""

    red: NonNegative = 1.0
    blue: NonNegative = 1.0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(*(log_uniform(generator, 0.8**level, 1.25**level) for _ in range(2)))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        if image.shape[1] == 1:
            return image
        return (image * image.new_tensor([self.red, 1.0, self.blue])[:, None, None]).clamp(0, 1)
