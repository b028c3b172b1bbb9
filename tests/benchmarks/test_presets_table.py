"""The page of the presets is what the code says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from attacks.presets import PRESETS
from benchmarks import presets_table

PAGE = Path(__file__).parents[2] / "docs" / "presets.md"


def test_the_page_is_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "presets.md"
    monkeypatch.setattr(sys, "argv", ["presets_table", "--out", str(out)])
    presets_table.main()
    assert out.read_text() == PAGE.read_text(), "run python -m benchmarks.presets_table"


@pytest.mark.parametrize("name", PRESETS)
def test_the_page_names_every_row_and_gap(name: str) -> None:
    preset, text = PRESETS[name], PAGE.read_text()
    for row in preset.rows:
        (line,) = [line for line in presets_table.table(preset) if line.startswith(f"| {row.family} |")]
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert row.published.rpartition(" ")[2] in cells[2]
        assert cells[4] == row.note
    for what, why in preset.left_out:
        assert f"- {what}: {why}" in text


def test_numbers_are_short_and_attacks_named_once() -> None:
    (line,) = [line for line in presets_table.table(PRESETS["omniseal"]) if line.startswith("| resize |")]
    assert "| 10 | area 0.32, 0.45," in line
    assert "Resize(factor=0.5657, aspect=1.0, kernel='bilinear')` to `Resize(factor=1.0," in line
    (line,) = [line for line in presets_table.table(PRESETS["omniseal"]) if line.startswith("| hflip |")]
    assert line == "| hflip | 1 | none | `Flip(axis='horizontal')` |  |"
