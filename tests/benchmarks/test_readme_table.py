"""The pages beside the peers say what the stored result says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import readme_table
from benchmarks.page_part import with_part
from benchmarks.readme_table import MARKS, RESULT, tables
from benchmarks.report.results import Result
from benchmarks.runner.result import read_result, write_result

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def stored():
    return read_result(ROOT / RESULT)


def test_pages_are_those_of_the_result(stored) -> None:
    for name, table in tables(Result(stored)).items():
        page = (ROOT / name).read_text()
        assert with_part(page, MARKS, table) == page, "run python -m benchmarks.readme_table"


def test_command_writes_what_another_result_says(stored, tmp_path: Path, monkeypatch) -> None:
    """Every JPEG 50 lost, of one method: its share of the family falls, and nothing outside the marks changes."""
    (tmp_path / "docs" / "benchmark").mkdir(parents=True)
    names = list(tables(Result(stored)))
    for name in names:
        (tmp_path / name).write_text("before\n" + "another table\n".join(MARKS) + "after\n")
    reads = [
        {**row, "exact": False} if row["method"] == "blind-watermark" and "jpeg" in row["attack"] else row
        for row in stored["reads"]
    ]
    write_result({**stored, "reads": reads}, tmp_path / "result.json")
    options = ["--result", str(tmp_path / "result.json"), "--root", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["readme_table", *options])
    readme_table.main()
    for name in names:
        page = (tmp_path / name).read_text()
        assert page.startswith(f"before\n{MARKS[0]}| method |")
        assert page.endswith(f"{MARKS[1]}after\n")
        assert "another table" not in page
        before, now = (
            [line for line in text.splitlines() if line.startswith("| blind-watermark |")]
            for text in ((ROOT / name).read_text(), page)
        )
        assert before != now


@pytest.mark.parametrize("page", ["no marks", MARKS[0], MARKS[1]])
def test_page_without_its_marks(page: str) -> None:
    with pytest.raises(ValueError, match="benchmark"):
        with_part(page, MARKS, "table")
