"""What each kind of picture gave, as Markdown."""

from __future__ import annotations

from collections import Counter

from benchmarks.report.markdown import escaped, markdown_table
from benchmarks.report.results import Result, Series, mean, percent


def kind_lines(result: Result) -> list[str]:
    """A table with a line for each kind of picture; nothing if all are of one kind."""
    images = result.values["data"]["images"]
    kinds = Counter(image["kind"] for image in images)
    if len(kinds) < 2:
        return []
    of_kind = {kind: {image["name"] for image in images if image["kind"] == kind} for kind in kinds}
    rows = [
        [escaped(kind), str(count), *(_cell(result, series, of_kind[kind]) for series in result.leading)]
        for kind, count in sorted(kinds.items())
    ]
    head = ["kind", "pictures", *(escaped(str(series)) for series in result.leading)]
    note = (
        "Exact messages over all attacks, of fewer pictures where some were refused or are no pictures, and the JOD of "
        "the worst of them."
    )
    return [*markdown_table(head, rows), "", note]


def _cell(result: Result, series: Series, names: set[str]) -> str:
    found = mean(
        (row for row in result.counted(result.reads(series, "marked")) if row["image"] in names),
        lambda row: bool(row["exact"]),
    )
    if found is None:
        return "-"
    jods = [row["jod"] for row in result.embeds(series) if row["image"] in names and row["jod"] is not None]
    fewer = f" ({len(found.values)} of {len(names)})" if len(found.values) < len(names) else ""
    return f"{percent(found.value)} %{fewer}" + (f", JOD {min(jods):.2f}" if jods else "")
