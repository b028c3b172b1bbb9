"""Which attacks messages survive: tables by family, curves over strengths, radar and heat map."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any
from xml.etree.ElementTree import Element

from benchmarks.report.chart import SHARES, Axis, Line, Point, chart, legend, linear
from benchmarks.report.markup import Content, grid, node, section, small, table
from benchmarks.report.radar import FEWEST, radar
from benchmarks.report.results import Result, Series, gaps, percent, span

_FEWEST_STRENGTHS = 3
_SHARE = Axis("exact messages", SHARES, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Sweep:
    """One attack at several strengths, all else equal.

    Attributes:
        title: its name and the parameters that stay.
        parameter: the one that varies.
        unit: of the attack.
        points: values and ids of attacks, rising.
    """

    title: str
    parameter: str
    unit: str
    points: tuple[tuple[float, str], ...]


def robustness(result: Result) -> Element:
    """The section."""
    tables = [part for family, attacks in result.families.items() for part in _family(result, family, attacks)]
    return section(
        "robustness",
        "Robustness",
        node(
            "p",
            "Share of marked pictures whose message was read exactly, in per cent, with its 95 % Wilson interval, "
            "which takes copies of one picture as independent. A reading that failed counts as not read; a refused "
            "one is left out and counted in its cell. “bits” is the mean bit accuracy of the readings that gave "
            "bits. “wrong” counts messages that were read as something else. ▼ is the lowest share of a method "
            "within a family. Family means are means over pictures with a 95 % bootstrap interval, which has no "
            "width where all pictures are alike.",
        ),
        *tables,
    )


def curves(result: Result) -> Element:
    """The section of share against strength, for attacks with at least three strengths."""
    found = sweeps([result.attacks[attack] for attacks in result.families.values() for attack in attacks])
    if not found:
        return section("curves", "Share against strength", node("p", "No attack of this tier has three strengths."))
    figures = [
        node("figure", node("figcaption", sweep.title, small(sweep.unit)), _curve(result, sweep)) for sweep in found
    ]
    return section("curves", "Share against strength", _legend(result), grid(figures))


def overview(result: Result) -> Element:
    """The section of radar and heat map."""
    families = list(result.families)
    lines = [[_value(result, series, result.families[family]) for family in families] for series in result.leading]
    parts: list[Content] = [node("p", f"A radar needs {FEWEST} families; this tier has {len(families)}.")]
    if len(families) >= FEWEST:
        drawing = radar("Mean share of exact messages by family", families, lines)
        caption = node("figcaption", "Mean share of exact messages by family of attacks; the rim is 100 %")
        parts = [_legend(result), node("figure", caption, drawing, class_="single")]
    rows: list[list[Content]] = [
        [attack, *(_heat(result, series, attack) for series in result.leading)]
        for attacks in result.families.values()
        for attack in attacks
    ]
    heat = table(["exact messages, per cent", *map(str, result.leading)], rows, "Heat map of methods and attacks")
    heat.set("class", "scroll heat")
    several = len(result.leading) < len(result.series)
    note = node("p", "Drawings show each method at its first operating point; tables show all.") if several else None
    return section("overview", "At a glance", note, *parts, heat)


def sweeps(attacks: Sequence[dict[str, Any] | Any]) -> list[Sweep]:
    """Attacks that differ in one numeric parameter only, at least three of them.

    Args:
        attacks: rows of a result's attacks.
    """
    groups: dict[tuple[str, str, str, str], dict[float, str]] = defaultdict(dict)
    for attack in attacks:
        for name, value in attack["parameters"].items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                rest = " ".join(f"{other}={kept}" for other, kept in attack["parameters"].items() if other != name)
                groups[attack["name"], name, attack["unit"], rest][float(value)] = attack["id"]
    return [
        Sweep(f"{name} {rest}".strip(), parameter, unit, tuple(sorted(points.items())))
        for (name, parameter, unit, rest), points in groups.items()
        if len(points) >= _FEWEST_STRENGTHS
    ]


def _family(result: Result, family: str, attacks: Sequence[str]) -> list[Element]:
    lowest = {series: _lowest(result, series, attacks) for series in result.series}
    rows: list[list[Content]] = []
    for attack in attacks:
        name = node("span", attack, small(result.attacks[attack]["unit"]))
        rows.append([name, *(_cell(result, series, attack, lowest[series]) for series in result.series)])
    if len(attacks) > 1:
        rows.append(["mean of the family", *(_mean(result, series, attacks) for series in result.series)])
    head: list[Content] = [
        "attack",
        *(node("span", str(series), small(_asked(result, series))) for series in result.series),
    ]
    return [node("h3", family), table(head, rows, f"Exact messages, {family}")]


def _asked(result: Result, series: Series) -> str:
    method = result.methods[series.method]
    return f"{method['message_bits']} bits, {'blind' if method['blind'] else 'message claimed'}"


def _lowest(result: Result, series: Series, attacks: Sequence[str]) -> float:
    shares = [result.share(result.reads(series, "marked", [attack]), "exact") for attack in attacks]
    return min((share.value for share in shares if share is not None), default=1.0)


def _cell(result: Result, series: Series, attack: str, lowest: float) -> Element:
    rows = result.reads(series, "marked", [attack])
    share = result.share(rows, "exact")
    if share is None:
        return node("td", "-", small(", ".join(gaps(rows)) or "not measured"), class_="gap")
    wrong = result.share(rows, "wrong")
    notes = [f"{wrong.hits} wrong"] if wrong is not None and wrong.hits else []
    worst = share.value == lowest < 1
    read = [row["bit_accuracy"] for row in rows if row["bit_accuracy"] is not None]
    return node(
        "td",
        f"{'▼ ' if worst else ''}{percent(share.value)}",
        small(f"{share.hits}/{share.trials}, {span(share.interval)}"),
        small(f"bits {percent(fmean(read))}") if read else None,
        small(", ".join([*notes, *gaps(rows)])) if notes or gaps(rows) else None,
        class_="worst" if worst else None,
    )


def _mean(result: Result, series: Series, attacks: Sequence[str]) -> Element:
    found = result.exact_mean(series, attacks)
    if found is None:
        return node("td", "-")
    wrong = result.share(result.reads(series, "marked", attacks), "wrong")
    rate = f"wrong messages {percent(wrong.value)} ({span(wrong.interval)})" if wrong is not None else None
    return node("td", percent(found.value), small(span(found.interval)), small(rate))


def _curve(result: Result, sweep: Sweep) -> Element:
    lines = []
    for style, series in enumerate(result.leading):
        points = []
        for value, attack in sweep.points:
            if (share := result.share(result.reads(series, "marked", [attack]), "exact")) is not None:
                points.append(Point(value, share.value, share.interval))
        lines.append(Line(str(series), style, points))
    values = [value for value, _ in sweep.points]
    return chart(sweep.title, lines, linear(sweep.parameter, values), _SHARE)


def _heat(result: Result, series: Series, attack: str) -> Element:
    share = result.share(result.reads(series, "marked", [attack]), "exact")
    if share is None:
        return node("td", "-", class_="gap")
    return node("td", percent(share.value), style=f"--share: {share.value:.3f}")


def _value(result: Result, series: Series, attacks: Sequence[str]) -> float | None:
    found = result.exact_mean(series, attacks)
    return None if found is None else found.value


def _legend(result: Result) -> Element:
    return legend([str(series) for series in result.leading])
