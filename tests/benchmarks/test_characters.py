"""What is awkward about a picture, by its pixels."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from benchmarks import characters as module
from benchmarks.characters import characters


def solid(colour: tuple[int, int, int], side: int = 400) -> np.ndarray:
    return np.full((side, side + 40, 3), colour, np.uint8)


def test_a_photograph_has_none() -> None:
    assert characters(np.asarray(data.astronaut())) == []


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        (solid((63, 63, 63)), ["dark", "flat"]),
        (solid((64, 64, 64)), ["flat"]),  # 64 / 255 is just above .25
        (solid((191, 191, 191)), ["flat"]),
        (solid((192, 192, 192)), ["bright", "flat"]),
        (solid((255, 255, 255)), ["bright", "flat", "clipped"]),
        (solid((190, 100, 100)), ["flat", "saturated"]),
        (solid((189, 100, 100)), ["flat"]),  # 89 / 255 is just under .35
        (solid((128, 128, 128), 399), ["flat", "small"]),
    ],
)
def test_limits(pixels: np.ndarray, expected: list[str]) -> None:
    assert characters(pixels) == expected


@pytest.mark.parametrize(("share", "flat"), [(0.3, False), (0.37, True)])
def test_flat_is_a_share_of_the_blocks(share: float, flat: bool) -> None:
    pixels = np.random.default_rng(0).integers(60, 200, (512, 512, 3), dtype=np.uint8)
    pixels[: int(512 * share)] = 128
    assert ("flat" in characters(pixels)) is flat


@pytest.mark.parametrize(("share", "clipped"), [(0.24, False), (0.26, True)])
def test_clipped_in_one_channel(share: float, clipped: bool) -> None:
    pixels = np.random.default_rng(0).integers(60, 200, (400, 500, 3), dtype=np.uint8)
    pixels[: int(400 * share), :, 2] = 0
    assert ("clipped" in characters(pixels)) is clipped


def test_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(solid((20, 20, 20))).save(tmp_path / "night.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    (tmp_path / "manifest.csv").write_text("name,kind,width,height\nnight.png,photo,440,400\nbroken.png,text,9,9\n")
    out = tmp_path / "result.json"
    monkeypatch.setattr(sys, "argv", ["characters", "--data", str(tmp_path), "--out", str(out)])
    module.main()
    assert json.loads(out.read_text()) == {"night.png": {"kind": "photo", "characters": ["dark", "flat"]}}
