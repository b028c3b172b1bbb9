"""The rows of the envelope do what their names say."""

from __future__ import annotations

import math
import re

import pytest
import torch
from skimage import data
from torch import Tensor

from attacks import InformedAttack, Knowledge
from benchmarks.grid import ENVELOPE, Row

ROWS = {row.name: row for row in ENVELOPE}


@pytest.fixture(scope="module")
def photo() -> Tensor:
    """A photograph in colour, shape (1, 3, 128, 160), whole grey levels."""
    return torch.as_tensor(data.astronaut()[40:168, 150:310].copy()).permute(2, 0, 1)[None].float() / 255


ENEMY = Knowledge(embed=lambda image: image * 0.9)


def copies(row: Row, photo: Tensor) -> list[Tensor]:
    return [
        attack.apply(photo, ENEMY) if isinstance(attack, InformedAttack) else attack.apply(photo)
        for attack in row.attacks
    ]


def test_names_differ() -> None:
    assert len(ROWS) == len(ENVELOPE)


@pytest.mark.parametrize("row", ENVELOPE, ids=lambda row: row.name)
def test_row_applies_and_repeats(row: Row, photo: Tensor) -> None:
    assert row.target is None or 0.6 <= row.target < 1
    first, second = copies(row, photo), copies(row, photo)
    for attacked, again in zip(first, second, strict=True):
        assert attacked.shape[:2] == (1, 3)
        assert attacked.isfinite().all()
        assert 0 <= attacked.min() <= attacked.max() <= 1
        assert torch.equal(attacked, again)
        same = attacked.shape == photo.shape and torch.equal(attacked, photo)
        assert same == (row.name in ("identity", "resize to a short side of 128 pixels"))  # which the photograph has
    for index, attacked in enumerate(first):  # the attacks of a row differ
        assert not any(torch.equal(attacked, other) for other in first[:index])


@pytest.mark.parametrize("row", [row for row in ENVELOPE if row.name.startswith("resize x")], ids=lambda row: row.name)
def test_resize_factor(row: Row, photo: Tensor) -> None:
    factor = float(row.name.split()[-1])
    assert [tuple(copy.shape[2:]) for copy in copies(row, photo)] == [(128 * factor, 160 * factor)]


@pytest.mark.parametrize("row", [row for row in ENVELOPE if row.name.startswith("crop")], ids=lambda row: row.name)
def test_crop_area(row: Row, photo: Tensor) -> None:
    match = re.fullmatch(r"crop, side ([\d.]+) \(area ([\d.]+)\)", row.name)
    assert match
    side, area = (float(text) for text in match.groups())
    middle, corner = copies(row, photo)
    for attacked in (middle, corner):
        height, width = attacked.shape[2:]
        assert (height, width) == pytest.approx((128 * side, 160 * side), abs=1)
        assert height * width / (128 * 160) == pytest.approx(area, abs=0.015)
    top, left = (round((length - short) / 2) for length, short in zip((128, 160), middle.shape[2:], strict=True))
    centre = photo[:, :, top : top + middle.shape[2], left : left + middle.shape[3]]
    assert torch.equal(middle, centre)


@pytest.mark.parametrize("row", [row for row in ENVELOPE if row.name.endswith("corners cut")], ids=lambda row: row.name)
def test_rotation_cuts_corners(row: Row, photo: Tensor) -> None:
    turns = [float(number) for number in re.findall(r"\d+", row.name)]
    for degrees, attacked in zip(turns, copies(row, photo), strict=True):
        assert attacked.shape == photo.shape
        assert min(distance_from_turned(attacked, photo, sign * degrees) for sign in (1, -1)) < 0.05


def distance_from_turned(attacked: Tensor, photo: Tensor, degrees: float) -> float:
    """Mean difference from the photograph turned about its centre, away from the edges."""
    y, x = torch.meshgrid(torch.arange(128) - 63.5, torch.arange(160) - 79.5, indexing="ij")
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    across, down = cosine * x + sine * y, cosine * y - sine * x
    inside = (across.abs() < 76) & (down.abs() < 60)
    rows, columns = (down[inside] + 63.5).round().long(), (across[inside] + 79.5).round().long()
    return float((attacked[0, :, inside] - photo[0, :, rows, columns]).abs().mean())


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("brightness x 0.5", lambda photo: 0.5 * photo),
        ("brightness x 1.5", lambda photo: (1.5 * photo).clamp(0, 1)),
        ("flip", lambda photo: photo.flip(3)),
        ("quarter turns", lambda photo: photo.rot90(1, (2, 3))),
    ],
)
def test_first_attack_of_a_row(name: str, change: object, photo: Tensor) -> None:
    expected = change(photo)
    assert any(
        copy.shape == expected.shape and torch.allclose(copy, expected, atol=1e-6) for copy in copies(ROWS[name], photo)
    )


def test_noise_and_blur_are_as_strong_as_named(photo: Tensor) -> None:
    grey = torch.full_like(photo, 0.5)
    (noisy,) = copies(ROWS["Gaussian noise, sigma 0.04"], grey)
    assert (noisy - grey).std().item() == pytest.approx(0.04, rel=0.02)
    point = torch.zeros(1, 3, 65, 65)
    point[:, :, 32, 32] = 1
    (blurred,) = copies(ROWS["Gaussian blur, kernel 17"], point)
    offsets = torch.arange(65) - 32.0
    sigma = (blurred[0, 0].sum(0) * offsets**2).sum().sqrt().item()
    assert sigma == pytest.approx(0.3 * ((17 - 1) * 0.5 - 1) + 0.8, rel=0.03)  # OpenCV's rule


def test_greyscale_and_hue(photo: Tensor) -> None:
    (grey,) = copies(ROWS["greyscale"], photo)
    assert torch.allclose(grey, grey[:, :1].expand_as(grey), atol=1e-6)
    for turned in copies(ROWS["hue + 0.25 and + 0.5 turns"], photo):
        assert torch.allclose(turned.amax(1), photo.amax(1), atol=0.01)  # the value of HSV stays
        assert (turned - photo).abs().mean() > 0.05


def test_named_chain(photo: Tensor) -> None:
    for attacked in copies(ROWS["JPEG 60 + crop side 0.71 + brightness x 0.5"], photo):
        assert attacked.shape[2:] == (91, 114)
        assert attacked.max() <= 0.5 + 1e-6
