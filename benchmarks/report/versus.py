"""One method against each of the others at the same operating point, picture by picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from statistics import fmean
from typing import NamedTuple
from xml.etree.ElementTree import Element

from benchmarks.metrics.paired import Difference, paired_difference
from benchmarks.report.markdown import escaped, markdown_table
from benchmarks.report.markup import Content, node, section, small, table
from benchmarks.report.results import Result, Series

OURS = "watermark-toolkit"
ALL_ATTACKS = "all attacks"
_MEANING = (
    "Share of exact messages, first method less second, in points of per cent; mean over pictures, of the copies that "
    "neither method refused, with its 95 % bootstrap interval and the p value of the Wilcoxon signed-rank test, not "
    "corrected for the number of tests. Left out: pictures of which there is no such copy, and copies of the others."
)


class Versus(NamedTuple):
    """Two methods at one operating point.

    Attributes:
        first, second: the methods.
        differences: of all attacks, and by family of them; ``None`` of fewer than 2 pictures.
        pictures: on which they are compared.
        pictures_out: that at least one of them met, but on which they are not compared.
        copies_out: of the pictures compared, that only one of them counts.
    """

    first: Series
    second: Series
    differences: dict[str, Difference | None]
    pictures: int
    pictures_out: int
    copies_out: int

    @property
    def counts(self) -> str:
        """Pictures and what was left out, in words."""
        out = [f"{what} {n}" for n, what in ((self.pictures_out, "pictures"), (self.copies_out, "copies")) if n]
        return f"{self.pictures}" + (f" (left out: {', '.join(out)})" if out else "")


class _Copy(NamedTuple):
    image: str
    key: str
    attack: str


def comparisons(result: Result, by_family: bool = True) -> list[Versus]:
    """Our method, or the first if ours is absent, against each other one, at every operating point both have.

    Args:
        result: the result.
        by_family: whether families of attacks are compared too, not only all attacks together.
    """
    every = {ALL_ATTACKS: [attack for attacks in result.families.values() for attack in attacks]}
    families = every | (result.families if by_family else {})
    methods = [series.method for series in result.leading]
    ahead = OURS if OURS in methods else "".join(methods[:1])
    pairs = [(Series(ahead, series.point), series) for series in result.series if series.method != ahead]
    return [_against(result, first, second, families) for first, second in pairs if first in result.series]


def versus(result: Result) -> Element:
    """The section of paired differences."""
    title = "Method against method"
    found = comparisons(result)
    if not found:
        return section("versus", title, node("p", "No two methods were measured at one operating point."))
    rows: list[list[Content]] = [
        [
            node("span", str(pair.first), small(f"less {pair.second}")),
            *(_cell(difference) for difference in pair.differences.values()),
            pair.counts,
        ]
        for pair in found
    ]
    return section("versus", title, node("p", _MEANING), table(_head(found), rows, title))


def versus_lines(result: Result) -> list[str]:
    """The same as Markdown, by family only where each method has one point; nothing if no two can be compared."""
    found = comparisons(result, by_family=len(result.leading) == len(result.series))
    rows = [
        [
            escaped(f"{pair.first} less {pair.second}"),
            *(" ".join(_words(difference)) for difference in pair.differences.values()),
            pair.counts,
        ]
        for pair in found
    ]
    return [*markdown_table(_head(found), rows), "", _MEANING] if found else []


def _head(found: Sequence[Versus]) -> list[str]:
    return ["methods", *found[0].differences, "pictures"]


def _against(result: Result, first: Series, second: Series, families: Mapping[str, Sequence[str]]) -> Versus:
    before, after = (_copies(result, series) for series in (first, second))
    both = [copy for copy in before if copy in after]
    compared = {copy.image for copy in both}
    met = {row["image"] for series in (first, second) for row in result.reads(series, "marked")}

    def difference(attacks: Sequence[str]) -> Difference | None:
        by_picture: dict[str, list[_Copy]] = defaultdict(list)
        for copy in both:
            if copy.attack in attacks:
                by_picture[copy.image].append(copy)
        shares = [
            (fmean(before[copy] for copy in copies), fmean(after[copy] for copy in copies))
            for copies in by_picture.values()
        ]
        return _difference(tuple(sorted(shares))) if len(shares) > 1 else None

    return Versus(
        first,
        second,
        {family: difference(attacks) for family, attacks in families.items()},
        len(compared),
        len(met - compared),
        sum(copy.image in compared for copy in before.keys() ^ after.keys()),
    )


def _copies(result: Result, series: Series) -> dict[_Copy, bool]:
    """Whether the message was exact, of the readings that count."""
    rows = result.counted(result.reads(series, "marked"))
    return {_Copy(row["image"], row["key"], row["attack"]): bool(row["exact"]) for row in rows}


@cache  # the exact test takes a third of a second, and many a family has the same shares
def _difference(shares: tuple[tuple[float, float], ...]) -> Difference:
    return paired_difference([first for first, _ in shares], [second for _, second in shares])


def _words(difference: Difference | None) -> list[str]:
    """The difference, and what may be chance about it; an interval only where pictures differ."""
    if difference is None:
        return ["-"]
    low, high = (f"{100 * end:.1f}" for end in (difference.low, difference.high))
    interval = f"({low} to {high}), " if low != high else ""
    return [f"{100 * difference.mean:+.1f}", f"{interval}p {difference.p:.2g}"]


def _cell(difference: Difference | None) -> Element:
    value, *doubt = _words(difference)
    return node("td", value, *map(small, doubt))
