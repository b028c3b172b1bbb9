"""A result for programs to read: CSV, and evidence for a registry of soft bindings."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from io import StringIO
from typing import Any

from benchmarks.metrics.intervals import clopper_pearson
from benchmarks.report.nulls import NULLS
from benchmarks.report.quality import COLUMNS, quality_mean
from benchmarks.report.results import Result, Series, Share, done, gaps
from benchmarks.runner.provenance import command_line
from watermark.errors import UsageError


def reads_csv(result: Result) -> str:
    """All readings as CSV, one a line; empty where nothing was measured.

    In the run of a preset a line ends with the published labels of its attack, ``; `` between them.
    """
    file = StringIO()
    rows = result.values["reads"]
    labels = {
        id: "; ".join(row["label"] for row in attack["published"])
        for id, attack in result.attacks.items()
        if "published" in attack
    }
    if labels:
        rows = [{**row, "published": labels.get(row["attack"])} for row in rows]
    writer = csv.DictWriter(file, list(rows[0]) if rows else ["method"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def evidence(result: Result, date: str, forensic: Result | None = None) -> str:
    """``robustnessEvidence`` of every method, as proposed for the C2PA soft-binding algorithm list (its issue 61).

    Each object holds ``methodology``, ``corpus``, ``harness``, ``date`` and ``results``. The owner of an algorithm puts
    the one of that algorithm into its entry's ``entryMetadata``, with an address in place of the names of documents.

    Args:
        result: the result.
        date: of the measurement, ISO 8601.
        forensic: gives the false positives; the result itself if ``None``.

    Raises:
        UsageError: ``forensic`` has another version of a method.
    """
    nulls = forensic or result
    for name in result.methods.keys() & nulls.methods.keys():
        versions = [found.methods[name]["version"] for found in (result, nulls)]
        if versions[0] != versions[1]:
            raise UsageError(f"{name}: the result is of version {versions[0]}, the forensic one of {versions[1]}")
    objects = [
        {"method": str(series), "robustnessEvidence": _evidence(result, series, date, nulls)}
        for series in result.series
    ]
    return json.dumps(objects, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _evidence(result: Result, series: Series, date: str, nulls: Result) -> dict[str, Any]:
    values = result.values
    method = result.methods[series.method]
    return {
        "methodology": "docs/metrics.md of watermark-toolkit; exact messages after the method's own error correction, "
        + ("read blindly" if method["blind"] else "compared with the message claimed"),
        "corpus": _corpus(values),
        "corpusSha256": [image["sha256"] for image in values["data"]["images"]],
        "harness": _harness(values),
        "date": date,
        "algorithmVersion": method["version"],
        "payloadBits": method["message_bits"],
        "results": {
            **{attack: _attack(result, series, attack) for family in result.families.values() for attack in family},
            "falsePositives": {kind: found for kind in NULLS if (found := _null(nulls, series, kind))},
            "falsePositivesCorpus": _corpus(nulls.values),
            "falsePositivesHarness": _harness(nulls.values),
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


def _corpus(values: Mapping[str, Any]) -> str:
    images = values["data"]["images"]
    return f"{len(images)} pictures: {', '.join(image['name'] for image in images)}"


def _harness(values: Mapping[str, Any]) -> str:
    arguments = values.get("arguments", {"tier": values["tier"], "seed": values["seed"]})
    version = values["versions"].get("watermark-toolkit", "unknown")
    return f"{command_line(arguments)}, watermark-toolkit {version}, source SHA-256 {values['source_sha256']}"


def _null(result: Result, series: Series, kind: str) -> dict[str, Any] | None:
    rows = done(result.reads(series, kind))
    if not rows:
        return None
    found = sum(row["present"] for row in rows)
    return {"attempts": len(rows), "found": found, "upperBound95": round(clopper_pearson(found, len(rows))[1], 9)}
