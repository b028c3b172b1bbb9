"""What an informed enemy has beyond the picture, and the base of the attacks that need it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from torch import Tensor

from attacks.base import Attack

_Value = TypeVar("_Value")


class KnowledgeMissing(ValueError):
    """An attack needs to know more than it was given."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Knowledge:
    """What the enemy knows; ``None`` is what he does not.

    Attributes:
        marked: other images marked with the same key, float in [0, 1], shape (N, C, H, W).
        host: the same images before they were marked, same shape.
        embed: marks images (B, C, H, W) in [0, 1] with a key of the enemy's own.
        score: the detector's differentiable score of each image, (B, C, H, W) in [0, 1] to (B,); higher where the mark
            is present. It must see each image by itself.
        weights: folder of a pretrained generative model, as diffusers' ``save_pretrained`` writes it.
    """

    marked: Tensor | None = None
    host: Tensor | None = None
    embed: Callable[[Tensor], Tensor] | None = None
    score: Callable[[Tensor], Tensor] | None = None
    weights: Path | None = None


NOTHING = Knowledge()


def given(value: _Value | None, name: str) -> _Value:
    """The value of a field of :class:`Knowledge`.

    Args:
        value: what the field holds.
        name: the field's name, for the message.

    Raises:
        KnowledgeMissing: it holds nothing.
    """
    if value is None:
        raise KnowledgeMissing(
            f"this attack needs Knowledge.{name}, which was not given; call attack.apply(image, Knowledge({name}=...))"
        )
    return value


class InformedAttack(Attack):
    """Attack that needs the fields of :class:`Knowledge` that ``facts.needs`` names."""

    @abstractmethod
    def apply(self, image: Tensor, knowledge: Knowledge = NOTHING) -> Tensor:
        """Attack the images.

        Args:
            image: float in [0, 1], shape (B, C, H, W), C = 1 or 3 (RGB).
            knowledge: what the enemy has beyond them.

        Returns:
            Float in [0, 1], same shape.

        Raises:
            KnowledgeMissing: ``knowledge`` lacks what the attack needs.
        """
