"""What marking costs: quality, time and memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from types import MappingProxyType
from typing import NamedTuple
from xml.etree.ElementTree import Element

import numpy as np

from benchmarks.metrics.registry import QUALITY
from benchmarks.report.markup import Content, node, section, small, table
from benchmarks.report.results import Mean, Result, Row, done, mean, span


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


def quality_mean(embeds: Sequence[Row], name: str) -> Mean | None:
    """Mean of a metric over marked pictures; those without a (finite) number are left out."""
    return mean(embeds, lambda row: row.get(name))


def unmeasured(result: Result) -> list[str]:
    """Titles of the quality metrics that no marked picture has."""
    embeds = result.values["embeds"]
    return [column.title for name, column in COLUMNS.items() if all(row[name] is None for row in embeds)]


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
