"""Attacks as plain values and as text, for JSON and the command line, and back.

Which values a parameter takes is told from its annotation: ``int``, ``float``, ``bool``, ``str``, ``Literal``, an
attack, tuples of these, and ``None`` beside them.
"""

from __future__ import annotations

import dataclasses
import json
import math
import reprlib
from collections.abc import Mapping
from contextlib import suppress
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from attacks.base import ATTACKS, Attack
from attacks.plugins import PluginError

_KINDS = {int: "whole number", float: "number", bool: "true or false", str: "text", NoneType: "null"}
_short = reprlib.Repr()
_short.maxstring = 80


class _Unmakeable(ValueError):
    """An attack is named, but cannot be made so; no other reading of what came is meant."""


def parameters(attack: type[Attack]) -> dict[str, Any]:
    """The annotation of each parameter by its name."""
    hints = get_type_hints(attack)
    return {field.name: hints[field.name] for field in dataclasses.fields(attack)}  # type: ignore[arg-type]


def defaults(attack: type[Attack]) -> dict[str, Any]:
    """The default of each parameter that has one, by its name."""
    fields = dataclasses.fields(attack)  # type: ignore[arg-type]
    return {field.name: field.default for field in fields if field.default is not dataclasses.MISSING}


def to_plain(value: Any) -> Any:
    """An attack, or the value of a parameter, as JSON holds it; :func:`from_plain` is the inverse.

    An attack becomes its name and its parameters, a tuple a list, an infinite number ``"inf"`` or ``"-inf"``.

    Example:
        >>> to_plain(ATTACKS["flip"]("vertical"))
        {'name': 'flip', 'parameters': {'axis': 'vertical'}}
    """
    if isinstance(value, Attack):
        values = {name: to_plain(getattr(value, name)) for name in parameters(type(value))}
        return {"name": value.facts.name, "parameters": values}
    if isinstance(value, tuple):
        return [to_plain(item) for item in value]
    return str(value) if isinstance(value, float) and math.isinf(value) else value


def from_plain(plain: Any, kind: Any = Attack) -> Any:
    """An attack, or the value of a parameter, from what JSON holds.

    Args:
        plain: as :func:`to_plain` makes it; parameters that are missing have their defaults.
        kind: the annotation it must fit.

    Raises:
        ValueError: it does not fit, or an attack or a parameter of it is unknown.
    """
    if kind is float and type(plain) in (int, float) and abs(plain) <= math.inf:
        with suppress(OverflowError):
            return float(plain)
    if kind is float and plain in ("inf", "-inf"):
        return float(plain)
    if kind is not float and type(plain) is kind:
        return plain
    origin, options = get_origin(kind), get_args(kind)
    if origin is Literal and any(type(plain) is type(option) and plain == option for option in options):
        return plain
    if origin in (Union, UnionType):
        for option in options:
            try:
                return from_plain(plain, option)
            except _Unmakeable:
                raise
            except ValueError:
                pass
    if origin is tuple and isinstance(plain, list):
        kinds = len(plain) * options[:1] if options[-1] is Ellipsis else options
        if len(kinds) == len(plain):
            return tuple(from_plain(item, wanted) for item, wanted in zip(plain, kinds, strict=True))
    if isinstance(kind, type) and issubclass(kind, Attack) and isinstance(plain, Mapping):
        attack = _attack_from_plain(plain)
        if isinstance(attack, kind):
            return attack
    raise ValueError(f"expected {kind_name(kind)}, but {_short.repr(plain)} came")


def _attack_from_plain(plain: Mapping[str, Any]) -> Attack:
    name, values = plain.get("name"), plain.get("parameters", {})
    if not (isinstance(name, str) and isinstance(values, Mapping) and plain.keys() <= {"name", "parameters"}):
        raise ValueError(f"expected the name of an attack and its parameters, but {_short.repr(plain)} came")
    try:
        entry = ATTACKS[name]
    except KeyError as error:
        raise _Unmakeable(error.args[0]) from error
    except PluginError as error:  # of which the attack may be
        raise _Unmakeable(str(error)) from error
    kinds = parameters(entry)
    if unknown := values.keys() - kinds:
        raise _Unmakeable(f"{name} takes {', '.join(kinds)}, but {', '.join(sorted(unknown))} came")
    try:
        return entry(**{parameter: from_plain(value, kinds[parameter]) for parameter, value in values.items()})
    except _Unmakeable:
        raise
    except Exception as error:  # a stranger's attack refuses by anything
        raise _Unmakeable(f"{name}: {error}".partition("\n")[0]) from error


def to_text(value: Any) -> str:
    """The value of a parameter as it is typed; :func:`from_text` is the inverse.

    Example:
        >>> to_text((0.25, 0.0)), to_text("4:2:0"), to_text(True)
        ('0.25,0.0', '4:2:0', 'true')
    """
    plain = to_plain(value)
    if isinstance(plain, str):
        return plain
    text = json.dumps(plain)
    flat = isinstance(plain, list) and plain and all(type(item) in (int, float) for item in plain)
    return text[1:-1].replace(" ", "") if flat else text


def from_text(text: str, kind: Any) -> Any:
    """The value of a parameter from what was typed: text as it is, numbers separated by commas, else JSON.

    Args:
        text: what was typed.
        kind: the annotation it must fit.

    Raises:
        ValueError: it does not fit.

    Example:
        >>> from_text("0.25,0", tuple[float, float])
        (0.25, 0.0)
    """
    for written in (json.dumps(text), text, f"[{text}]"):
        try:
            return from_plain(json.loads(written), kind)
        except _Unmakeable:
            raise
        except (ValueError, RecursionError):  # JSON's own errors
            pass
    raise ValueError(f"expected {kind_name(kind)}, but {_short.repr(text)} came")


def kind_name(kind: Any) -> str:
    """What an annotation stands for, in words.

    Example:
        >>> kind_name(tuple[float, float] | None)
        'number,number or null'
    """
    origin, options = get_origin(kind), get_args(kind)
    if origin is Literal:
        return "|".join(map(str, options))
    if origin in (Union, UnionType):
        return " or ".join(map(kind_name, options))
    if origin is tuple:
        names = ["..." if option is Ellipsis else kind_name(option) for option in options]
        return ",".join(f"[{name}]" if "," in name else name for name in names)
    if isinstance(kind, type) and issubclass(kind, Attack):
        return 'attack, {"name": ..., "parameters": {...}}'
    return _KINDS.get(kind, str(kind))
