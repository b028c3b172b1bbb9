"""The page: well formed, sufficient to itself, and its numbers are those of the result."""

from __future__ import annotations

import copy
import math
import re
from collections import Counter
from xml.etree import ElementTree

import jsonschema
import numpy as np
import pytest
from report_samples import KEYS, NASTY, SETTINGS, Tables, sample
from scipy.stats import binom, binomtest, mannwhitneyu

from benchmarks.report.page import page
from benchmarks.report.results import Result
from benchmarks.runner.result import schema
from benchmarks.runner.tiers import KINDS


def nobody(name: str):
    raise AssertionError("no method is needed")


def written(values) -> str:
    jsonschema.validate(values, schema())
    return page(Result(values), nobody)


def first(rows, name):
    return next(row for row in rows if row[0] == name)


@pytest.fixture(scope="module")
def forensic():
    values = sample(kinds=KINDS, points=("default", "psnr 40", "psnr 44"))
    text = written(values)
    return values, text, Tables(text)


def rows_of(values, name, kind, attack=None, point="default"):
    return [
        row
        for row in values["reads"]
        if (row["method"], row["point"], row["kind"]) == (name, point, kind) and attack in (None, row["attack"])
    ]


def test_nothing_comes_from_outside(forensic) -> None:
    _, text, tables = forensic
    assert tables.addresses
    assert all(address.startswith(("#", "data:image/")) for address in tables.addresses)
    assert not re.search(r"https?:|@import|url\(|<script|<link", text)


def test_links_lead_somewhere(forensic) -> None:
    _, text, tables = forensic
    ids = Counter(re.findall(r' id="([^"]+)"', text))
    assert {address[1:] for address in tables.addresses} <= set(ids)
    assert set(ids.values()) == {1}


def test_text_is_escaped(forensic) -> None:
    _, text, tables = forensic
    assert "<b>" not in text
    assert NASTY in [row[0] for row in tables.tables["methods"]]


def test_drawings_are_well_formed(forensic) -> None:
    _, text, _ = forensic
    drawings = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(drawings) > 5
    for drawing in drawings:
        for element in ElementTree.fromstring(drawing).iter():
            for name in ("x", "y", "cx", "cy", "x1", "x2", "y1", "y2"):
                assert math.isfinite(float(element.get(name, 0)))
            for pair in element.get("points", "").split():
                assert all(math.isfinite(float(number)) for number in pair.split(","))


def test_shares_are_those_of_the_rows(forensic) -> None:
    values, _, tables = forensic
    cells = {row[0].split("\n")[0]: row for row in tables.tables["robustness"]}
    for setting in SETTINGS:
        rows = rows_of(values, NASTY, "marked", setting.id)
        hits = sum(row["exact"] for row in rows)
        low, high = binomtest(hits, len(rows)).proportion_ci(method="wilson")
        text = cells[setting.id][1]
        share, counts, bits, *rest = text.removeprefix("▼ ").split("\n")
        assert share == f"{100 * hits / len(rows):.0f}"
        assert counts == f"{hits}/{len(rows)}, {100 * low:.0f}-{100 * high:.0f}"
        accuracy = 100 * np.mean([row["bit_accuracy"] for row in rows])
        assert float(bits.removeprefix("bits ")) == pytest.approx(accuracy, abs=0.5)
        wrong = sum(row["wrong"] for row in rows)
        assert rest == ([f"{wrong} wrong"] if wrong else [])


def test_lowest_of_a_family_is_marked(forensic) -> None:
    values, _, tables = forensic
    codec = [setting.id for setting in SETTINGS[1:4]]
    shares = [np.mean([row["exact"] for row in rows_of(values, "asked", "marked", attack)]) for attack in codec]
    cells = {row[0].split("\n")[0]: row[4] for row in tables.tables["robustness"] if row}
    assert [cells[attack].startswith("▼") for attack in codec] == [share == min(shares) < 1 for share in shares]


def test_false_positives_are_counted(forensic) -> None:
    values, _, tables = forensic
    for kind in ("unmarked", "wrong_key", "constant"):
        rows = rows_of(values, "asked", kind)
        found = sum(row["present"] for row in rows)
        line = first(tables.under["false-positives", kind.replace("_", " ")], "asked")
        assert line[1].split("\n")[0] == str(len(rows))
        assert line[2] == str(found)
        assert line[3] == f"{binomtest(found, len(rows)).proportion_ci(method='exact').high:.2g}"
    by_key = {
        key: [row["present"] for row in rows_of(values, "asked", "unmarked") if row["key"] == key] for key in KEYS
    }
    most = max(sum(found) for found in by_key.values())
    key, _, finds, *_ = re.split(r"[: ]", first(tables.under["false-positives", "unmarked"], "asked")[4])
    assert (sum(by_key[key]), int(finds)) == (most, most)


def test_thresholds_are_of_the_same_attacks(forensic) -> None:
    values, _, tables = forensic
    line = first(tables.tables["calibration"], "asked")
    null = [row["score"] for row in rows_of(values, "asked", "unmarked")]
    met = {row["attack"] for row in rows_of(values, "asked", "unmarked")}
    marked = [row["score"] for row in rows_of(values, "asked", "marked") if row["attack"] in met]
    area = mannwhitneyu(marked, null).statistic / (len(marked) * len(null))
    assert float(line[1].split("\n")[0]) == pytest.approx(area, abs=6e-4)
    assert "too few, 100 unmarked readings needed" in line[2]


def test_both_thresholds_and_their_difference() -> None:
    values = sample(pictures=30, kinds=("marked", "unmarked"))
    cell = first(Tables(written(values)).tables["calibration"], "asked")[2]
    null = np.array([row["score"] for row in rows_of(values, "asked", "unmarked")])
    marked = np.array(
        [row["score"] for setting in SETTINGS[:3] for row in rows_of(values, "asked", "marked", setting.id)]
    )
    threshold = min(score for score in null if np.mean(null > score) <= 0.01)
    bits = binom.isf(0.01, 32, 0.5)
    first_rate, second_rate = 100 * np.mean(marked > threshold), 100 * np.mean(32 * marked > bits)
    expected = re.fullmatch(
        r"calibrated: TPR ([\d.]+) % \([-\d.]+\) above ([\d.]+), unmarked ([\d.]+) %\n"
        r"binomial: TPR ([\d.]+) % \([-\d.]+\) above ([\d.]+), unmarked ([\d.]+) %\ndifference ([-+\d.]+)",
        cell,
    )
    assert expected is not None
    numbers = [
        first_rate,
        threshold,
        100 * np.mean(null > threshold),
        second_rate,
        bits,
        100 * np.mean(32 * null > bits),
    ]
    assert [float(number) for number in expected.groups()] == pytest.approx(
        [*numbers, first_rate - second_rate], abs=0.51
    )


def test_quality_is_the_mean_over_pictures(forensic) -> None:
    values, _, tables = forensic
    line = first(tables.tables["quality"], f"{NASTY}, psnr 44")
    embeds = [row for row in values["embeds"] if (row["method"], row["point"]) == (NASTY, "psnr 44")]
    shown = [float(cell.split("\n")[0]) for cell in line[1:-1]]
    for name, value in zip(
        ("psnr", "ssim", "ms_ssim", "ciede2000", "flip", "local_error", "lpips"), shown, strict=True
    ):
        assert value == pytest.approx(np.mean([row[name] for row in embeds]), abs=6e-3)
    assert line[-1] == "-\nnot measured"  # JOD


def test_operating_points(forensic) -> None:
    """A line a method and point that could be reached; curves join points of one strength."""
    values = copy.deepcopy(forensic[0])
    for row in values["embeds"]:
        row["jod"] = 9 + row["psnr"] / 50
        if (row["method"], row["point"]) == (NASTY, "psnr 40"):
            row |= {"status": "refused", "reason": "no strength has it", **dict.fromkeys(("psnr", "jod"))}
    text = written(values)
    tables = Tables(text)
    rows = {(row[0], row[1]): row[2:] for row in tables.tables["trade-off"]}
    points = {(NASTY, "default"), (NASTY, "psnr 44"), *(("asked", at) for at in ("default", "psnr 40", "psnr 44"))}
    assert rows.keys() - {("method", "point")} == points
    psnr = np.mean([row["psnr"] for row in values["embeds"] if (row["method"], row["point"]) == ("asked", "psnr 44")])
    shown = rows["asked", "psnr 44"]
    assert [float(value) for value in shown[:2]] == pytest.approx([psnr, 9 + psnr / 50], abs=6e-3)
    identity = [row["exact"] for row in rows_of(values, "asked", "marked", SETTINGS[0].id, "psnr 44")]
    assert float(shown[2].split("\n")[0]) == pytest.approx(100 * np.mean(identity), abs=0.5)
    drawings = re.findall(r"<svg[^>]*><title>[^<]*exact messages against.*?</svg>", text, re.DOTALL)
    assert len(drawings) == 2 * (len(shown) - 2)  # against PSNR and JOD
    for drawing in drawings:
        lines = ElementTree.fromstring(drawing).findall("g")
        joined = {line.findtext("title"): len((line.find("polyline").get("points") or "").split()) for line in lines}
        assert joined == {NASTY: 1, f"{NASTY}, default": 1, "asked": 2, "asked, default": 1}


def test_kinds_of_pictures_are_no_photographs() -> None:
    values = sample()
    assert "not of drawings" in Tables(written(values)).texts["limits"]
    values["data"]["images"][0]["kind"] = "text"
    assert "not of drawings" not in Tables(written(values)).texts["limits"]


def test_missing_method_and_failures_are_told() -> None:
    values = sample()
    values["reads"][0] |= {**dict.fromkeys(("present", "exact", "wrong")), "status": "failed", "reason": "fell over"}
    values["reads"][1] |= {**dict.fromkeys(("present", "exact", "wrong")), "status": "refused", "reason": "too small"}
    tables = Tables(written(values))
    assert "MethodMissing: pip install <it>" in tables.texts["problems"]
    told = {(row[3], row[4], row[5]) for row in tables.tables["problems"]}
    assert {("failed", "1", "fell over"), ("refused", "1", "too small")} <= told
    cells = {row[0].split("\n")[0]: row[1] for row in tables.tables["robustness"]}
    assert "/4," in cells[SETTINGS[0].id]  # a failure is not read
    assert "1 failed" in cells[SETTINGS[0].id]
    assert "/3," in cells[SETTINGS[1].id]  # a refusal does not count
    assert "1 refused" in cells[SETTINGS[1].id]


def test_files_that_are_no_pictures_count_for_nothing() -> None:
    values = sample()
    values["data"]["images"][0] |= {"width": None, "height": None}
    for row in (*values["embeds"], *values["reads"]):
        if row["image"] == "photo0.png":
            row |= {"status": "failed", "reason": "no picture"}
            row |= dict.fromkeys({"present", "exact", "wrong"} & set(row))
    tables = Tables(written(values))
    cells = {row[0].split("\n")[0]: row[1] for row in tables.tables["robustness"]}
    assert all("/3," in cells[setting.id] for setting in SETTINGS)
    assert "photo0.png" in tables.texts["problems"]


def test_one_picture_has_no_bootstrap_interval() -> None:
    texts = Tables(written(sample(pictures=1, kinds=("marked", "unmarked")))).texts
    assert all("one picture: no interval" in texts[section] for section in ("quality", "cost", "calibration"))


def test_area_has_an_interval(forensic) -> None:
    lines = [row[1].split("\n") for row in forensic[2].tables["calibration"][1:]]
    wide = [[float(end) for end in span.split("-")] + [float(value)] for value, span in lines if "-" in span]
    assert wide
    assert all(low <= value <= high for low, high, value in wide)


def test_nothing_at_all_is_a_page_too() -> None:
    values = sample(pictures=0)
    Tables(written(values))


def test_unchanged_pictures_have_infinite_psnr() -> None:
    values = sample()
    for row in values["embeds"][:4]:
        row["psnr"] = None
    line = Tables(written(values)).tables["quality"][1]
    assert line[1] == "∞\nunchanged"
