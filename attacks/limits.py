"""Limits of the parameters of attacks, stated in their annotations and checked when an attack is made."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from numbers import Real
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from attacks.base import Attack

_MOST = sys.float_info.max


@dataclass(frozen=True, slots=True)
class Limits:
    """What a number may be; ``Annotated`` with it, every number of a parameter must be so. Not a number never is.

    Attributes:
        low: least.
        high: greatest; infinity must be stated to be let in.
        above: whether ``low`` itself is out.
        below: whether ``high`` itself is out.
        odd: whether it must be odd.

    Example:
        >>> str(Limits(0, 1, above=True)), str(Limits(1, odd=True))
        ('above 0 to 1', '1 or more and odd')
    """

    low: float = -_MOST
    high: float = _MOST
    above: bool = False
    below: bool = False
    odd: bool = False

    def __contains__(self, number: float) -> bool:
        inside = self.low <= number <= self.high
        at_open_end = (self.above and number == self.low) or (self.below and number == self.high)
        return inside and not at_open_end and (not self.odd or number % 2 == 1)

    def __str__(self) -> str:
        if self.high != _MOST:
            text = f"{'above ' * self.above}{self.low} to {'below ' * self.below}{self.high}"
        elif self.low > -_MOST:
            text = f"above {self.low}" if self.above else f"{self.low} or more"
        else:
            text = "finite"
        return f"{text} and odd" if self.odd else text


FINITE = Limits()

Positive = Annotated[float, Limits(0, above=True)]
NonNegative = Annotated[float, Limits(0)]
Share = Annotated[float, Limits(0, 1)]
PositiveShare = Annotated[float, Limits(0, 1, above=True)]
Count = Annotated[int, Limits(1)]
OddCount = Annotated[int, Limits(1, odd=True)]
Quality = Annotated[int, Limits(1, 100)]  # of JPEG
Seed = Annotated[int, Limits(0, 2**63 - 1)]  # leaves torch's 64 bits room for the places in a batch


@cache
def _annotations(attack: type[Attack]) -> dict[str, Any]:
    hints = get_type_hints(attack, include_extras=True)
    return {field.name: hints[field.name] for field in fields(attack)}  # type: ignore[arg-type]


def stated_limits(attack: type[Attack]) -> dict[str, Limits]:
    """The limits of each parameter of an attack that states some, by its name.

    Example:
        >>> from attacks import Jpeg
        >>> str(stated_limits(Jpeg)["quality"])
        '1 to 100'
    """
    return {
        name: item
        for name, annotation in _annotations(attack).items()
        for item in getattr(annotation, "__metadata__", ())
        if isinstance(item, Limits)
    }


def check(attack: Attack) -> None:
    """Check that parameters are within their limits, finite where none are stated, and among their choices.

    Types are left to the type checker.

    Raises:
        ValueError: one is not; the message says which, what it must be and what it is.
    """
    limits = stated_limits(type(attack))
    for name, annotation in _annotations(type(attack)).items():
        value, choices = getattr(attack, name), get_args(annotation)
        if get_origin(annotation) is Literal and value not in choices:
            raise ValueError(f"{name} must be one of {', '.join(map(str, choices))}, but is {value!r}")
        allowed = limits.get(name, FINITE)
        for number in _numbers(value):
            if number not in allowed:
                raise ValueError(f"{name} must be {allowed}, but is {number}")


def _numbers(value: Any) -> Iterator[Any]:
    """A number, those in a tuple, or none."""
    if isinstance(value, tuple):
        for item in value:
            yield from _numbers(item)
    elif isinstance(value, Real):
        yield value
