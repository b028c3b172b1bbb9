"""Whether the parameters of an attack can be offered as options and as JSON, checked when it is registered."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, get_type_hints

if TYPE_CHECKING:
    from attacks.base import Attack

TAKEN = frozenset({"name", "source", "target", "sample", "force", "listed", "as_json", "weights"})
"""What ``watermark attack`` calls its own arguments; ``seed`` is one too, and means the same."""


def check_offered(attack: type[Attack]) -> None:
    """Check that each parameter has a free name, an annotation that resolves, and a default that JSON holds, if any.

    Raises:
        ValueError: one has not, or the class is no dataclass; the message says which.
    """
    name = attack.facts.name
    try:
        get_type_hints(attack)
        parameters = fields(attack)  # type: ignore[arg-type]  # that is the question
    except Exception as error:  # annotations are code
        raise ValueError(f"the parameters of {name!r} cannot be told: {error}") from error
    for parameter in parameters:
        if parameter.name in TAKEN:
            raise ValueError(f"{name!r} has a parameter {parameter.name!r}, which the command line means for itself")
        if parameter.default is not MISSING and not _is_plain(parameter.default):
            raise ValueError(f"the default of {parameter.name!r} of {name!r} is nothing that JSON holds")


def _is_plain(value: Any) -> bool:
    """Whether :func:`attacks.plain.to_plain` makes JSON of it."""
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int | float | str) or hasattr(type(value), "facts")
