"""The page that compares published and measured accuracy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import validate_peers_table as table
from benchmarks.wbench import published

ROOT = Path(table.__file__).parents[1]


def result(right, psnr=40.0):
    """Two pictures with equal readings after every attack."""
    readings = dict.fromkeys((table.CLEAN, *published("dwtDct")), right)
    images = [{"image": name, "psnr": psnr, "right": readings} for name in ("a.png", "b.png")]
    return {"versions": {"method": "0"}, "message_bits": 30, "images": images}


def test_differences_are_measured_less_published():
    assert table.accuracies(result(29), "brightness 2") == [29 / 30, 29 / 30]
    assert table.differences("dwtDct", result(29))["brightness 2"] == pytest.approx(29 / 30 - 0.4611)


def test_a_summary_counts_settings_within_the_band():
    # 14 of the published values are from .45 to .55, where half of the bits is within the band.
    assert sum(abs(value - 0.5) <= 0.05 for value in published("dwtDct").values()) == 14
    line = table.summary("dwtDct", "stated", result(15, psnr=39.0))
    assert "| 39.00 (40.46) | 0.500 | 14 of 25 |" in line
    assert line.endswith("0.367 (brightness 1.2) |")


def test_a_section_has_a_column_pair_for_each_message():
    lines = table.section("dwtDct", {"stated": result(29), "inverted": result(14)})
    assert (
        "| brightness 2 | factor 2 | 0.461 | 0.967 (0.967-0.967) | +0.506 **outside** | 0.467 (0.467-0.467) | +0.006 |"
    ) in lines
    assert len([line for line in lines if line.startswith("| ")]) == 1 + 25
    assert (
        lines[-2]
        == "Outside 0.05 with the inverted message: "
        + ", ".join(label for label, value in published("dwtDct").items() if abs(14 / 30 - value) > 0.05)
        + "."
    )
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1


def test_random_messages_are_summed_up_without_the_stated_one():
    right = {"0101": 2, "0011": 0, "1001": 4, "1100": 4}
    found = {bits: {label: [count, count] for label in table.DRAWN_SETTINGS} for bits, count in right.items()}
    lines = table.drawn_section({"images": ["a", "b"], "right": found})
    assert lines[2].startswith("3 random messages")
    assert "| compression 70 | 0.857 | 0.500 | 0.000 | 1.000 | 1.000 |" in lines


def test_the_page_agrees_with_the_result():
    results = json.loads((ROOT / "benchmarks" / "results" / "wbench.json").read_text(encoding="utf-8"))
    assert (ROOT / "docs" / "validation.md").read_text(encoding="utf-8") == table.page(results)
