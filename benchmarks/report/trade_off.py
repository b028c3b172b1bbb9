"""Robustness against quality, for methods measured at several operating points."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element

from benchmarks.report.chart import SHARES, Axis, Line, Point, chart, legend, linear
from benchmarks.report.markup import Content, grid, node, section, small, table
from benchmarks.report.quality import COLUMNS, quality_mean, spell
from benchmarks.report.results import Mean, Result, Series, percent, span
from benchmarks.runner.plan import DEFAULT_POINT

_METRICS = ("psnr", "jod")  # those that operating points name


def trade_off(result: Result) -> Element:
    """The section: what each point gave, and curves."""
    asked = Counter(series.method for series in (*result.series, *result.not_marked))
    several: dict[str, list[Series]] = defaultdict(list)
    for series in result.series:
        if asked[series.method] > 1:
            several[series.method].append(series)
    if not several:
        text = "Every method was measured at one operating point; --points gives several."
        return section("trade-off", "Robustness against quality", node("p", text))
    figures = [
        figure
        for family, attacks in result.families.items()
        for metric in _METRICS
        if (figure := _figure(result, several, family, attacks, metric))
    ]
    return section(
        "trade-off",
        "Robustness against quality",
        node(
            "p",
            "Mean quality and mean share of exact messages, in per cent, at each operating point, with 95 % bootstrap "
            "intervals over pictures. A line joins the points at which a method has one strength for all pictures; its "
            "default stands alone, since a method may then choose a strength for each.",
        ),
        _table(result, [series for points in several.values() for series in points]),
        legend(list(several)),
        grid(figures),
    )


def _table(result: Result, rows_of: Sequence[Series]) -> Element:
    head: list[Content] = ["method", "point"]
    head += [node("span", f"mean {COLUMNS[metric].title}", small(COLUMNS[metric].unit)) for metric in _METRICS]
    rows: list[list[Content]] = []
    for series in rows_of:
        qualities = [quality_mean(result.embeds(series), metric) for metric in _METRICS]
        shares = [result.exact_mean(series, attacks) for attacks in result.families.values()]
        rows.append(
            [
                series.method,
                series.point,
                *("not measured" if found is None else spell(found.value) for found in qualities),
                *(map(_share, shares)),
            ]
        )
    return table([*head, *result.families], rows, "Operating points")


def _share(found: Mean | None) -> Content:
    return "-" if found is None else node("td", percent(found.value), small(span(found.interval)))


def _figure(
    result: Result, methods: Mapping[str, Sequence[Series]], family: str, attacks: Sequence[str], metric: str
) -> Element | None:
    lines = []
    for style, (method, points) in enumerate(methods.items()):
        default = [at for at in points if at.point == DEFAULT_POINT]
        for name, joined in ((method, [at for at in points if at not in default]), (f"{method}, default", default)):
            both = [(quality_mean(result.embeds(at), metric), result.exact_mean(at, attacks)) for at in joined]
            drawn = [Point(x.value, y.value, y.interval) for x, y in both if x is not None and y is not None]
            lines.append(Line(name, style, drawn))
    values = [point.x for line in lines for point in line.points]
    if not values:
        return None
    column = COLUMNS[metric]
    drawing = chart(
        f"{family}: exact messages against {column.title}",
        lines,
        linear(f"mean {column.title}, {column.unit}", values),
        Axis("exact messages", SHARES, 0.0, 1.0),
    )
    return node("figure", node("figcaption", family), drawing)
