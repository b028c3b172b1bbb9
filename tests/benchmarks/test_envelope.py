"""The measurement of the envelope, on one small picture and few attacks."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from multiprocessing.pool import ThreadPool
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

import benchmarks.grid
from attacks import Chain, Crop, Flip, GaussianNoise
from benchmarks import envelope
from benchmarks.envelope import measure, name_seed, photographs, to_pixels, to_tensor
from benchmarks.grid import Row
from benchmarks.jod import read_pairs
from watermark.detect import Detection, Detector
from watermark.nets.model import RELEASE, load_card
from watermark.payload.frame import Payload
from watermark.registration.candidates import Search
from watermark.working import Pixels

pytestmark = pytest.mark.usefixtures("threads_restored")

GRID = (
    Row("identity", (Chain(()),), 0.99),
    Row("flip and crop", (Flip("horizontal"), Crop(0.84, 0.5, 0.5)), 0.9),
    Row("destroyed", (GaussianNoise(5.0),), 0.9),
)
OUTCOME = {"recovered": bool, "wrong": bool, "bit_errors": int, "score": float, "ms": float}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of measuring material; the grid is short."""
    monkeypatch.setattr(benchmarks.grid, "ENVELOPE", GRID)
    Image.fromarray(data.astronaut()[:288, :320]).save(tmp_path / "kodim01.png")
    Image.fromarray(data.coffee()[:200, :200]).save(tmp_path / "drawing.png")
    rows = ["kodim01.png,photo,320,288", "drawing.png,art,200,200", "b.jpg,photo,4000,3000", "c.jpg,photo,90,80"]
    (tmp_path / "manifest.csv").write_text("\n".join(["name,kind,width,height", *rows]))
    return tmp_path


def test_photographs_are_those_of_the_manifest(folder: Path) -> None:
    assert photographs(folder) == [folder / name for name in ("b.jpg", "kodim01.png", "c.jpg")]  # largest first
    assert photographs(folder, megapixels=12) == photographs(folder)
    assert photographs(folder, megapixels=11.9) == [folder / "kodim01.png", folder / "c.jpg"]


def test_seeds_repeat_and_differ() -> None:
    seeds = {name_seed(name, purpose) for name in ("a", "b") for purpose in ("key", "payload")}
    assert len(seeds) == 4
    assert name_seed("a", "key") in seeds
    assert name_seed("kodim01.png", "key").hex().startswith("68d1913e")  # results can be repeated


def test_pixels_to_tensor_and_back() -> None:
    pixels = data.astronaut()[:20, :30]
    tensor = to_tensor(pixels)
    assert tensor.shape == (1, 3, 20, 30)
    np.testing.assert_array_equal(to_pixels(tensor), pixels)
    assert to_pixels(torch.tensor([-1.0, 0.5009, 2.0]).view(1, 3, 1, 1)).tolist() == [[[0, 128, 255]]]


def test_measure(folder: Path) -> None:
    result = measure(folder / "kodim01.png", "high", None, folder)
    assert json.loads(json.dumps(result)) == result
    assert (result["image"], result["height"], result["width"]) == ("kodim01.png", 288, 320)
    assert (result["robustness"], result["read_back"]) == ("high", True)
    host, marked = (
        np.asarray(Image.open(folder / f"kodim01.high.{kind}.png")).astype(int) for kind in ("host", "marked")
    )
    np.testing.assert_array_equal(host, data.astronaut()[:288, :320])
    difference = np.abs(marked - host)
    assert result["largest_change"] == difference.max()
    assert result["psnr"] == pytest.approx(10 * np.log10(255**2 / np.square(difference).mean()), abs=0.001)
    assert 0.9 < result["ssim"] < 1
    assert 30 <= result["strength"] <= 60
    assert result["embed_seconds"] > 0
    outcomes = result["attacks"]
    assert {name: len(copies) for name, copies in outcomes.items()} == {row.name: len(row.attacks) for row in GRID}
    for name, copies in outcomes.items():
        for copy in copies:
            lost = name == "destroyed"
            expected = OUTCOME | ({"bit_errors": type(None)} if lost else {})
            assert {key: type(value) for key, value in copy.items()} == expected
            assert (copy["recovered"], copy["wrong"]) == (not lost, False)
    assert outcomes["identity"][0]["bit_errors"] < 20
    assert result["found_where_nothing_is"] == {"unmarked": False, "wrong key": False}


def test_another_payload_is_wrong_not_recovered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmarks.grid, "ENVELOPE", GRID[:1])
    detect = Detector.detect

    def misread(self: Detector, pixels: Pixels, search: Search = "full") -> Detection:
        found = detect(self, pixels, "none")
        return replace(found, payload=Payload(bytes(8))) if found.present else found

    monkeypatch.setattr(Detector, "detect", misread)
    result = measure(folder / "kodim01.png", "high", None, None)
    (outcome,) = result["attacks"]["identity"]
    assert (outcome["recovered"], outcome["wrong"], result["read_back"]) == (False, True, False)


def test_result_file(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(benchmarks.grid, "ENVELOPE", GRID[:1])
    monkeypatch.setattr(envelope.multiprocessing, "get_context", lambda kind: SimpleNamespace(Pool=ThreadPool))
    out = folder / "result.json"
    pairs = folder / "made" / "pairs"
    arguments = ["--data", folder, "--out", out, "--robustness", "low", "--only", "kodim", "--pairs", pairs]
    monkeypatch.setattr(sys, "argv", ["envelope", *(str(argument) for argument in arguments)])
    envelope.main()
    result = json.loads(out.read_text())
    assert (result["schema"], result["robustness"]) == (1, "low")
    assert result["weights_sha256"] == load_card(RELEASE)["sha256"]
    assert [(image["image"], image["robustness"]) for image in result["images"]] == [("kodim01.png", "low")]
    names = [str(pairs / f"kodim01.low.{kind}.png") for kind in ("host", "marked")]
    assert read_pairs(pairs / "low.json") == [(names[0], names[1])]  # as benchmarks/jod.py wants them
    assert capsys.readouterr().err.startswith("1/1 kodim01.png ")


def test_other_kinds_and_what_cannot_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmarks.grid, "ENVELOPE", GRID[:1])
    monkeypatch.setattr(envelope.multiprocessing, "get_context", lambda kind: SimpleNamespace(Pool=ThreadPool))
    manifest = folder / "manifest.csv"
    manifest.write_text(manifest.read_text() + "\nfilm.gif,animated,90,80\n")
    (folder / "film.gif").write_bytes(b"no picture")
    out = folder / "result.json"
    monkeypatch.setattr(sys, "argv", ["envelope", "--data", str(folder), "--out", str(out), "--kinds", "others"])
    envelope.main()
    result = json.loads(out.read_text())
    assert [image["image"] for image in result["images"]] == ["drawing.png"]  # and no photograph
    assert list(result["refused"]) == ["film.gif"]
    assert result["refused"]["film.gif"].startswith("film.gif: ")  # without the folder
