"""The gallery: the right pictures, marked as they were, or a reason."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image
from report_samples import NASTY, sample
from skimage import data

from benchmarks.metrics.quality import psnr
from benchmarks.report.gallery import choices, crop, gallery
from benchmarks.report.markup import render
from benchmarks.report.results import Result
from benchmarks.runner import draws
from benchmarks.runner.pictures import Picture


class Stamp:
    """One brighter pixel for each bit that is 1, and one at the far end."""

    message_bits = 32

    def embed(self, image, message, key):
        marked = image.copy()
        marked[0, :32, 0] ^= message
        marked[200, 300] ^= 64
        return marked


@pytest.fixture
def run(tmp_path):
    """A result and the folder of its pictures."""
    values = sample(pictures=2)
    for index, image in enumerate(values["data"]["images"]):
        path = tmp_path / image["name"]
        Image.fromarray(np.roll(data.astronaut(), index, axis=0)).save(path, compress_level=0)
        picture = Picture.of(path)
        image |= {"sha256": picture.sha256, "width": picture.width, "height": picture.height}
        key, host = draws.draw(7, "key", picture.sha256, 0), picture.pixels()
        marked = Stamp().embed(host, draws.message(7, picture.sha256, 0, 32), key)
        for row in values["embeds"]:
            if row["image"] == image["name"]:
                row |= {"key": draws.key_label(key), "psnr": round(psnr(host, marked), 6)}
    for row in values["reads"]:
        row["exact"] = row["image"] == "photo1.png"
    return values, tmp_path


def test_worst_and_borderline(run) -> None:
    values, _ = run
    found = list(choices(Result(values)))
    assert [(choice.series.method, choice.why, choice.image, choice.share) for choice in found] == [
        (name, "worst", "photo0.png", 0.0) for name in (NASTY, "asked")
    ]
    half = [row for row in values["reads"] if row["image"] == "photo1.png"][::2]
    for row in half:
        row["exact"] = False
    assert [choice.why for choice in choices(Result(values))] == ["worst", "borderline"] * 2


@pytest.mark.parametrize(
    ("losses", "expected"), [((0, 0), []), ((1, 0), ["worst"]), ((8, 1), ["worst"]), ((8, 2), ["worst", "borderline"])]
)
def test_nothing_lost_is_not_worst_and_hardly_anything_is_not_borderline(run, losses, expected) -> None:
    """Of 8 copies of each picture."""
    values, _ = run
    for image, lost in zip(("photo0.png", "photo1.png"), losses, strict=True):
        reads = [row for row in values["reads"] if (row["method"], row["image"]) == ("asked", image)]
        for index, row in enumerate(reads):
            row["exact"] = index >= lost
    found = choices(Result(values))
    assert [choice.why for choice in found if choice.series.method == "asked"] == expected


def test_pictures_are_the_part_that_changed_most(run) -> None:
    values, folder = run
    text = render(gallery(Result(values), folder, lambda name: Stamp()))
    images = [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(coded))), dtype=float)
        for coded in re.findall(r"base64,([^\"]+)", text)
    ]
    assert len(images) == 6  # three a method
    host, _, residual = images[:3]
    assert host.shape == residual.shape == (256, 384, 3)
    y, x = np.unravel_index(np.abs(residual - 128).sum(axis=2).argmax(), (256, 384))
    original = data.astronaut()
    part = crop(original, Stamp().embed(original, np.zeros(32, np.uint8), b""))
    assert np.hypot(part[0].start + y - 200, part[1].start + x - 300) <= 2  # JPEG smears
    assert np.abs(host - original[part]).mean() < 4


def test_other_files_and_other_marks_are_not_shown(run) -> None:
    values, folder = run

    class Louder(Stamp):
        def embed(self, image, message, key):
            return super().embed(image, message, key) ^ 1

    assert "another version?" in render(gallery(Result(values), folder, lambda name: Louder()))
    (folder / "photo0.png").write_bytes((folder / "photo1.png").read_bytes())
    text = render(gallery(Result(values), folder, lambda name: Stamp()))
    assert "another file of that name" in text
    assert "<img" not in text


def test_without_a_folder_it_says_so(run) -> None:
    assert "Not included" in render(gallery(Result(run[0]), None, lambda name: Stamp()))
