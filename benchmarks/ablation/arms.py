"""The arms: what each changes of the shared recipe, and how its marks are written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from watermark.training.settings import TrainingSettings

RECIPE = Path(__file__).parent / "recipe.toml"


@dataclass(frozen=True, slots=True)
class Arm:
    """One line of the ablation.

    Attributes:
        name: as printed.
        changes: settings that differ from the recipe.
        shaped: whether embedding shapes the mark by gradient; a switch of embedding, not of training.
    """

    name: str
    changes: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    shaped: bool = False

    @property
    def folder(self) -> str:
        """Name for a folder.

        Example:
            >>> Arm("adversary + visibility").folder
            'adversary-visibility'
        """
        return re.sub(r"\W+", "-", self.name)

    def settings(self, steps: int) -> TrainingSettings:
        """Settings of its training: the recipe, the changes, and a validation at the end only.

        Args:
            steps: optimiser steps, from 1.
        """
        return TrainingSettings.load(RECIPE, {"steps": steps, "validate_every": steps, **self.changes})


WHOLE = Arm("adversary + visibility")
ARMS = (
    Arm("no adversary", MappingProxyType({"adversarial_start": 1.0, "visibility_weight": 0.0})),
    Arm("adversary", MappingProxyType({"visibility_weight": 0.0})),
    WHOLE,
    Arm("no learned envelope", MappingProxyType({"envelope_learning_rate": 0.0})),
    Arm("no generator", MappingProxyType({"use_generator": False})),
    Arm("whole, shaped in closed loop", shaped=True),
)


def trained_as(arm: Arm) -> Arm:
    """The first arm that is trained alike; arms that differ in embedding only share their weights.

    Example:
        >>> trained_as(ARMS[-1]).name
        'adversary + visibility'
    """
    return next(other for other in ARMS if other.changes == arm.changes)
