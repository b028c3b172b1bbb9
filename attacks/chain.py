"""Chain: attacks one after the other, and the base of the attacks that are such a chain."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from attacks.base import Attack, register
from attacks.brightness import Brightness
from attacks.crop import Crop
from attacks.jpeg import Jpeg


@register(
    "chain", family="pipeline", unit="attacks in order, none is the identity", gradient="straight-through", resizes=True
)
@dataclass(frozen=True)
class Chain(Attack):
    """Apply ``attacks`` from first to last; gradients pass as they do through the least of them.

    Raises:
        ValueError: one of them needs to know more than the picture, which a chain cannot hand on.

    Example:
        >>> Chain((Crop(0.5), Brightness(0.5))).apply(torch.ones(1, 1, 4, 4)).tolist()
        [[[[0.5, 0.5], [0.5, 0.5]]]]
    """

    attacks: tuple[Attack, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for attack in self.attacks:
            if needs := [f"Knowledge.{need}" for need in attack.facts.needs]:
                raise ValueError(
                    f"a chain hands on pictures only, but {attack.facts.name} needs {' and '.join(needs)}; "
                    "apply it by itself"
                )

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(tuple(attack.sample(generator, level) for attack in (Crop, Brightness, Jpeg)))

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        for attack in self.attacks:
            image = attack.apply(image)
        return image

    def matrix(self, height: int, width: int) -> Tensor | None:  # noqa: D102
        total = torch.eye(3, dtype=torch.float64)
        for attack in self.attacks:
            step = attack.matrix(height, width)
            if step is None:
                return None
            total = step @ total
            if attack.facts.resizes:  # only the attack itself knows to what
                height, width = attack.apply(torch.zeros(1, 1, height, width)).shape[2:]
        return total


class Pipeline(Attack):
    """Attack whose parameters make a chain."""

    @abstractmethod
    def chain(self) -> Chain:
        """The steps."""

    def apply(self, image: Tensor) -> Tensor:  # noqa: D102
        return self.chain().apply(image)

    def matrix(self, height: int, width: int) -> Tensor | None:  # noqa: D102
        return self.chain().matrix(height, width)
