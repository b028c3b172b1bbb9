"""All files of a report into a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.methods.base import Method
from benchmarks.report.exports import evidence, reads_csv
from benchmarks.report.page import page
from benchmarks.report.results import Result
from benchmarks.report.summary import summary
from watermark.files import write_atomically

FILES = ("report.html", "summary.md", "reads.csv", "robustness-evidence.json")


def write_report(
    values: Mapping[str, Any],
    out: Path,
    resolve: Callable[[str], Method],
    date: str,
    folder: Path | None = None,
    forensic: Mapping[str, Any] | None = None,
) -> list[Path]:
    """Write the files of :data:`FILES`, over what is there.

    Args:
        values: what ``read_result`` gives.
        out: the folder; made if it is missing.
        resolve: gives a method by its name; for the gallery.
        date: of the measurement, ISO 8601.
        folder: in which the run's pictures lie; no gallery if ``None``.
        forensic: what ``read_result`` gives of the result that holds the false positives, for the evidence;
            ``values`` if ``None``.

    Returns:
        The files.

    Raises:
        OSError: a file cannot be written.
        UsageError: ``forensic`` has another version of a method.
    """
    result = Result(values)
    proof = evidence(result, date, Result(forensic) if forensic is not None else None)
    texts = (page(result, resolve, folder), summary(result), reads_csv(result), proof)
    out.mkdir(parents=True, exist_ok=True)
    for name, text in zip(FILES, texts, strict=True):
        write_atomically(out / name, text.encode())
    return [out / name for name in FILES]
