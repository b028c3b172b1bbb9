"""Evidence says when and how its result was made, as the result itself does."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner
from report_samples import sample

from benchmarks.runner.result import write_result
from watermark.cli.bench import run_command
from watermark.cli.main import main

ARGUMENTS = {"tier": "core", "data": "FOLDER", "only": "kodim", "methods": "dwtDct", "points": "psnr 42", "seed": 7}


@pytest.fixture
def reported(tmp_path: Path):
    """Reports on a result with these fields, and gives the first evidence of it."""

    def report(fields, *options: str):
        path = tmp_path / "result.json"
        write_result({**sample(), **fields}, path)
        os.utime(path, (0, 0))
        done = CliRunner().invoke(main, ["bench", "report", str(path), "--out", str(tmp_path / "report"), *options])
        assert done.exit_code == 0, done.output
        evidence = json.loads((tmp_path / "report" / "robustness-evidence.json").read_text())
        return evidence[0]["robustnessEvidence"]

    return report


def test_run_can_be_repeated_as_printed(reported) -> None:
    harness = reported({"arguments": ARGUMENTS})["harness"]
    line, _, versions = harness.partition(", watermark-toolkit ")
    words = shlex.split(line)
    assert words[:3] == ["watermark", "bench", "run"]
    again = run_command.make_context("run", [*words[3:], "--out", "x"]).params
    assert {name: str(again[name]) for name in ARGUMENTS} == {name: str(value) for name, value in ARGUMENTS.items()}
    assert "source SHA-256" in versions


def test_older_result_gives_what_it_has(reported) -> None:
    assert reported({})["harness"].startswith("watermark bench run --tier tiny --seed 7, watermark-toolkit ")


def test_date_is_that_of_the_measurement(reported) -> None:
    dated = {"date": "2026-01-02T03:04:05+00:00"}
    assert reported(dated)["date"] == dated["date"]
    assert reported(dated, "--date", "2025-12-31", "--force")["date"] == "2025-12-31"
    assert reported({}, "--force")["date"] == "1970-01-01"  # an older result: its file's
