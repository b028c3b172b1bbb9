"""AVIF in as many bytes as WebP: on one small picture, with real codecs."""

from __future__ import annotations

import json
import sys
from io import BytesIO
from multiprocessing.pool import ThreadPool
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from skimage import data

import watermark as wm
from benchmarks import equal_bytes
from benchmarks.envelope import name_seed
from benchmarks.equal_bytes import closest_quality, total
from watermark.errors import UnreadableImage
from watermark.nets.model import RELEASE, load_card

pytestmark = pytest.mark.usefixtures("threads_restored")

NAME = "kodim01.png"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest with two photographs, one of them marked, as the envelope's measurement leaves it."""
    folder = tmp_path_factory.mktemp("equal_bytes")
    host, payload = data.astronaut()[:288, :320], wm.Payload(name_seed(NAME, "payload")[:8])
    marked = wm.Embedder(wm.Key(name_seed(NAME, "key")), strength=40).embed(host, payload).pixels
    Image.fromarray(marked).save(folder / "kodim01.high.marked.png")
    (folder / "manifest.csv").write_text(f"name,kind,width,height\n{NAME},photo,320,288\nb.png,photo,4000,3000\n")
    return folder


def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict:
    """What the command line writes about the pictures under a megapixel."""
    monkeypatch.setattr(equal_bytes.multiprocessing, "get_context", lambda kind: SimpleNamespace(Pool=ThreadPool))
    arguments = ["--pairs", folder, "--data", folder, "--out", folder / "result.json", "--robustness", "high"]
    monkeypatch.setattr(sys, "argv", ["equal_bytes", *(str(argument) for argument in arguments), "--megapixels", "1"])
    equal_bytes.main()
    return json.loads((folder / "result.json").read_text())


def file_size(picture: Image.Image, form: str, quality: int) -> int:
    buffer = BytesIO()
    picture.save(buffer, form, quality=quality, **({"max_threads": 1} if form == "AVIF" else {}))
    return buffer.tell()


@given(st.lists(st.integers(0, 50), min_size=100, max_size=100).map(sorted), st.integers(0, 60))
def test_quality_is_the_highest_that_fits(sizes: list[int], limit: int) -> None:
    fitting = [quality for quality in range(1, 101) if sizes[quality - 1] <= limit]
    assert closest_quality(lambda quality: sizes[quality - 1], limit) == max(fitting, default=1)


def test_result_file(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(folder, monkeypatch)
    assert (result["schema"], result["robustness"]) == (1, "high")
    assert result["weights_sha256"] == load_card(RELEASE)["sha256"]
    (image,) = result["images"]
    assert (image["image"], image["height"], image["width"]) == (NAME, 288, 320)
    assert (image["recovered"], image["wrong"]) == (True, False)
    assert 0 <= image["bit_errors"] < 60
    picture, quality = Image.open(folder / "kodim01.high.marked.png"), image["avif_quality"]
    assert image["webp_bytes"] == file_size(picture, "WEBP", 50)
    assert image["avif_bytes"] == file_size(picture, "AVIF", quality) <= image["webp_bytes"]
    assert file_size(picture, "AVIF", quality + 1) > image["webp_bytes"]
    assert image["avif_bits_per_pixel"] == pytest.approx(image["avif_bytes"] / 11520, abs=1e-4)
    assert image["webp_bits_per_pixel"] == pytest.approx(image["webp_bytes"] / 11520, abs=1e-4)
    assert result["total"] == total([image])
    assert capsys.readouterr().err == f"1/1 {NAME} quality {quality}\n"


def test_what_is_read_is_the_coded_picture(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read are the pixels of the very file whose bytes were counted, with full search."""
    seen = []
    detect = wm.Detector.detect
    monkeypatch.setattr(wm.Detector, "detect", lambda self, *given: seen.append(given) or detect(self, *given))
    (image,) = run(folder, monkeypatch)["images"]
    coded = BytesIO()
    Image.open(folder / "kodim01.high.marked.png").save(coded, "AVIF", quality=image["avif_quality"], max_threads=1)
    assert len(coded.getvalue()) == image["avif_bytes"]
    ((pixels, *search),) = seen
    np.testing.assert_array_equal(pixels, np.asarray(Image.open(coded)))
    assert search in ([], ["full"])  # which is the default


def test_pictures_larger_even_at_quality_1_are_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(equal_bytes, "encode", lambda picture, form, **options: bytes(10 if form == "WEBP" else 11))
    monkeypatch.setattr(equal_bytes, "outcome", lambda *given: {"recovered": False})  # what is left takes seconds
    result = run(folder, monkeypatch)
    assert (result["images"][0]["avif_quality"], result["total"]["larger_even_at_1"]) == (1, 1)


def test_a_missing_marked_picture_is_an_error(folder: Path) -> None:
    with pytest.raises(UnreadableImage, match=r"b\.high\.marked\.png"):
        equal_bytes.measure(folder / "b.png", folder, "high")


def test_total() -> None:
    read = [(True, 40, 10, 9), (True, 52, 10, 10), (False, 1, 10, 11)]
    names = ("recovered", "avif_quality", "webp_bytes", "avif_bytes")
    assert total([dict(zip(names, values, strict=True)) for values in read]) == {
        "images": 3,
        "recovered": 2,
        "wilson": [0.2077, 0.9385],  # from the score equation
        "quality": {"lowest": 1, "median": 40, "highest": 52},
        "larger_even_at_1": 1,
    }
