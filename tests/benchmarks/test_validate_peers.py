"""The comparison of peers with their published numbers."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from attacks.presets import PRESETS
from benchmarks import validate_peers
from benchmarks.methods import Reading

ROOT = Path(validate_peers.__file__).parents[1]
RESULT = ROOT / "benchmarks" / "results" / "wbench.json"


class Echo:
    """Reads what was sent, but for one bit in pictures darker or brighter than the host."""

    name, version, message_bits = "dwtDct", "0", 30

    def embed(self, image, message, key):
        self.mean = image.mean()
        return image ^ 1

    def detect(self, image, key, claimed=None):
        bits = validate_peers.message(30)
        bits[0] ^= abs(image.mean() - self.mean) > 2
        return Reading(present=False, score=0.0, bits=bits, p=None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("photographs")
    rng = np.random.default_rng(5)
    for name, height, width in (("b.png", 520, 600), ("a.png", 640, 512), ("small.png", 400, 900)):
        coarse = rng.integers(90, 160, (6, 6, 3), dtype=np.uint8)
        cv2.imwrite(str(path / name), cv2.resize(coarse, (width, height)))
    rows = ["name,kind,width,height", "b.png,photo,600,520", "a.png,photo,512,640", "small.png,photo,900,400"]
    (path / "manifest.csv").write_text("\n".join([*rows, "doc.png,document,600,600"]))
    return path


def test_published_numbers_meet_their_settings():
    labels = [row.label for row in PRESETS["wbench"].rows]
    for name in ("dwtDct", "dwtDctSvd", "rivaGan"):
        assert list(validate_peers.published(name)) == labels
    by_published = {row.published: row.label for row in PRESETS["wbench"].rows}
    # Cells of the companion table in the paper's data, by their stated parameter.
    assert validate_peers.published("rivaGan")[by_published["quality 10"]] == 0.6505
    assert validate_peers.published("dwtDctSvd")[by_published["PIL radius 3"]] == 0.7681
    assert validate_peers.published("dwtDct")["noise 0.1"] == 0.4123
    assert validate_peers.published("dwtDctSvd")["contrast 1.2"] == 0.6675


def test_the_message_is_that_of_w_bench():
    assert np.packbits(validate_peers.message(32)).tobytes() == b"Hell"
    assert np.array_equal(validate_peers.message(30), validate_peers.message(32)[:30])


def test_pictures_are_the_large_photographs_squared(folder):
    squares = dict(validate_peers.pictures(folder))
    assert list(squares) == ["a.png", "b.png"]
    with Image.open(folder / "b.png") as picture:
        expected = picture.crop((40, 0, 560, 520)).resize((512, 512), Image.Resampling.BICUBIC)
    assert np.array_equal(squares["b.png"], np.array(expected))


def test_a_run_counts_right_bits_and_makes_a_page(folder):
    result = validate_peers.run(Echo(), folder, minutes=1.0)
    assert [image["image"] for image in result["images"]] == ["a.png", "b.png"]
    read = result["images"][0]["right"]
    assert len(read) == 26
    assert read["no attack"] == 30
    assert read["brightness 2"] == 29
    assert read["compression 70"] == 30
    assert validate_peers.accuracies(result, "brightness 2") == [29 / 30, 29 / 30]
    difference = validate_peers.differences("dwtDct", result)["brightness 2"]
    assert difference == pytest.approx(29 / 30 - 0.4611)
    page = validate_peers.page({"methods": {"dwtDct": result}})
    assert "| brightness 2 | factor 2 | 0.461 | 0.967 (0.967-0.967) | +0.506 **outside** |" in page
    assert len([line for line in page.splitlines() if line.startswith("| ")]) == 1 + 1 + 1 + 25


def test_two_pictures_are_measured_however_short_the_time(folder, monkeypatch):
    monkeypatch.setattr(
        validate_peers, "pictures", lambda _: [(name, np.zeros((64, 64, 3), np.uint8)) for name in "abc"]
    )
    assert len(validate_peers.run(Echo(), folder, minutes=0.0)["images"]) == 2


def test_unknown_methods_are_refused(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["validate_peers", "--out", "out.json", "--methods", "dwtDct,dwtDcct"])
    with pytest.raises(SystemExit) as ended:
        validate_peers.main()
    assert ended.value.code == 2
    assert "no method dwtDcct; there are dwtDct, dwtDctSvd, rivaGan" in capsys.readouterr().err


def test_the_page_agrees_with_the_result():
    results = json.loads(RESULT.read_text(encoding="utf-8"))
    assert (ROOT / "docs" / "validation.md").read_text(encoding="utf-8") == validate_peers.page(results)
