"""An attack with its parameters, as a run holds it: its name in tables, its plain values, its seed for one image."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from attacks import Attack, Chain
from attacks.plain import parameters, to_plain
from attacks.presets import PresetRow
from benchmarks.runner import draws


@dataclass(frozen=True, slots=True)
class Setting:
    """One column of a run.

    Attributes:
        attack: its seeds, if it has any, are placeholders; see :meth:`for_image`.
        published: rows of a published grid that it stands for.
    """

    attack: Attack
    published: tuple[PresetRow, ...] = ()

    @property
    def id(self) -> str:
        """Name and all parameters but seeds; unique to what is done.

        Example:
            >>> from attacks import Crop
            >>> Setting(Crop(0.5)).id
            'crop side=0.5 x=0.5 y=0.5'
        """
        return _spell(self.attack)

    def for_image(self, seed: int, image_sha256: str, repeat: int) -> Attack:
        """The attack that one image meets: every seed in it is drawn for run, image, repeat and attack."""
        drawn = draws.number(seed, "attack", image_sha256, repeat, self.id)
        attack = _with_seeds(self.attack, drawn)
        assert isinstance(attack, Attack)
        return attack

    def row(self) -> dict[str, Any]:
        """The setting as the result file holds it."""
        facts = self.attack.facts
        published = [{"label": row.label, "setting": row.published} for row in self.published]
        return {
            "id": self.id,
            "name": facts.name,
            "family": facts.family,
            "parameters": _without_seeds(to_plain(self.attack)["parameters"]),
            "unit": facts.unit,
            "changes_size": _may_change_size(self.attack),
            **({"published": published} if published else {}),
        }


IDENTITY = Setting(Chain(()))


def _may_change_size(attack: Attack) -> bool:
    if isinstance(attack, Chain):  # whose facts speak of any chain
        return any(map(_may_change_size, attack.attacks))
    return attack.facts.resizes


def _without_seeds(plain: Any) -> Any:
    """Plain values without the seeds of attacks at any depth."""
    match plain:
        case dict():
            return {name: _without_seeds(value) for name, value in plain.items() if name != "seed"}
        case list():
            return [_without_seeds(item) for item in plain]
    return plain


def _spell(value: Any) -> str:
    match value:
        case Chain(attacks=()):
            return "identity"
        case Chain(attacks=steps):
            return " > ".join(map(_spell, steps))
        case Attack():
            fields = [(name, getattr(value, name)) for name in parameters(type(value)) if name != "seed"]
            return " ".join([value.facts.name, *(f"{name}={_spell(field)}" for name, field in fields)])
        case tuple():
            return "(" + ", ".join(map(_spell, value)) + ")"
        case float():
            return repr(value).removesuffix(".0")
    return str(value)


def _with_seeds(value: Any, seed: int) -> Any:
    """A copy whose seeds, at any depth, are ``seed``; attacks of a chain that share a seed draw different things."""
    if isinstance(value, tuple):
        return tuple(_with_seeds(item, seed + index) for index, item in enumerate(value))
    if not isinstance(value, Attack):
        return value
    changes = {
        field.name: seed if field.name == "seed" else _with_seeds(getattr(value, field.name), seed)
        for field in dataclasses.fields(value)  # type: ignore[arg-type]  # every attack is a dataclass
    }
    return dataclasses.replace(value, **changes)  # type: ignore[type-var]
