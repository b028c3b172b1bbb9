"""Rows of a result by method, attack and kind, and shares of them with their intervals.

What counts: readings that were done, and readings that failed, which are no exact message. Readings that were refused
(the method does not take such pictures) and those of files that are no pictures are left out, and counted beside.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, NamedTuple

from benchmarks.metrics.intervals import bootstrap_mean, clopper_pearson, wilson
from benchmarks.runner.plan import DEFAULT_POINT
from benchmarks.runner.settings import IDENTITY

Row = Mapping[str, Any]
UNATTACKED = "no attack"


class Series(NamedTuple):
    """A method at an operating point: a column of a table, a line of a chart."""

    method: str
    point: str

    def __str__(self) -> str:
        return self.method if self.point == DEFAULT_POINT else f"{self.method}, {self.point}"


@dataclass(frozen=True, slots=True)
class Share:
    """Some of several.

    Attributes:
        hits: how many.
        trials: of how many, at least 1.
    """

    hits: int
    trials: int

    @property
    def value(self) -> float:
        """0 to 1."""
        return self.hits / self.trials

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's, 95 %."""
        return wilson(self.hits, self.trials)

    def bounded(self) -> str:
        """In words, with the upper end of the 95 % Clopper-Pearson interval, rounded up.

        Example:
            >>> Share(0, 475).bounded()
            '0 of 475, at most 0.8 %'
        """
        most = clopper_pearson(self.hits, self.trials)[1]
        return f"{self.hits} of {self.trials}, at most {math.ceil(1000 * most) / 10:.1f} %"


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over pictures, the copies of each averaged first.

    Attributes:
        value: the mean.
        interval: its 95 % bootstrap interval; ``None`` for a single picture.
        pictures: how many.
        values: of the pictures.
    """

    value: float
    interval: tuple[float, float] | None
    values: tuple[float, ...]


class Result:
    """A result file, by what tables ask for.

    Args:
        values: what ``read_result`` gives.

    Attributes:
        values: the same.
        series: methods at their operating points, in the order of the file, without those of ``not_marked``.
        not_marked: why not one picture was marked, the reason of most, by method and point.
        leading: the first of each method, for drawings, which hold no more.
        methods: rows of the methods by name.
        attacks: rows of the attacks by id.
        families: ids of the attacks that marked pictures met, by family; the identity has a family of its own.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values
        self.methods: dict[str, Row] = {row["name"]: row for row in values["methods"]}
        self.attacks: dict[str, Row] = {row["id"]: row for row in values["attacks"]}
        self._embeds: dict[Series, list[Row]] = defaultdict(list)
        for row in values["embeds"]:
            self._embeds[Series(row["method"], row["point"])].append(row)
        self.series = tuple(series for series, rows in self._embeds.items() if done(rows))
        self.not_marked: dict[Series, str] = {
            series: Counter(row["reason"] for row in rows).most_common(1)[0][0]
            for series, rows in self._embeds.items()
            if series not in self.series
        }
        self.leading = tuple({series.method: series for series in reversed(self.series)}.values())[::-1]
        self._no_pictures = {image["name"] for image in values["data"]["images"] if image["width"] is None}
        self._reads: dict[tuple[Series, str], dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
        for row in values["reads"]:
            self._reads[Series(row["method"], row["point"]), row["kind"]][row["attack"]].append(row)
        self.families: dict[str, list[str]] = defaultdict(list)
        for attack in dict.fromkeys(row["attack"] for row in values["reads"] if row["kind"] == "marked"):
            self.families[UNATTACKED if attack == IDENTITY.id else self.attacks[attack]["family"]].append(attack)

    def reads(self, series: Series, kind: str, attacks: Sequence[str] | None = None) -> list[Row]:
        """Readings of a kind, of all attacks if none are named."""
        by_attack = self._reads.get((series, kind), {})
        return [row for attack in (by_attack if attacks is None else attacks) for row in by_attack.get(attack, ())]

    def counted(self, rows: Iterable[Row]) -> list[Row]:
        """The readings that count."""
        return [row for row in rows if row["status"] != "refused" and row["image"] not in self._no_pictures]

    def share(self, rows: Iterable[Row], name: str) -> Share | None:
        """Share of the readings that count for which ``name`` is true; ``None`` if there are none."""
        counted = self.counted(rows)
        return Share(sum(bool(row[name]) for row in counted), len(counted)) if counted else None

    def embeds(self, series: Series) -> list[Row]:
        """Markings that were done."""
        return done(self._embeds[series])

    def exact_mean(self, series: Series, attacks: Sequence[str]) -> Mean | None:
        """Share of exact messages over several attacks, picture by picture."""
        return mean(self.counted(self.reads(series, "marked", attacks)), lambda row: bool(row["exact"]))


def mean(rows: Iterable[Row], value: Callable[[Row], float | None]) -> Mean | None:
    """Mean over pictures of what rows hold; rows without are left out; ``None`` if there is nothing."""
    by_picture: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if (found := value(row)) is not None:
            by_picture[row["image"]].append(float(found))
    values = tuple(fmean(copies) for copies in by_picture.values())
    if not values:
        return None
    return Mean(fmean(values), bootstrap_mean(values) if len(values) > 1 else None, values)


def done(rows: Iterable[Row]) -> list[Row]:
    """Rows that were done."""
    return [row for row in rows if row["status"] == "ok"]


def gaps(rows: Iterable[Row]) -> list[str]:
    """How many rows were not done, in words: ``2 failed``, ``1 refused``."""
    counts = Counter(row["status"] for row in rows)
    return [f"{counts[status]} {status}" for status in ("failed", "refused") if counts[status]]


def percent(share: float) -> str:
    """A share to the whole per cent, but nearly all and hardly any are never all or none.

    Example:
        >>> percent(0.5), percent(0.997), percent(0.9999), percent(1.0)
        ('50', '99.7', '99.9', '100')
    """
    hundredfold = round(100 * share, 6)  # the lower end of an interval may be 1e-17
    if 0 < hundredfold < 1 or 99 < hundredfold < 100:
        return f"{min(max(hundredfold, 0.1), 99.9):.1f}"
    return f"{hundredfold:.0f}"


def span(interval: tuple[float, float] | None, spell: Callable[[float], str] = percent) -> str:
    """An interval in words, or why there is none."""
    if interval is None:
        return "one picture: no interval"
    return "all pictures alike" if interval[0] == interval[1] else "-".join(map(spell, interval))
