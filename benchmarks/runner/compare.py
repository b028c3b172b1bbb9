"""Two results of the same plan: what the second reads no longer.

Both tests are two-sided at p < .01. That of one attack sees nothing of fewer than 8 copies that differ (2 / 2**7 is
.016), that of all attacks together nothing of fewer than 7 pictures; the latter sees what each attack loses too little
of. The core tier makes about 70 for each method and point, and they are not corrected for their number: of two results
that differ by chance alone, one may be called a regression.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from benchmarks.metrics.paired import mcnemar, paired_difference
from watermark.errors import UsageError

LEVEL = 0.01
ALL_ATTACKS = "all attacks"
_EMPTY = ("unmarked", "wrong_key", "other_method", "constant", "random")  # kinds in which no mark of the key can be


@dataclass(frozen=True, slots=True)
class Change:
    """One method and attack, or all attacks, in two results.

    Attributes:
        method, point, attack, kind: which readings.
        pairs: readings of the first result; where no mark can be, those of either.
        before, after: good ones: exact messages, or, where no mark can be, no mark found. A marked copy that the second
            lacks or could not read is not good; where no mark can be, that is no find.
        p: two-sided, of the exact McNemar test, or of the Wilcoxon test for all attacks.
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
    """All methods and attacks of the first result beside the second, in the first's order, then all attacks together.

    A regression is a share of exact messages that fell with p < .01 by the exact McNemar test over the same images and
    keys; in the smoke tier, any exact message lost. For all attacks together it is p < .01 by the Wilcoxon test over
    pictures, each with its number of exact messages. Where no mark of the key can be, it is any find that the first
    result does not have.

    Raises:
        UsageError: the results are of different tiers, seeds or pictures, or have no reading in common.
    """
    for name in ("tier", "seed"):
        if first[name] != second[name]:
            raise UsageError(f"results of one {name} can be compared, not of {first[name]!r} and {second[name]!r}")
    if _pictures(first) != _pictures(second):
        raise UsageError("results over the same pictures can be compared, but these are over different ones")
    before, after = _readings(first), _readings(second)
    if before.keys().isdisjoint(after):
        raise UsageError("the results have no reading in common")
    known = {(place.method, place.point) for place in before}
    cells: dict[tuple[str, ...], list[tuple[str, bool, bool]]] = defaultdict(list)
    for place in {**before, **after}:
        if place in before or (place.kind != "marked" and (place.method, place.point) in known):
            pair = (_good(place, before.get(place)), _good(place, after.get(place)))
            cells[place.method, place.point, place.attack, place.kind].append((place.image, *pair))
    changes = [_change(cell, pairs, first["tier"] == "smoke") for cell, pairs in cells.items()]
    return [*changes, *_pooled(cells)]


class _Place(NamedTuple):
    method: str
    point: str
    image: str
    key: str
    attack: str
    kind: str


def _change(cell: tuple[str, ...], pairs: list[tuple[str, bool, bool]], strict: bool) -> Change:
    method, point, attack, kind = cell
    _, before, after = [list(values) for values in zip(*pairs, strict=True)]
    test = mcnemar(before, after)
    if strict or kind in _EMPTY:
        regression = test.only_first > 0
    else:
        regression = test.only_first > test.only_second and test.p < LEVEL
    return Change(method, point, attack, kind, len(pairs), sum(before), sum(after), test.p, regression)


def _pooled(cells: Mapping[tuple[str, ...], list[tuple[str, bool, bool]]]) -> Iterator[Change]:
    """All attacks together, for each method and point with two pictures or more."""
    pools: dict[tuple[str, str], list[tuple[str, bool, bool]]] = defaultdict(list)
    for (method, point, _, kind), pairs in cells.items():
        if kind == "marked":
            pools[method, point] += pairs
    for (method, point), pairs in pools.items():
        before, after = Counter[str](), Counter[str]()
        for image, first, second in pairs:
            before[image] += first
            after[image] += second
        if len(before) >= 2:
            test = paired_difference(list(before.values()), [after[image] for image in before])
            regression = test.mean > 0 and test.p < LEVEL
            totals = len(pairs), before.total(), after.total()
            yield Change(method, point, ALL_ATTACKS, "marked", *totals, test.p, regression)


def _readings(result: Mapping[str, Any]) -> dict[_Place, Mapping[str, Any]]:
    """The rows that are compared."""
    rows = [row for row in result["reads"] if row["kind"] in ("marked", *_EMPTY)]
    return {_Place(**{name: row[name] for name in _Place._fields}): row for row in rows}


def _pictures(result: Mapping[str, Any]) -> set[str]:
    return {picture["sha256"] for picture in result["data"]["images"]}


def _good(place: _Place, row: Mapping[str, Any] | None) -> bool:
    read = {} if row is None or row["status"] != "ok" else row
    return bool(read.get("exact")) if place.kind == "marked" else not read.get("present")
