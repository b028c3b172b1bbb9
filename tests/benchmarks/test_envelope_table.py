"""The page of the operating envelope, from results made by hand."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import envelope_table
from benchmarks.envelope_results import load
from benchmarks.envelope_table import nothing_section, page, quality_table, robustness_table, summary
from benchmarks.grid import ENVELOPE, EQUAL_BYTES


def image(name: str, missed: dict[str, int] | None = None, **changes: Any) -> dict[str, Any]:
    """A result in which some copies of some rows were not read."""
    missed = missed or {}
    attacks = {
        row.name: [
            {"recovered": copy >= missed.get(row.name, 0), "wrong": False, "bit_errors": 3, "score": 3.0, "ms": 100.0}
            for copy in range(len(row.attacks))
        ]
        for row in ENVELOPE
    }
    return {
        "image": name,
        "height": 512,
        "width": 768,
        "psnr": 48.0,
        "ssim": 0.99,
        "strength": 50.0,
        "largest_change": 7,
        "embed_seconds": 0.25,
        "attacks": attacks,
        "found_where_nothing_is": {"unmarked": False, "wrong key": False},
        **changes,
    }


@pytest.fixture
def results() -> dict[str, Any]:
    standard = [image("a.png"), image("b.png", {"JPEG 30": 1, "flip": 1}, psnr=50.0), image("c.png", {"flip": 2})]
    low = [image("a.png", {"JPEG 30": 1}, psnr=54.0), image("b.png", psnr=55.0)]
    return {"envelope": {"standard": standard, "low": low}, "jod": {}, "notes": []}


def cells(lines: list[str], first: str) -> list[str]:
    (line,) = [line for line in lines if line.startswith(f"| {first} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_robustness_table(results: dict[str, Any]) -> None:
    lines = robustness_table(results["envelope"])
    assert lines[0] == "| attack | target | standard | low | images missed at standard |"
    assert {line.count("|") for line in lines} == {6}
    assert len(lines) == 2 + len(ENVELOPE)
    # 2 of 3, 1 of 2, 3 of 6 and 4 of 4; Wilson bounds from the score equation
    jpeg = ["JPEG 30", "98", "66.7 (21-94) of 3 **missed**", "50.0 (9-91) of 2", "b"]
    assert cells(lines, "JPEG 30") == jpeg
    assert cells(lines, "flip") == ["flip", "99", "50.0 (19-81) of 6 **missed**", "100.0 (51-100) of 4", "b, c"]
    assert cells(lines, "shifted by 20 % and 10 %")[1:3] == ["", "100.0 (44-100) of 3"]  # no target, none missed
    assert cells(lines, "identity") == ["identity", "99", "100.0 (44-100) of 3", "100.0 (34-100) of 2", ""]


def test_target_is_met_exactly(results: dict[str, Any]) -> None:
    hundred = [image(f"{number}.png", {"JPEG 30": number < 2}) for number in range(100)]
    assert cells(robustness_table({"standard": hundred}), "JPEG 30")[2] == "98.0 (93-99) of 100"
    hundred[50] = image("50.png", {"JPEG 30": 1})
    row = cells(robustness_table({"standard": hundred}), "JPEG 30")
    assert row[2:] == ["97.0 (92-99) of 100 **missed**", "0, 1, 50"]
    for number in (60, 70):
        hundred[number] = image(f"{number}.png", {"JPEG 30": 1})
    assert cells(robustness_table({"standard": hundred}), "JPEG 30")[3] == "0, 1, 50, 60 and 1 more"


def test_quality_table(results: dict[str, Any]) -> None:
    results["envelope"]["standard"][2].update(largest_change=21, ssim=0.96, strength=47.0)
    results["jod"]["standard"] = [{"jod": 9.9}, {"jod": 9.7}]
    lines = quality_table(results)
    assert cells(lines, "standard") == [
        "standard", "48.67 (48.0)", "0.9800", "9.800 **missed** (9.70), 2 images", "49.0", "21 of 255"
    ]  # fmt: skip
    assert cells(lines, "target of standard") == ["target of standard", "46", "", "9.85 (9.7)", "", ""]
    results["envelope"]["standard"][1]["psnr"] = 41.0
    results["jod"] = {"standard": [{"jod": 9.85}, {"jod": 9.69}], "low": [{"jod": 9.5}]}
    lines = quality_table(results)
    assert cells(lines, "standard")[1:4] == [
        "45.67 **missed** (41.0)", "0.9800", "9.770 **missed** (9.69 **missed**), 2 images"
    ]  # fmt: skip
    assert cells(lines, "low")[3] == "9.500 (9.50), 1 images"
    results["jod"] = {}
    lines = quality_table(results)
    assert cells(lines, "low") == ["low", "54.50 (54.0)", "0.9900", "not measured", "50.0", "7 of 255"]


def test_nothing_section(results: dict[str, Any]) -> None:
    (searches,) = nothing_section(results)
    assert searches.startswith("10 full searches of unmarked images and under a wrong key: 0 found. ")
    assert searches.endswith(": 0.")
    results["envelope"]["low"][0]["found_where_nothing_is"]["wrong key"] = True
    results["envelope"]["low"][1]["attacks"]["JPEG 30"][0]["wrong"] = True
    results["nothing"] = {"total": {"attempts": 1000, "tags": 24_000, "found": 0}}
    attempts, searches = nothing_section(results)
    assert attempts.startswith("1000 decode attempts (24000 tags compared)")
    assert "**0 found** (upper bound of the share 3.8e-03; expected 5.6e-06 finds)" in attempts
    assert "wrong key: 1 found." in searches
    assert searches.endswith(": 1.")


def test_times_are_medians_of_small_images(results: dict[str, Any]) -> None:
    standard = results["envelope"]["standard"]
    standard[0]["attacks"]["rotate 30 degrees, corners cut"][0]["ms"] = 900.0
    standard[1]["attacks"]["rotate 30 degrees, corners cut"][0]["ms"] = 700.0
    standard.append(image("large.png", height=3000, width=4000, embed_seconds=9.0))
    (line,) = envelope_table.time_lines(standard)
    assert line == (
        "Kodak-sized images (3), one thread, two processes: embedding 250 ms; "
        "reading with full search 100 ms as marked, 100 ms cropped, 700 ms rotated."
    )
    assert envelope_table.time_lines(standard[3:]) == ["No images of the size of Kodak's were measured."]


def test_page_is_written_from_files(results: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for level, images in results["envelope"].items():
        note = {"note": "measured on a Monday."} if level == "low" else {}
        (tmp_path / f"envelope-{level}.json").write_text(json.dumps({"schema": 1, **note, "images": images}))
    (tmp_path / "jod-low.jsonl").write_text('{"jod": 9.9}\n{"jod": 9.8}\n')
    (tmp_path / "nothing.json").write_text('{"total": {"attempts": 10, "tags": 240, "found": 0}}')
    row = {"width": 4000, "height": 3000, "method": "ours", "task": "embed", "reason": "no idea"}
    decoded = {"metadata": {"threads": 2, "cores": 2, "load": 1.5}, "rows": [row]}
    (tmp_path / "speed-suite.json").write_text(json.dumps({"schema": 1, "parts": {"decoded": decoded}}))
    loaded = load(tmp_path)
    assert loaded["envelope"] == results["envelope"]
    out, readme = tmp_path / "envelope.md", tmp_path / "README.md"
    readme.write_text("before\n" + "old\n".join(envelope_table.SUMMARY) + "after\n")
    options = ["--results", str(tmp_path), "--out", str(out), "--readme", str(readme)]
    monkeypatch.setattr(sys, "argv", ["envelope_table", *options])
    envelope_table.main()
    assert "\n`low`: measured on a Monday.\n" in out.read_text()
    assert "| JPEG 30 | 66.7 % of 3 |" in readme.read_text()
    assert readme.read_text().startswith("before\n")
    assert readme.read_text().endswith("after\n")
    assert "old" not in readme.read_text()
    text = out.read_text()
    assert text == page(loaded)
    assert text.startswith("# Operating envelope\n")
    assert "3 photographs" in text
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Quality", "## Robustness", "## Where nothing is", "## Time"
    ]  # fmt: skip
    assert "9.850 (9.80), 2 images" in text
    assert "10 decode attempts" in text
    assert "| ours | embed | no idea |" in text.partition("## Time")[2]
    assert all(len(line) < 250 for line in text.splitlines())


def test_equal_bytes_are_one_more_row(results: dict[str, Any], tmp_path: Path) -> None:
    for level, images in results["envelope"].items():
        (tmp_path / f"envelope-{level}.json").write_text(json.dumps({"images": images}))
    assert EQUAL_BYTES.name not in page(load(tmp_path))
    copies = [{"image": f"{name}.png", "recovered": name == "a", "wrong": name == "b"} for name in "ab"]
    total = {"quality": {"lowest": 40, "median": 48.5, "highest": 60}, "larger_even_at_1": 0}
    stored = {"robustness": "standard", "total": total, "images": copies}
    (tmp_path / "equal-bytes.json").write_text(json.dumps(stored))
    text = page(load(tmp_path))
    assert cells(text.splitlines(), EQUAL_BYTES.name) == [
        EQUAL_BYTES.name, "98", "50.0 (9-91) of 2 **missed**", "not measured", "b"
    ]  # fmt: skip
    assert "headers included: 40 to 60, median 48.5.\n" in text
    assert "Wrong payloads read from attacked copies of marked images: 1." in text
    total["larger_even_at_1"] = 2
    (tmp_path / "equal-bytes.json").write_text(json.dumps(stored))
    assert "median 48.5; 2 larger even at quality 1.\n" in page(load(tmp_path))


def test_refused_copies_are_told_apart(results: dict[str, Any]) -> None:
    results["envelope"]["standard"][0]["attacks"]["JPEG 30"] = [{"refused": True}]
    assert cells(robustness_table(results["envelope"]), "JPEG 30")[2].startswith("50.0 (9-91) of 2, 1 refused")


def test_committed_pages_are_those_of_the_committed_results() -> None:
    root = Path(__file__).parents[2]
    results = load(root / "benchmarks" / "results")
    assert (root / "docs" / "envelope.md").read_text() == page(results), "run python -m benchmarks.envelope_table"
    assert summary(results) in (root / "README.md").read_text()
