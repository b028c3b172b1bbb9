"""The speed of training: tables from results made by hand, and one short real run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from skimage import data

from benchmarks.speed.throughput import LAYOUTS, Layout, images_per_second, settled
from benchmarks.speed.training import MARKS, lines

ROOT = Path(__file__).parents[2]


@pytest.fixture
def result() -> dict[str, Any]:
    return {
        "metadata": {"cores": 2, "load": 0.1, "torch": "2"},
        "preset": "cpu",
        "profile": {
            "batch": 32,
            "crop": 256,
            "parts": {
                "data": {"forward_ms": 10.0, "backward_ms": 0.01},
                "decoder": {"forward_ms": 30.0, "backward_ms": 60.0},
            },
            "step_ms": 120.0,
        },
        "images_per_second": {"1 process, 1 thread": 20.0, "2 processes, 1 thread": 30.0},
    }


def test_tables(result: dict[str, Any]) -> None:
    text = lines(result)
    assert "| data | 10 |  | 10 % |" in text
    assert "| decoder | 30 | 60 | 90 % |" in text
    assert "| 2 processes, 1 thread | 30.0 | 33 | 1.50 |" in text


def test_the_page_agrees_with_the_result() -> None:
    stored = json.loads((ROOT / "benchmarks/results/speed-training.json").read_text())
    page = (ROOT / "docs/training.md").read_text(encoding="utf-8")
    assert page.partition(MARKS[0])[2].partition(MARKS[1])[0] == "\n".join(lines(stored))


def test_layouts_are_named() -> None:
    assert [str(layout) for layout in LAYOUTS] == [
        "1 process, 1 thread",
        "1 process, 2 threads",
        "2 processes, 1 thread",
    ]


def test_the_first_two_steps_do_not_count() -> None:
    """Steps of 8 images in 10, 10, 2 and 4 seconds."""
    ends = (10, 20, 22, 26)
    lines = [{"images": 8 * (step + 1), "images_per_second": 8 * (step + 1) / end} for step, end in enumerate(ends)]
    assert settled(lines) == pytest.approx(16 / 6, abs=0.01)


def test_a_short_run_is_timed(tmp_path: Path) -> None:
    for name in ("astronaut", "coffee", "chelsea"):
        Image.fromarray(getattr(data, name)()).save(tmp_path / f"{name}.png")
    assert images_per_second(Layout(1, 1), tmp_path, "smoke", 4) > 0
    with pytest.raises(RuntimeError, match="1 process, 1 thread ended with 2"):
        images_per_second(Layout(1, 1), tmp_path / "nothing", "smoke", 4)
