"""The script that measures JODs, as far as it goes without ColorVideoVDP."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks import jod
from benchmarks.jod_torchvision import MLP, GaussianBlur

ROOT = Path(jod.__file__).parent


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script as a user would."""
    command = [sys.executable, str(ROOT / "jod.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(("size", "sigma"), [(13, 3.0), (33, 8.0), (3, 0.5), (7, 1.3)])
def test_the_stand_in_blurs_as_opencv_does(size: int, sigma: float) -> None:
    """ColorVideoVDP 0.5.7 uses (13, 3) and (33, 8)."""
    picture = np.random.default_rng(0).random((40, 57), dtype=np.float32)
    expected = cv2.GaussianBlur(picture, (size, size), sigma, borderType=cv2.BORDER_REFLECT_101)
    ours = GaussianBlur(size, sigma)(torch.from_numpy(picture)[None, None])
    assert ours.shape == (1, 1, 40, 57)
    assert np.abs(ours[0, 0].numpy() - expected).max() < 1e-6


def test_the_stand_in_keeps_shape_type_and_planes() -> None:
    image = torch.rand(2, 3, 20, 21, dtype=torch.float64)
    blur = GaussianBlur(5, 1.0)
    out = blur.forward(image)
    assert out.dtype == torch.float64
    assert torch.allclose(out[1, 2], blur(image[1, 2:3])[0])
    assert torch.allclose(blur(torch.ones(1, 9, 9)), torch.ones(1, 9, 9))


def test_the_stand_in_refuses_what_it_cannot_do() -> None:
    with pytest.raises(ValueError, match="odd"):
        GaussianBlur(4, 1.0)
    with pytest.raises(ValueError, match="positive"):
        GaussianBlur(5, 0.0)
    with pytest.raises(RuntimeError, match="stand-in"):
        MLP(3, [4])


@pytest.mark.parametrize("arguments", [(), ("a", "b"), ("--help",)])
def test_usage(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith("usage:")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "is not JSON"),
        ('{"a": "b"}', "holds no list"),
        ('[["a"]]', "entry 0 is"),
        ('[["a", 1]]', "entry 0 is"),
        ('["ab"]', "entry 0 is"),
        ('[["a.png", "b.png"]]', "which is no file"),
    ],
)
def test_wrong_lists_are_named(text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "pairs.json"
    path.write_text(text)
    assert jod.main([str(path)]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


def test_a_missing_list_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert jod.main([str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err


def test_right_lists_are_read(tmp_path: Path) -> None:
    image = tmp_path / "grey.png"
    Image.new("L", (8, 8)).save(image)
    path = tmp_path / "pairs.json"
    path.write_text(json.dumps([[str(image), str(image)]]))
    assert jod.read_pairs(path) == [(str(image), str(image))]


def test_a_missing_metric_names_the_environment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jod, "VERSION", "no such version")
    path = tmp_path / "pairs.json"
    path.write_text("[]")
    assert jod.main([str(path)]) == 2
    assert "jod_environment.sh" in capsys.readouterr().err


def test_the_environment_script_wants_a_folder() -> None:
    result = subprocess.run(["bash", str(ROOT / "jod_environment.sh")], capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "usage:" in result.stderr
