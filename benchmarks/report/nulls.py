"""What is found where nothing is: false positives by kind and key, calibration, and marks that were tampered with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from xml.etree.ElementTree import Element

from benchmarks.metrics.detection import OperatingPoint, auc, auc_interval, binomial, calibrated
from benchmarks.metrics.false_positives import worst_key
from benchmarks.metrics.intervals import clopper_pearson
from benchmarks.report.chart import Axis, Line, Point, chart, legend
from benchmarks.report.markup import Content, node, section, small, table
from benchmarks.report.results import Result, Row, Series, Share, done, gaps, percent, span

NULLS = {
    "unmarked": "Photographs without a mark, attacked.",
    "wrong_key": "Marked photographs, attacked, read under keys of nobody.",
    "other_method": "Photographs marked by another method.",
    "constant": "Pictures of one grey level.",
    "random": "Pictures of noise.",
}
_TAMPERED = {
    "double": "Marked again under another key with the opposite message, and read under the first: exact is good.",
    "average": "Less the mean residual of other pictures that carry the same key and message: exact is good.",
    "copy": "The residual, as a denoiser sees it, added to another picture: found is a forgery.",
}
RATES = (1e-2, 1e-3, 1e-6)
_STATED = tuple(10 ** (-half / 2) for half in range(13))  # p from 1 to 1e-6


def false_positives(result: Result) -> Element:
    """The section of finds where there is nothing to find."""
    title = "False positives"
    parts = _by_kind(result, NULLS, ("readings", "found", "share at most", "worst key"), _null)
    if not parts:
        return section("false-positives", title, node("p", _elsewhere(result)))
    return section(
        "false-positives",
        title,
        node(
            "p",
            "“Share at most” is the upper end of the 95 % Clopper-Pearson interval. The worst key is the one found "
            "most often; its interval is widened for having been picked (Bonferroni). Methods that are not blind are "
            "asked for the message registered with the picture.",
        ),
        *parts,
    )


def calibration(result: Result) -> Element:
    """The section of stated against measured false-positive rates, and of thresholds."""
    title = "Are stated false-positive rates true?"
    measured = [series for series in result.series if done(result.reads(series, "unmarked"))]
    if not measured:
        return section("calibration", title, node("p", "Not measured: no unmarked picture was read in this tier."))
    x = Axis("p stated by the method", (1e-6, 1e-4, 1e-2, 1.0), 1e-6, 1.0, logarithmic=True)
    y = Axis("share of readings with that p or less", x.ticks, 1e-6, 1.0, logarithmic=True)
    lines = [
        Line(str(series), style, _stated(result, series))
        for style, series in enumerate(result.leading)
        if series in measured
    ]
    plot = chart("Calibration of stated p-values", lines, x, y, diagonal=True)
    rows = [_thresholds(result, series) for series in measured]
    head = ["method", "AUC", *(f"at a rate of {rate:g}" for rate in RATES)]
    return section(
        "calibration",
        title,
        node(
            "p",
            "Unmarked pictures only. On or under the dotted line the stated p holds; above it the method promises more "
            "than it keeps. Shares of 0 cannot be drawn on this scale. A method that states a p only for what it finds "
            "has one point, at 1.",
        ),
        legend([str(series) for series in result.leading]),
        node("figure", plot, class_="single"),
        node(
            "p",
            "Share of marked pictures found (TPR) with a threshold from the unmarked readings under the same attacks "
            "(calibrated) and with that of fair coin tosses (binomial), the difference, and the share of unmarked "
            "readings above each threshold, which should be the rate. AUC has a 95 % bootstrap interval over pictures.",
        ),
        table(head, rows, "Thresholds"),
    )


def tampering(result: Result) -> Element:
    """The section of marks that were copied, overwritten and averaged."""
    parts = _by_kind(result, _TAMPERED, ("found %", "exact %", "not done"), _tampered)
    return section("tampering", "Copied, overwritten, averaged", *(parts or [node("p", _elsewhere(result))]))


def _by_kind(
    result: Result,
    kinds: Mapping[str, str],
    head: Sequence[str],
    cells: Callable[[Sequence[Row]], list[Content]],
) -> list[Element]:
    """Heading, meaning and table of every kind of readings that the result holds."""
    parts = []
    for kind, meaning in kinds.items():
        name = kind.replace("_", " ")
        read = {series: rows for series in result.series if (rows := result.reads(series, kind))}
        if read:
            lines: list[list[Content]] = [[str(series), *cells(rows)] for series, rows in read.items()]
            parts += [node("h3", name), node("p", meaning), table(["method", *head], lines, name)]
    return parts


def _elsewhere(result: Result) -> str:
    return f"Not measured in a run of {result.values['tier']}; the forensic tier does."


def _tampered(rows: Sequence[Row]) -> list[Content]:
    read = done(rows)
    shares = [
        _counted(Share(sum(row[name] for row in read), len(read))) if read else "-" for name in ("present", "exact")
    ]
    return [*shares, ", ".join(gaps(rows))]


def _null(rows: Sequence[Row]) -> list[Content]:
    read = done(rows)
    if not read:
        reasons = dict.fromkeys(row["reason"] for row in rows)
        return ["0", "-", "-", node("td", small(", ".join(gaps(rows))), small("; ".join(reasons)), class_="gap")]
    counts: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for row in read:
        found, trials = counts[row["key"]]
        counts[row["key"]] = (found + row["present"], trials + 1)
    hits = sum(found for found, _ in counts.values())
    worst = worst_key(counts)
    return [
        node("td", str(len(read)), small(f"{len(counts)} keys"), small(", ".join(gaps(rows))) if gaps(rows) else None),
        node("td", str(hits), class_="worst" if hits else None),
        f"{clopper_pearson(hits, len(read))[1]:.2g}",
        f"{worst.key}: {worst.found} of {worst.trials}, at most {worst.high:.2g}",
    ]


def _stated(result: Result, series: Series) -> list[Point]:
    stated = [row["p"] for row in done(result.reads(series, "unmarked")) if row["p"] is not None]
    points = []
    for nominal in _STATED:
        hits = sum(p <= nominal * (1 + 1e-9) for p in stated)
        if hits:
            low, high = clopper_pearson(hits, len(stated))
            points.append(Point(nominal, hits / len(stated), (max(low, 1e-6), high)))
    return points


def _thresholds(result: Result, series: Series) -> list[Content]:
    null = done(result.reads(series, "unmarked"))
    attacks = list(dict.fromkeys(row["attack"] for row in null))
    marked = done(result.reads(series, "marked", attacks))
    scores, null_scores = ([row["score"] for row in rows if row["score"] is not None] for rows in (marked, null))
    if not (scores and null_scores):
        return [str(series), "-", *(node("td", "no scores", class_="gap") for _ in RATES)]
    cells = [_compared(result, series, marked, null, calibrated(scores, null_scores, rate)) for rate in RATES]
    return [str(series), _auc(marked, null), *cells]


def _auc(marked: Sequence[Row], null: Sequence[Row]) -> Element:
    pictures: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for side, rows in enumerate((marked, null)):
        for row in rows:
            if row["score"] is not None:
                pictures[row["image"]][side].append(row["score"])
    scores, null_scores = (list(chain.from_iterable(parts)) for parts in zip(*pictures.values(), strict=True))
    interval = auc_interval(list(pictures.values())) if len(pictures) > 1 else None
    # two ends of 1 do not say that pictures are alike
    shown = "{:.3f}-{:.3f}".format(*interval) if interval else span(interval)
    return node("td", f"{auc(scores, null_scores):.3f}", small(shown))


def _compared(
    result: Result, series: Series, marked: Sequence[Row], null: Sequence[Row], first: OperatingPoint
) -> Element:
    bits = result.methods[series.method]["message_bits"]
    lines = [_spelled("calibrated", first, "unmarked readings", len(marked))]
    if all(row["bit_accuracy"] is not None for row in (*marked, *null)):
        right, null_right = ([round(row["bit_accuracy"] * bits) for row in rows] for rows in (marked, null))
        second = binomial(right, null_right, bits, first.rate)
        lines.append(_spelled("binomial", second, "bits", len(marked)))
        if first.tpr is not None and second.tpr is not None:
            lines.append(f"difference {100 * (first.tpr - second.tpr):+.1f}")
    else:
        lines.append("binomial: n/a, it gives no bits where it finds nothing")
    return node("td", *map(small, lines))


def _spelled(name: str, point: OperatingPoint, what: str, marked: int) -> str:
    if point.tpr is None or point.null_share is None:
        return f"{name}: too few, {point.needed} {what} needed"
    interval = span(Share(round(point.tpr * marked), marked).interval)
    unmarked = percent(point.null_share)
    return f"{name}: TPR {percent(point.tpr)} % ({interval}) above {point.threshold:g}, unmarked {unmarked} %"


def _counted(share: Share) -> Element:
    return node("td", percent(share.value), small(f"{share.hits}/{share.trials}, {span(share.interval)}"))
