"""Measuring peers at the settings of W-Bench."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from PIL import Image

from benchmarks import validate_peers
from benchmarks.methods import Reading
from benchmarks.wbench import message


class Echo:
    """Reads what was sent, but for one bit in pictures darker or brighter than the host."""

    name, version, message_bits = "dwtDct", "0", 30

    def embed(self, image, message, key):
        self.sent, self.mean = message, image.mean()
        return image ^ 1

    def detect(self, image, key, claimed=None):
        bits = self.sent.copy()
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


def test_pictures_are_the_large_photographs_squared(folder):
    squares = dict(validate_peers.pictures(folder))
    assert list(squares) == ["a.png", "b.png"]
    with Image.open(folder / "b.png") as picture:
        expected = picture.crop((40, 0, 560, 520)).resize((512, 512), Image.Resampling.BICUBIC)
    assert np.array_equal(squares["b.png"], np.array(expected))


def test_a_run_counts_right_bits(folder):
    result = validate_peers.run(Echo(), "inverted", folder, minutes=1.0)
    assert [image["image"] for image in result["images"]] == ["a.png", "b.png"]
    read = result["images"][0]["right"]
    assert len(read) == 26
    assert read["no attack"] == 30
    assert read["brightness 2"] == 29
    assert read["compression 70"] == 30


def test_a_run_goes_on_where_an_earlier_one_of_the_same_versions_ended(folder):
    result = validate_peers.run(Echo(), "stated", folder, minutes=1.0)
    result["images"][0]["psnr"] = -1.0
    result["images"].pop()
    again = validate_peers.run(Echo(), "stated", folder, 1.0, json.loads(json.dumps(result)))
    assert [image["psnr"] == -1.0 for image in again["images"]] == [True, False]
    result["versions"]["method"] = "older"
    assert validate_peers.run(Echo(), "stated", folder, 1.0, result)["images"][0]["psnr"] > 0


def test_two_pictures_are_measured_however_short_the_time(folder, monkeypatch):
    monkeypatch.setattr(
        validate_peers, "pictures", lambda _: [(name, np.zeros((64, 64, 3), np.uint8)) for name in "abc"]
    )
    assert len(validate_peers.run(Echo(), "stated", folder, minutes=0.0)["images"]) == 2


def test_drawn_messages_are_compared_in_the_same_pictures(folder):
    class Lossy(Echo):
        def detect(self, image, key, claimed=None):
            return Reading(present=False, score=0.0, bits=np.zeros(30, np.uint8), p=None)

    result = validate_peers.drawn(Lossy(), folder, 2)
    assert result["images"] == ["a.png", "b.png"]
    (stated, right), *others = result["right"].items()
    assert stated == "".join(map(str, message("stated", 30)))
    assert right["compression 10"] == [16, 16]
    assert [found["compression 10"] for _, found in others] == [[14, 14]] * 2


def test_unknown_methods_are_refused(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["validate_peers", "--out", "out.json", "--methods", "dwtDct,dwtDcct"])
    with pytest.raises(SystemExit) as ended:
        validate_peers.main()
    assert ended.value.code == 2
    assert "no method dwtDcct; there are dwtDct, dwtDctSvd, rivaGan" in capsys.readouterr().err
