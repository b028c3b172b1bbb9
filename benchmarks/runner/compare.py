"""Two results of the same plan: what the second reads no longer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.metrics.paired import mcnemar
from watermark.errors import UsageError

LEVEL = 0.01
_EMPTY = ("unmarked", "wrong_key", "other_method", "constant", "random")  # kinds in which no mark of the key can be


@dataclass(frozen=True, slots=True)
class Change:
    """One method and attack in two results.

    Attributes:
        method, point, attack, kind: which readings.
        pairs: readings of the first result; one that the second lacks or could not do counts as not good.
        before, after: good ones: exact messages, or, where no mark can be, nothing found.
        p: of the exact McNemar test, two-sided.
        regression: whether that is worse than chance allows.
    """

    method: str
    point: str
    attack: str
    kind: str
    pairs: int
    before: int
    after: int
    p: float
    regression: bool


def compare(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Change]:
    """All methods and attacks of the first result beside the second, in the first's order.

    A regression is a share of exact messages that fell with p < .01 by the exact McNemar test over the same images and
    keys; in the smoke tier, any exact message lost. Where no mark of the key can be, it is any find that was not there
    before.

    Raises:
        UsageError: the results are of different tiers or seeds, so that nothing pairs.
    """
    for name in ("tier", "seed"):
        if first[name] != second[name]:
            raise UsageError(f"results of one {name} can be compared, not of {first[name]!r} and {second[name]!r}")
    after = {_place(row): _good(row) for row in second["reads"]}
    groups: dict[tuple[str, str, str, str], list[tuple[bool, bool]]] = defaultdict(list)
    for row in first["reads"]:
        if row["kind"] == "marked" or row["kind"] in _EMPTY:
            cell = (row["method"], row["point"], row["attack"], row["kind"])
            groups[cell].append((_good(row), after.get(_place(row), False)))
    return [_change(cell, pairs, first["tier"] == "smoke") for cell, pairs in groups.items()]


def _change(cell: tuple[str, str, str, str], pairs: list[tuple[bool, bool]], strict: bool) -> Change:
    before, after = [list(outcomes) for outcomes in zip(*pairs, strict=True)]
    test = mcnemar(before, after)
    if strict or cell[3] in _EMPTY:
        regression = test.only_first > 0
    else:
        regression = test.only_first > test.only_second and test.p < LEVEL
    return Change(*cell, len(pairs), sum(before), sum(after), test.p, regression)


def _place(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(row[name] for name in ("method", "point", "image", "key", "attack", "kind"))


def _good(row: Mapping[str, Any]) -> bool:
    if row["status"] != "ok":
        return False
    return bool(row["exact"]) if row["kind"] == "marked" else not row["present"]
