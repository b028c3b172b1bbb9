"""A result for others to read: Markdown for a README, CSV, and evidence for a registry of soft bindings."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

from benchmarks.metrics.intervals import clopper_pearson
from benchmarks.report.nulls import NULLS
from benchmarks.report.quality import COLUMNS, quality_mean, unmeasured
from benchmarks.report.results import Mean, Result, Series, Share, done, gaps, percent, span
from benchmarks.runner.plan import DEFAULT_POINT


def summary(result: Result, brief: bool = False) -> str:
    """A short table as Markdown: a line a method and operating point.

    Args:
        result: the result.
        brief: narrow enough for a README: the first point of each method, no intervals, no false positives.
    """
    jod = any(row["jod"] is not None for row in result.values["embeds"])
    columns = ["method", "message", "PSNR dB", *(["JOD"] if jod else []), *result.families]
    columns += [] if brief else ["wrong messages", "false positives"]
    lines = [_line(columns), "|" + "---|" * len(columns)]
    for series in result.leading if brief else result.series:
        cells = [_escaped(str(series))]
        if (reason := result.not_marked(series)) is not None:
            cells.append(f"not marked: {_escaped(reason)}")
        else:
            method = result.methods[series.method]
            embeds = result.embeds(series)
            cells.append(f"{method['message_bits']} bits, {'blind' if method['blind'] else 'claimed'}")
            cells.append(_quality(quality_mean(embeds, "psnr"), 1))
            cells += [_quality(quality_mean(embeds, "jod"), 2)] if jod else []
            cells += [_mean(result.exact_mean(series, attacks), brief) for attacks in result.families.values()]
            cells += [] if brief else [_wrong(result, series), _false_positives(result, series)]
        lines.append(_line(cells + [""] * (len(columns) - len(cells))))
    for name, method in result.methods.items():
        if method["status"] == "missing":
            cells = [_escaped(name), f"missing: {_escaped(method['reason'])}"]
            lines.append(_line(cells + [""] * (len(columns) - len(cells))))
    return "\n".join([*lines, "", _caption(result, brief)]) + "\n"


def reads_csv(result: Result) -> str:
    """All readings as CSV, one a line; empty where nothing was measured."""
    file = StringIO()
    rows = result.values["reads"]
    writer = csv.DictWriter(file, list(rows[0]) if rows else ["method"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def evidence(result: Result, date: str) -> str:
    """``robustnessEvidence`` of every method, as proposed for the C2PA soft-binding algorithm list (its issue 61).

    Each object holds ``methodology``, ``corpus``, ``harness``, ``date`` and ``results``. The owner of an algorithm puts
    the one of that algorithm into its entry's ``entryMetadata``, with an address in place of the names of documents.

    Args:
        result: the result.
        date: of the measurement, ISO 8601.
    """
    objects = [
        {"method": str(series), "robustnessEvidence": _evidence(result, series, date)} for series in result.series
    ]
    return json.dumps(objects, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _evidence(result: Result, series: Series, date: str) -> dict[str, Any]:
    values = result.values
    images = values["data"]["images"]
    method = result.methods[series.method]
    return {
        "methodology": "docs/metrics.md of watermark-toolkit; exact messages after the method's own error correction, "
        + ("read blindly" if method["blind"] else "compared with the message claimed"),
        "corpus": f"{len(images)} pictures: {', '.join(image['name'] for image in images)}",
        "corpusSha256": [image["sha256"] for image in images],
        "harness": f"watermark bench run --tier {values['tier']} --seed {values['seed']}, watermark-toolkit "
        f"{values['versions'].get('watermark-toolkit', 'unknown')}, source SHA-256 {values['source_sha256']}",
        "date": date,
        "algorithmVersion": method["version"],
        "payloadBits": method["message_bits"],
        "results": {
            **{attack: _attack(result, series, attack) for family in result.families.values() for attack in family},
            "falsePositives": {kind: found for kind in NULLS if (found := _null(result, series, kind))},
            "quality": {
                name: {"mean": round(measured.value, 6), "interval95": _rounded(measured.interval)}
                for name in COLUMNS
                if (measured := quality_mean(result.embeds(series), name)) is not None
            },
        },
    }


def _attack(result: Result, series: Series, attack: str) -> dict[str, Any]:
    rows = result.reads(series, "marked", [attack])
    exact, wrong = result.share(rows, "exact"), result.share(rows, "wrong")
    row: Mapping[str, Any] = result.attacks[attack]
    found: dict[str, Any] = {"unit": row["unit"], "parameters": row["parameters"]}
    if exact is None or wrong is None:
        return {**found, "notMeasured": ", ".join(gaps(rows)) or "no readings"}
    return {**found, "exactMessages": _share(exact), "wrongMessages": _share(wrong)}


def _share(share: Share) -> dict[str, Any]:
    return {"share": round(share.value, 6), "interval95": _rounded(share.interval), "of": share.trials}


def _rounded(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else [round(end, 6) for end in interval]


def _null(result: Result, series: Series, kind: str) -> dict[str, Any] | None:
    rows = done(result.reads(series, kind))
    if not rows:
        return None
    found = sum(row["present"] for row in rows)
    return {"attempts": len(rows), "found": found, "upperBound95": round(clopper_pearson(found, len(rows))[1], 9)}


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _caption(result: Result, brief: bool) -> str:
    values = result.values
    pictures = len(values["data"]["images"])
    intervals = "" if brief else ", with 95 % intervals where pictures differ"
    sentences = [
        f"Exact messages in per cent by family of attacks{intervals}; {pictures} picture{'s' * (pictures != 1)}, "
        f"{values['tier']} tier, seed {values['seed']}.",
        "Claimed: told the message that it should find; blind: told nothing.",
    ]
    if all(series.point == DEFAULT_POINT for series in (result.leading if brief else result.series)):
        sentences.append("Each at its default strength, so not at equal quality.")
    if not brief:
        rows = ", ".join(gaps([*values["embeds"], *values["reads"]])) or "none"
        sentences += [f"Rows not done: {rows}.", f"Quality not measured: {', '.join(unmeasured(result)) or 'none'}."]
    return " ".join(sentences)


def _quality(found: Mean | None, places: int) -> str:
    return "not measured" if found is None else f"{found.value:.{places}f}"


def _mean(found: Mean | None, brief: bool) -> str:
    if found is None:
        return "-"
    varied = not brief and found.interval is not None and found.interval[0] < found.interval[1]
    return percent(found.value) + (f" ({span(found.interval)})" if varied else "")


def _wrong(result: Result, series: Series) -> str:
    share = result.share(result.reads(series, "marked"), "wrong")
    return "-" if share is None else f"{share.hits} of {share.trials}"


def _false_positives(result: Result, series: Series) -> str:
    rows = [row for kind in NULLS for row in done(result.reads(series, kind))]
    return f"{sum(row['present'] for row in rows)} of {len(rows)}" if rows else "not measured"


def _escaped(text: str) -> str:
    for character, written in (("&", "&amp;"), ("<", "&lt;"), ("|", "\\|"), ("\n", " ")):
        text = text.replace(character, written)
    return text
