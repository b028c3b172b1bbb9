"""What a preset is: the grid of a published benchmark as attacks of this library, units resolved."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import torch

from attacks.base import Attack
from attacks.perspective import Perspective

# Halfway from the centre to a corner: the mean distance on each axis of a place drawn uniformly.
RANDOM_X, RANDOM_Y = 0.25, 0.75
RANDOM_PLACE = "the source draws a place for each picture; here it is the mean one, halfway to the lower left corner"
DRAWN_CORNERS = "the source draws the corners for each picture; here one draw, scaled, serves all rows"

Value = TypeVar("Value", bound=float)


@dataclass(frozen=True, slots=True)
class PresetRow:
    """One setting of a published grid.

    Attributes:
        label: family and setting in the source's spelling; unique in its preset.
        family: the operation in the source's spelling.
        attack: what it is here.
        published: the unit, a space, and the parameter as published; WAVES' relative strengths are in the label.
        note: how the attack differs from the source's operation; empty where it does not.
    """

    label: str
    family: str
    attack: Attack
    published: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Preset:
    """The grid of a published benchmark.

    Attributes:
        name: in :data:`attacks.presets.PRESETS`.
        source: repository and file.
        rows: the settings in the source's order.
        left_out: what of the source is not in ``rows``, and why.
    """

    name: str
    source: str
    rows: tuple[PresetRow, ...]
    left_out: tuple[tuple[str, str], ...] = ()


def sweep(
    family: str, unit: str, values: Iterable[Value], attack: Callable[[Value], Attack], note: str = ""
) -> tuple[PresetRow, ...]:
    """One row for each value of a parameter.

    Example:
        >>> from attacks import Crop
        >>> sweep("center_crop", "area", (0.25,), Crop.of_area)[0].attack
        Crop(side=0.5, x=0.5, y=0.5)
    """
    return tuple(PresetRow(f"{family} {value:g}", family, attack(value), f"{unit} {value:g}", note) for value in values)


def drawn_perspective(scale: float) -> Perspective:
    """The perspective of torchvision's ``distortion_scale``, its corners in the same directions at every scale."""
    return Perspective.of_distortion(scale, torch.Generator().manual_seed(0))
