"""What an attack is, and the one registry of them.

An attack is a frozen dataclass: its fields are its parameters, so an instance can be printed, stored and
replayed. ``sample`` draws an instance from a generator; ``apply`` is then deterministic. Images are float
tensors of shape (B, C, H, W) in [0, 1], C = 1 (luma) or 3 (RGB). Pixel i of an axis covers [i, i + 1):
its centre is at i + 1/2, and every matrix maps input to output coordinates in that convention.
"""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Self, TypeVar

import torch
from torch import Tensor

from attacks.limits import check
from attacks.offered import check_offered
from attacks.plugins import load_plugins

Family = Literal["valuemetric", "geometric", "occlusion", "codec", "pipeline", "removal", "forgery"]
Gradient = Literal["exact", "straight-through", "approximate", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known about an attack without running it.

    Attributes:
        name: its name in the registry.
        family: what it does to a picture.
        unit: of its main parameter, and which value is the identity.
        gradient: whether and how gradients pass.
        resizes: whether the output may have another size.
        needs: fields of :class:`attacks.knowledge.Knowledge` without which it cannot be applied.
    """

    name: str
    family: Family
    unit: str
    gradient: Gradient
    resizes: bool = False
    needs: tuple[str, ...] = ()


class Attack(ABC):
    """Base of all attacks; subclasses are frozen dataclasses registered with :func:`register`.

    Raises:
        ValueError: a parameter is out of the limits that its annotation states; see :mod:`attacks.limits`.
    """

    facts: ClassVar[Facts]

    def __post_init__(self) -> None:
        check(self)

    @classmethod
    @abstractmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:
        """Draw parameters.

        Args:
            generator: the only source of randomness.
            level: 0 draws the identity (or the mildest setting there is), 1 the full range.
        """

    @abstractmethod
    def apply(self, image: Tensor) -> Tensor:
        """Attack the images.

        Args:
            image: float in [0, 1], shape (B, C, H, W), C = 1 or 3 (RGB).

        Returns:
            Float in [0, 1], shape (B, C, H', W').
        """

    def matrix(self, height: int, width: int) -> Tensor | None:
        """Where pixels go: 3 x 3, from input to output coordinates (x, y, 1) in pixels; identity by default.

        Args:
            height: height of the input in pixels.
            width: width of the input in pixels.

        Returns:
            Float64 tensor of shape (3, 3), or ``None`` where pixels move as no matrix says.
        """
        return torch.eye(3, dtype=torch.float64)


AttackType = TypeVar("AttackType", bound=type[Attack])


class Registry(Mapping[str, type[Attack]]):
    """Attacks by name; a name is taken once, and a miss suggests the nearest name.

    Args:
        load_more: called before the registry is listed and when it misses a name; may add attacks.
    """

    def __init__(self, load_more: Callable[[], None] = lambda: None) -> None:
        self._entries: dict[str, type[Attack]] = {}
        self._load_more = load_more

    def add(self, entry: type[Attack]) -> None:
        """Add an attack under ``entry.facts.name``.

        Raises:
            ValueError: the name is taken, the attack is geometric and has no ``matrix`` of its own, or its parameters
                cannot be offered; see :mod:`attacks.offered`.
        """
        name = entry.facts.name
        if name in self._entries:
            raise ValueError(f"an attack named {name!r} is registered already; choose another name")
        if entry.facts.family == "geometric" and entry.matrix is Attack.matrix:
            raise ValueError(
                f"{name!r} is geometric, but has no matrix of its own; define matrix, to return None where none says "
                "how pixels move"
            )
        check_offered(entry)
        self._entries[name] = entry

    def __getitem__(self, name: str) -> type[Attack]:
        if name not in self._entries:
            self._load_more()
        if name not in self._entries:
            near = difflib.get_close_matches(name, self._entries, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(sorted(self._entries))}"
            raise KeyError(f"no attack is named {name!r}{hint}")
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        self._load_more()
        return iter(sorted(self._entries))

    def __len__(self) -> int:
        self._load_more()
        return len(self._entries)


ATTACKS = Registry(load_plugins)


def register(
    name: str,
    *,
    family: Family,
    unit: str,
    gradient: Gradient,
    resizes: bool = False,
    needs: tuple[str, ...] = (),
) -> Callable[[AttackType], AttackType]:
    """Class decorator: state the facts of an attack and enter it in :data:`ATTACKS`."""

    def decorate(entry: AttackType) -> AttackType:
        entry.facts = Facts(name=name, family=family, unit=unit, gradient=gradient, resizes=resizes, needs=needs)
        ATTACKS.add(entry)
        return entry

    return decorate


def uniform(generator: torch.Generator, low: float, high: float) -> float:
    """One uniform draw from [low, high)."""
    return low + (high - low) * float(torch.rand((), generator=generator))


def integer(generator: torch.Generator, high: int) -> int:
    """One uniform integer from 0 .. high - 1."""
    return int(torch.randint(high, (), generator=generator))


def log_uniform(generator: torch.Generator, low: float, high: float) -> float:
    """One draw from [low, high), uniform in the logarithm."""
    draw: float = low * (high / low) ** uniform(generator, 0.0, 1.0)
    return draw
