"""Parts of a report that are numbers: strengths, damage, axes and what is written for other tools."""

from __future__ import annotations

import csv
import io
import json
import math
from statistics import fmean

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from report_samples import NASTY, SETTINGS, sample
from scipy.stats import binomtest

from benchmarks.metrics.damage import damage_at
from benchmarks.report.chart import Axis, linear
from benchmarks.report.cost import Accepted, damage_of, q_at_p
from benchmarks.report.exports import evidence, reads_csv
from benchmarks.report.nulls import NULLS
from benchmarks.report.radar import radar
from benchmarks.report.results import Result, Series, percent
from benchmarks.report.robustness import sweeps
from benchmarks.runner.result import write_result
from watermark.cli.bench import command
from watermark.cli.main import main

ASKED = Series("asked", "default")


def test_strengths_of_one_attack_are_a_sweep() -> None:
    (sweep,) = sweeps([setting.row() for setting in SETTINGS])
    assert (sweep.title, sweep.parameter) == ("real_jpeg subsampling=4:2:0", "quality")
    assert [value for value, _ in sweep.points] == [30, 50, 70]
    assert [id for _, id in sweep.points] == [SETTINGS[index].id for index in (3, 2, 1)]


@pytest.mark.parametrize(
    ("psnr", "shown", "expected"), [(None, 1.0, 0.0), (None, 0.25, 0.75), (None, 0.0, 1.0), (41.9733, 1.0, 0.1)]
)
def test_damage(psnr, shown, expected) -> None:
    assert damage_of({"psnr": psnr, "shown": shown}) == pytest.approx(expected)


def test_damage_that_was_not_measured() -> None:
    assert damage_of({"psnr": None, "shown": None}) is None


def test_attacker_must_accept_more_where_more_is_read() -> None:
    values = sample()
    jpegs = [setting.id for setting in SETTINGS[1:4]]
    for row in values["reads"]:
        if row["attack"] in jpegs:
            row |= {"psnr": {70: 36.0, 50: 30.0, 30: 24.0}[int(row["attack"][18:20])], "shown": 1.0}
        row["exact"] = row["attack"] not in jpegs[0 if row["method"] == "asked" else 2 :]
    result = Result(values)
    weak, strong = (q_at_p(result, series, jpegs, 0.7) for series in (ASKED, Series(NASTY, "default")))
    mildest = 0.1 + 0.8 * (41.9733 - 36) / (41.9733 - 12.1465)
    assert weak.least == pytest.approx(0.3 * mildest)  # between the unattacked pictures and the mildest strength
    assert weak.least < strong.least < strong.most
    assert weak.interval == pytest.approx((weak.least, weak.least))


def test_accepted_damage_has_the_interval_of_resampled_pictures() -> None:
    values = sample(pictures=9)
    attacks = [setting.id for setting in SETTINGS[:4]]  # the unattacked picture first
    rows = {(row["image"], row["attack"]): row for row in values["reads"] if row["method"] == "asked"}
    rows["photo3.png", attacks[2]]["status"] = "refused"
    pictures = sorted({image for image, _ in rows})

    def least(drawn) -> float:
        points = []
        for attack in attacks:
            met = [rows[pictures[one], attack] for one in drawn]
            counted = [row for row in met if row["status"] == "ok"]
            points.append((fmean(map(damage_of, counted)), fmean(row["exact"] for row in counted)))
        found = damage_at(points, 0.6)
        return math.inf if found is None else found

    found = q_at_p(Result(values), ASKED, attacks[1:], 0.6)
    resamples = [least(drawn) for drawn in np.random.default_rng(0).integers(9, size=(2000, 9))]
    low, high = np.quantile(resamples, (0.025, 0.975), method="closest_observation")
    assert found.least == pytest.approx(least(range(9)))
    assert found.interval == pytest.approx((low, high), abs=5e-3)


def test_damage_that_was_not_reached_is_more_than_was_tried() -> None:
    found = Accepted(math.inf, (0.25, math.inf), 0.515)
    assert (found.spelled(), found.spelled_interval()) == ("> 0.52", "0.25 to > 0.52")
    assert Accepted(0.3, (0.25, 0.4), 0.5).spelled_interval() == "0.25-0.40"
    assert Accepted(math.inf, (math.inf, math.inf), 0.5).spelled_interval() == "> 0.50"


def test_no_damage_no_figure() -> None:
    values = sample()
    for row in values["reads"]:
        row["shown"] = None
    assert q_at_p(Result(values), ASKED, [SETTINGS[1].id], 0.7) is None


@given(st.floats(0, 1))
def test_percent_is_all_or_none_only_when_it_is(share) -> None:
    text = percent(share)
    assert abs(float(text) - 100 * share) <= 0.5
    if 1e-8 < share < 1 - 1e-8:
        assert text not in {"0", "100"}


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9))
def test_axis_holds_its_values(values) -> None:
    axis = linear("anything", values)
    slack = 1e-9 * max(1, *map(abs, values))
    assert axis.low - slack <= min(values) <= max(values) <= axis.high + slack
    assert 1 <= len(axis.ticks) <= 8
    assert all(-1e-6 <= axis.place(value) <= 1 + 1e-6 for value in values)


def test_logarithmic_axis() -> None:
    axis = Axis("p", (), 1e-6, 1.0, logarithmic=True)
    assert axis.place(1e-3) == pytest.approx(0.5)


def test_radar_leaves_gaps_open() -> None:
    drawing = radar("r", ["a", "b", "c", "d"], [[1.0, None, 0.5, 0.5]])
    (line,) = drawing.findall("g")
    assert len(line.findall("line")) == 2  # of four sides


def test_csv_holds_every_reading() -> None:
    values = sample()
    rows = list(csv.DictReader(io.StringIO(reads_csv(Result(values)))))
    assert len(rows) == len(values["reads"])
    for row, read in zip(rows, values["reads"], strict=True):
        assert row == {name: "" if value is None else str(value) for name, value in read.items()}


def test_evidence_has_the_proposed_fields() -> None:
    values = sample(kinds=("marked", "unmarked"))
    objects = {
        entry["method"]: entry["robustnessEvidence"] for entry in json.loads(evidence(Result(values), "2026-01-02"))
    }
    assert set(objects) == {NASTY, "asked"}
    found = objects["asked"]
    assert {"methodology", "corpus", "harness", "date", "results"} <= set(found)
    assert found["date"] == "2026-01-02"
    for setting in SETTINGS:
        rows = [row for row in values["reads"] if row["method"] == "asked" and row["attack"] == setting.id]
        hits = [row["exact"] for row in rows if row["kind"] == "marked"]
        exact = found["results"][setting.id]["exactMessages"]
        interval = binomtest(sum(hits), len(hits)).proportion_ci(method="wilson")
        assert (exact["share"], exact["of"]) == (sum(hits) / len(hits), len(hits))
        assert exact["interval95"] == pytest.approx(list(interval), abs=2e-6)
    nulls = [row["present"] for row in values["reads"] if row["method"] == "asked" and row["kind"] in NULLS]
    assert found["results"]["falsePositives"]["unmarked"]["found"] == sum(nulls)


def test_command_writes_all_files(tmp_path) -> None:
    path, out = tmp_path / "result.json", tmp_path / "report"
    write_result(sample(), path)
    done = CliRunner().invoke(command, ["report", str(path), "--out", str(out), "--json"], catch_exceptions=False)
    assert done.exit_code == 0
    again = CliRunner().invoke(main, ["bench", "report", str(path), "--out", str(out)])
    assert (again.exit_code, again.stderr.count("\n")) == (2, 1)
    assert "give --force" in again.stderr
    forced = ["report", str(path), "--out", str(out), "--json", "--force"]
    assert CliRunner().invoke(command, forced, catch_exceptions=False).stdout == done.stdout
    names = ["report.html", "summary.md", "reads.csv", "robustness-evidence.json"]
    assert sorted(file.name for file in out.iterdir()) == sorted(names)
    assert json.loads(done.stdout) == {"schema": 1, "files": [str(out / name) for name in names]}
