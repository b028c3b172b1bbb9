"""Sentences and cells of the page that must not say more, or less, than the result does."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from report_samples import KEYS, SETTINGS, Tables, sample
from scipy.stats import binomtest

from benchmarks.report.page import page
from benchmarks.report.results import Result
from benchmarks.runner.result import write_result
from watermark.cli.main import main


def told(values) -> Tables:
    return Tables(page(Result(values), lambda name: pytest.fail("no method is needed")))


def test_worst_key_has_its_bound_where_nothing_was_found() -> None:
    values = sample(kinds=("marked", "unmarked"))
    for row in values["reads"]:
        row["present"] = row["present"] and row["kind"] == "marked"
    (line,) = [row for row in told(values).tables["false-positives"] if row[0] == "asked"]
    trials = sum(row["kind"] == "unmarked" and row["method"] == "asked" for row in values["reads"]) // len(KEYS)
    high = binomtest(0, trials).proportion_ci(1 - 0.05 / len(KEYS), method="exact").high
    assert line[4].split(": ")[1] == f"0 of {trials}, at most {high:.2g}"


def test_refused_copies_are_not_called_unmeasured() -> None:
    values = sample()
    jpegs = {setting.id for setting in SETTINGS[1:4]}
    for row in values["reads"]:
        if row["method"] == "asked" and row["attack"] in jpegs:
            row |= {"status": "refused", "reason": "too small", "psnr": None, "shown": None}
        if row["method"] == "asked" and row["attack"] == SETTINGS[4].id:
            row |= {"psnr": None, "shown": None}
    cells = {row[0]: row[2] for row in told(values).tables["cost"]}
    assert cells["real_jpeg"] == "-\nrefused"
    assert cells["crop"] == "-\ndamage not measured"


def test_points_without_a_mark_are_listed_once() -> None:
    values = sample(points=("default", "psnr 44"))
    for row in (*values["embeds"], *values["reads"]):
        if (row["method"], row["point"]) == ("asked", "psnr 44"):
            row |= {"status": "refused", "reason": "out of reach"}
    tables = told(values)
    for name in ("robustness", "payload", "trade-off", "cost", "quality", "speed", "overview"):
        assert "asked" in tables.texts[name]
        assert not any("psnr 44" in cell and "asked" in cell for row in tables.tables[name] for cell in row)
    assert sum(text.count("out of reach") for text in tables.texts.values()) == 1
    assert "asked, psnr 44: out of reach" in tables.texts["problems"]


def test_limits_hold_for_simulated_prints() -> None:
    text = told(sample()).texts["limits"]
    assert "none really prints and photographs" in text
    assert "under load" not in text


def test_false_positives_come_from_the_forensic_result(tmp_path) -> None:
    core, forensic = tmp_path / "core.json", tmp_path / "forensic.json"
    null = {**sample(kinds=("marked", "unmarked"), pictures=3), "tier": "forensic"}
    write_result(sample(), core)
    write_result(null, forensic)

    def report(*options: str):
        return CliRunner().invoke(main, ["bench", "report", str(core), "--out", str(tmp_path), "--force", *options])

    def results():
        objects = json.loads((tmp_path / "robustness-evidence.json").read_text())
        return {entry["method"]: entry["robustnessEvidence"]["results"] for entry in objects}["asked"]

    assert report().exit_code == 0
    assert results()["falsePositives"] == {}
    assert report("--forensic", str(forensic)).exit_code == 0
    rows = [row for row in null["reads"] if (row["method"], row["kind"]) == ("asked", "unmarked")]
    unmarked = results()["falsePositives"]["unmarked"]
    assert (unmarked["attempts"], unmarked["found"]) == (len(rows), sum(row["present"] for row in rows))
    assert results()["falsePositivesCorpus"].startswith("3 pictures: photo0.png")
    assert "--tier forensic" in results()["falsePositivesHarness"]
    null["methods"][1]["version"] = "2"
    write_result(null, forensic)
    other = report("--forensic", str(forensic))
    assert other.exit_code == 2
    assert "asked: the result is of version 1, the forensic one of 2" in other.stderr
