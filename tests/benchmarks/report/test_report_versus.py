"""Paired differences are those of the copies that both methods read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from report_samples import NASTY, SETTINGS, Tables, sample
from scipy.stats import wilcoxon

from benchmarks.report.markup import render
from benchmarks.report.results import Result
from benchmarks.report.summary import summary
from benchmarks.report.versus import ALL_ATTACKS, OURS, comparisons, versus
from benchmarks.runner.result import read_result

PHOTOGRAPHS = Path(__file__).parents[3] / "benchmarks/results/core-photo.json"


def shares(values, name, attacks, images) -> np.ndarray:
    reads = [row for row in values["reads"] if row["method"] == name and row["attack"] in attacks]
    return np.array([np.mean([row["exact"] for row in reads if row["image"] == image]) for image in images])


def test_stored_result() -> None:
    """Ours less blind-watermark, computed apart: neither refused a copy of Kodak's."""
    values = read_result(PHOTOGRAPHS)
    values["data"]["images"] = [image for image in values["data"]["images"] if image["name"].startswith("kodim")]
    images = [image["name"] for image in values["data"]["images"]]
    for part in ("embeds", "reads"):
        values[part] = [row for row in values[part] if row["image"] in images]
    attacks = {row["id"] for row in values["attacks"]}
    difference = shares(values, OURS, attacks, images) - shares(values, "blind-watermark", attacks, images)
    (pair,) = [pair for pair in comparisons(Result(values)) if pair.second.method == "blind-watermark"]
    found = pair.differences[ALL_ATTACKS]
    assert found.mean == pytest.approx(difference.mean())
    assert found.p == pytest.approx(wilcoxon(difference).pvalue)
    error = difference.std(ddof=1) / np.sqrt(len(images))
    assert [found.low, found.high] == pytest.approx(difference.mean() + 1.96 * error * np.array([-1, 1]), abs=0.005)
    assert pair.counts == str(len(images))


def test_refused_copies_and_pictures_are_left_out() -> None:
    values = sample(pictures=6)
    codec = [setting.id for setting in SETTINGS[1:4]]
    for row in values["reads"]:
        if row["method"] == "asked" and (row["image"] == "photo0.png" or row["attack"] == codec[0]):
            row |= {"status": "refused", "exact": None}
    (pair,) = comparisons(Result(values))
    rest = [f"photo{index}.png" for index in range(1, 6)]
    difference = shares(values, NASTY, codec[1:], rest) - shares(values, "asked", codec[1:], rest)
    assert pair.differences["codec"].mean == pytest.approx(difference.mean())
    assert (pair.pictures, pair.pictures_out, pair.copies_out) == (5, 1, 5)
    page = Tables(f"<html>{render(versus(Result(values)))}</html>")
    assert page.tables["versus"][1][-1] == "5 (left out: pictures 1, copies 5)"


def test_ours_is_first_wherever_it_stands() -> None:
    values = sample(points=("default", "psnr 44"))
    assert [pair.first.method for pair in comparisons(Result(values))] == [NASTY, NASTY]
    for rows in (values["embeds"], values["reads"], values["methods"]):
        for row in rows:
            for name in {"method", "name"} & set(row):
                row[name] = OURS if row[name] == "asked" else row[name]
    pairs = comparisons(Result(values))
    assert [(pair.first.method, pair.second.method) for pair in pairs] == [(OURS, NASTY)] * 2
    assert [pair.first.point for pair in pairs] == [pair.second.point for pair in pairs] == ["default", "psnr 44"]


def test_both_reports_hold_it() -> None:
    values = sample()
    (pair,) = comparisons(Result(values))
    mean = f"{100 * pair.differences[ALL_ATTACKS].mean:+.1f}"
    assert f"less asked | {mean} (" in summary(Result(values))
    row = Tables(f"<html>{render(versus(Result(values)))}</html>").tables["versus"][1]
    assert row[1].split("\n")[0] == mean
    assert "less asked" not in summary(Result(values), brief=True)


@pytest.mark.parametrize("pictures", [0, 1])
def test_too_little_to_compare(pictures: int) -> None:
    """No method at all, and a single picture, of which no interval can be."""
    result = Result(sample(pictures=pictures))
    text = render(versus(result))
    assert ("No two methods" in text) == (pictures == 0)
    assert {found for pair in comparisons(result) for found in pair.differences.values()} == (
        {None} if pictures else set()
    )


def test_short_table_of_many_points_has_all_attacks_only() -> None:
    values = sample(points=("default", "psnr 44"))
    assert "\n| methods | all attacks | pictures |\n" in summary(Result(values))
    assert len(Tables(f"<html>{render(versus(Result(values)))}</html>").tables["versus"][0]) > 3
