"""The page of the published comparison says what its result says."""

from __future__ import annotations

from pathlib import Path

from benchmarks.report.exports import summary
from benchmarks.report.results import Result
from benchmarks.runner.result import read_result

ROOT = Path(__file__).parents[3]


def test_the_table_beside_the_peers_is_that_of_the_result() -> None:
    result = Result(read_result(ROOT / "benchmarks" / "results" / "core-kodak.json"))
    assert summary(result).strip() in (ROOT / "docs" / "benchmark" / "README.md").read_text()
