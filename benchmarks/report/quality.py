"""What marking costs: quality, time and memory, and robustness at each quality."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import median
from types import MappingProxyType
from typing import NamedTuple
from xml.etree.ElementTree import Element

import numpy as np

from benchmarks.metrics.registry import QUALITY
from benchmarks.report.chart import SHARES, Axis, Line, Point, chart, legend, linear
from benchmarks.report.markup import Content, grid, node, section, small, table
from benchmarks.report.results import Mean, Result, Row, Series, done, mean, span


class Column(NamedTuple):
    """A quality metric as tables name it."""

    title: str
    unit: str
    higher_is_better: bool


COLUMNS: Mapping[str, Column] = MappingProxyType(
    {name: Column(metric.title, metric.unit, metric.higher_is_better) for name, metric in QUALITY.items()}
    | {"jod": Column("ColorVideoVDP", "JOD", True)}
)


def quality(result: Result) -> Element:
    """The section of the quality of marked pictures."""
    rows: list[list[Content]] = [
        [str(series), *(_cell(result.embeds(series), name, column) for name, column in COLUMNS.items())]
        for series in result.series
    ]
    head = [node("span", column.title, small(_direction(column))) for column in COLUMNS.values()]
    return section(
        "quality",
        "Quality of marked pictures",
        node(
            "p",
            "Mean over pictures, its 95 % bootstrap interval (too narrow for fewer than about 20 pictures), and the "
            "worst picture. What each number means: docs/metrics.md. PSNR is not visibility.",
        ),
        table(["method", *head], rows, "Quality of marked pictures"),
    )


def speed(result: Result) -> Element:
    """The section of time and memory."""
    rows: list[list[Content]] = []
    for series in result.series:
        embeds = result.embeds(series)
        peaks = [row["peak_bytes"] for row in embeds if row["peak_bytes"] is not None]
        rows.append(
            [
                str(series),
                _times(embeds),
                _times(done(result.reads(series, "marked"))),
                _times(done(result.reads(series, "unmarked"))),
                f"{max(peaks) / 2**20:.0f}" if peaks else "-",
            ]
        )
    head = ["method", "mark, ms", "read marked, ms", "read unmarked, ms", "peak MiB while marking"]
    return section(
        "speed",
        "Time and memory",
        node(
            "p",
            "Median and quartiles on one thread, other workers beside; compare within this run only. Loading of "
            "libraries counts where it falls into a call. Memory is that of the whole process.",
        ),
        table(head, rows, "Time and memory"),
    )


def trade_off(result: Result) -> Element:
    """The section of robustness against quality, for methods measured at several operating points."""
    by_method: dict[str, list[Series]] = defaultdict(list)
    for series in result.series:
        by_method[series.method].append(series)
    several = [method for method, points in by_method.items() if len(points) > 1]
    if not several:
        text = "Every method was measured at one operating point; --points gives several."
        return section("trade-off", "Robustness against quality", node("p", text))
    figures = [
        figure
        for family, attacks in result.families.items()
        for metric in ("psnr", "jod")
        if (figure := _trade_off(result, {name: by_method[name] for name in several}, family, attacks, metric))
    ]
    return section(
        "trade-off",
        "Robustness against quality",
        node("p", "Mean share of exact messages against mean quality, one mark an operating point."),
        legend(several),
        grid(figures),
    )


def quality_mean(embeds: Sequence[Row], name: str) -> Mean | None:
    """Mean of a metric over marked pictures; those without a (finite) number are left out."""
    return mean(embeds, lambda row: row.get(name))


def _trade_off(
    result: Result, methods: Mapping[str, Sequence[Series]], family: str, attacks: Sequence[str], metric: str
) -> Element | None:
    lines = []
    for style, (method, points) in enumerate(methods.items()):
        both = [(quality_mean(result.embeds(at), metric), result.exact_mean(at, attacks)) for at in points]
        drawn = [Point(x.value, y.value, y.interval) for x, y in both if x is not None and y is not None]
        lines.append(Line(method, style, drawn))
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


def _cell(embeds: Sequence[Row], name: str, column: Column) -> Element:
    found = quality_mean(embeds, name)
    unchanged = sum(name == "psnr" and row["psnr"] is None for row in embeds)
    if found is None:
        return node("td", "∞" if unchanged else "-", small("unchanged" if unchanged else "not measured"), class_="gap")
    worst = min(found.values) if column.higher_is_better else max(found.values)
    pictures = len(found.values)
    return node(
        "td",
        spell(found.value),
        small(span(found.interval, spell)),
        small(f"worst {spell(worst)} of {pictures}"),
        small(f"{unchanged} unchanged") if unchanged else None,
    )


def spell(value: float) -> str:
    """A number to four places that matter, no more than four after the point.

    Example:
        >>> spell(44.777861), spell(0.996818), spell(0.01657)
        ('44.78', '0.9968', '0.0166')
    """
    return f"{value:.2f}" if abs(value) >= 10 else f"{value:.4f}"


def _direction(column: Column) -> str:
    way = "higher is better" if column.higher_is_better else "lower is better"
    return f"{column.unit}, {way}" if column.unit else way


def _times(rows: Sequence[Row]) -> Content:
    times = [row["ms"] for row in rows if row["ms"] is not None]
    if not times:
        return "-"
    low, high = np.percentile(times, (25, 75))
    return node("td", f"{median(times):.0f}", small(f"{low:.0f}-{high:.0f} of {len(times)}"))
