"""The ablation's results as dataclasses, and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from watermark.files import write_atomically

SCHEMA = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was read from one attacked copy.

    Attributes:
        energy: highest bit energy met: 1 where there is no mark.
        bit_errors: wrong hard decisions among the 256 channel bits, at the registration that fits the payload best.
        recovered: whether the payload was read exactly, blindly.
    """

    energy: float
    bit_errors: int
    recovered: bool


@dataclass(frozen=True, slots=True)
class Detectability:
    """How often a steganalyser was right.

    Attributes:
        hits: right answers on held-out pictures, half of which are marked.
        trials: answers.
        early_stopping_hits: right answers on the part of the training pictures that decided when to stop.
        early_stopping_trials: answers there.
    """

    hits: int
    trials: int
    early_stopping_hits: int
    early_stopping_trials: int


@dataclass(frozen=True, slots=True)
class Point:
    """An arm at one operating point.

    Attributes:
        name: of the point, the same for all arms.
        strength: given to embedding, mean PSNR over photographs in dB.
        psnr: mean over the images in dB.
        jod: mean over the images; ``None`` if not measured.
        attacks: outcomes by attack, one an image, in the order of ``Conditions.images``.
        detectability: by a steganalyser trained for this arm and point.
    """

    name: str
    strength: float
    psnr: float
    jod: float | None
    attacks: dict[str, list[Outcome]]
    detectability: Detectability

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """From the values in a JSON file."""
        attacks = {name: [Outcome(**line) for line in lines] for name, lines in values["attacks"].items()}
        return cls(**{**values, "attacks": attacks, "detectability": Detectability(**values["detectability"])})


@dataclass(frozen=True, slots=True)
class ArmResult:
    """All that was measured of an arm.

    Attributes:
        name: of the arm.
        weights_sha256: of its weights.
        training: figures of the last line of its metrics; ``None`` where it has none.
        points: operating points; one that could not be reached is missing.
    """

    name: str
    weights_sha256: str
    training: dict[str, float | None]
    points: list[Point]

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """From the values in a JSON file."""
        return cls(**{**values, "points": [Point.from_dict(point) for point in values["points"]]})


@dataclass(frozen=True, slots=True)
class Conditions:
    """What all arms share.

    Attributes:
        steps: of training.
        start_sha256: of the weights that training starts from.
        pairs: cover and marked picture, of which each steganalyser learns.
        jod: whether JOD was measured.
        images: names of the held-out photographs.
        pictures_sha256: over those photographs' files and the pieces that steganalysers learn from.
        recipe_sha256: of ``recipe.toml``.
        source_sha256: over the source that trains, marks, attacks and reads.
        note: written by hand, where something was not as the rest says.
    """

    steps: int
    start_sha256: str
    pairs: int
    jod: bool
    images: list[str]
    pictures_sha256: str
    recipe_sha256: str
    source_sha256: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Ablation:
    """The whole, which is one JSON file."""

    conditions: Conditions
    arms: list[ArmResult]


def write(path: Path, result: Conditions | ArmResult | Ablation) -> None:
    """Write a result as JSON, whole or not at all."""
    write_atomically(path, (json.dumps({"schema": SCHEMA, **asdict(result)}) + "\n").encode())


def _read(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if values.pop("schema", None) != SCHEMA:
        raise ValueError(f"{path} is no result of schema {SCHEMA}; measure it again")
    return values


def read_conditions(path: Path) -> Conditions:
    """Read what :func:`write` wrote; raises ValueError for another schema, OSError for no file."""
    return Conditions(**_read(path))


def read_arm(path: Path) -> ArmResult:
    """Read what :func:`write` wrote; raises ValueError for another schema, OSError for no file."""
    return ArmResult.from_dict(_read(path))


def read_ablation(path: Path) -> Ablation:
    """Read what :func:`write` wrote; raises ValueError for another schema, OSError for no file."""
    values = _read(path)
    return Ablation(Conditions(**values["conditions"]), [ArmResult.from_dict(arm) for arm in values["arms"]])
