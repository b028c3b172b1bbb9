"""The pages beside the peers say what the stored results say."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import readme_table
from benchmarks.page_part import with_part
from benchmarks.readme_table import RESULTS, TABLES, Table
from benchmarks.runner.result import read_result, write_result

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_pages_are_those_of_the_results(table: Table) -> None:
    page = (ROOT / table.page).read_text()
    assert with_part(page, table.marks, table.text(ROOT)) == page, "run python -m benchmarks.readme_table"


def test_command_writes_what_another_result_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every JPEG lost, of one method: its share of the family falls, and nothing outside the marks changes."""
    tables = [table for table in TABLES if table.result == "core-photo"]
    monkeypatch.setattr(readme_table, "TABLES", tables)
    (tmp_path / RESULTS).mkdir(parents=True)
    for table in tables:
        (tmp_path / table.page).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / table.page).write_text("before\n" + "another table\n".join(table.marks) + "after\n")
    stored = read_result(ROOT / RESULTS / "core-photo.json")
    reads = [
        {**row, "exact": False} if row["method"] == "blind-watermark" and "jpeg" in row["attack"] else row
        for row in stored["reads"]
    ]
    write_result({**stored, "reads": reads}, tmp_path / RESULTS / "core-photo.json")
    monkeypatch.setattr(sys, "argv", ["readme_table", "--root", str(tmp_path)])
    readme_table.main()
    for table in tables:
        page = (tmp_path / table.page).read_text()
        assert page.startswith(f"before\n{table.marks[0]}| method |")
        assert page.endswith(f"{table.marks[1]}after\n")
        assert "another table" not in page
        before, now = (
            [line for line in text.splitlines() if line.startswith("| blind-watermark |")]
            for text in (table.text(ROOT), page)
        )
        assert before != now


@pytest.mark.parametrize("page", ["no marks", *TABLES[0].marks])
def test_page_without_its_marks(page: str) -> None:
    with pytest.raises(ValueError, match="core-photo"):
        with_part(page, TABLES[0].marks, "table")
