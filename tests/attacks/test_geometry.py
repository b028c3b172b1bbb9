"""Every matrix says where pixels went, edges at whole numbers."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from attacks import (
    ATTACKS,
    Affine,
    Aspect,
    Attack,
    Brightness,
    Chain,
    Crop,
    DoubleJpeg,
    Flip,
    GaussianBlur,
    LongSideCap,
    MemeFrame,
    Messenger,
    Pad,
    Perspective,
    QuarterTurn,
    RealJpeg,
    Resize,
    Rotate,
    Screenshot,
    Shear,
    Shift,
    ShortSide,
    Straighten,
)
from attacks.warp import rotation, scaling, translation, warp

HEIGHT, WIDTH = 90, 120


def ramps(height: int = HEIGHT, width: int = WIDTH) -> Tensor:
    """Two luma images: x / width and y / height at the centre of each pixel."""
    x, y = (torch.arange(width) + 0.5) / width, (torch.arange(height) + 0.5) / height
    return torch.stack([x.expand(height, width), y[:, None].expand(height, width)])[:, None]


def displacement(attack: Attack, margin: int = 4) -> tuple[float, float]:
    """Largest gap in input pixels between the matrix and the picture, and the share of the output compared.

    Compared is what lies ``margin`` pixels inside the input, the output and all gaps.
    """
    out = attack.apply(ramps())
    rows, columns = out.shape[2:]
    x, y = torch.arange(columns) + 0.5, torch.arange(rows) + 0.5
    points = torch.stack([x.expand(rows, columns), y[:, None].expand(rows, columns), torch.ones(rows, columns)])
    source = torch.einsum("ij,jhw->ihw", torch.linalg.inv(attack.matrix(HEIGHT, WIDTH)), points.double())
    source = source[:2] / source[2]
    size = torch.tensor([WIDTH, HEIGHT], dtype=torch.float64)[:, None, None]
    inside = ((source > margin) & (source < size - margin)).all(dim=0)
    gaps = F.pad(attack.apply(torch.ones(1, 1, HEIGHT, WIDTH)) < 0.98, (margin,) * 4, value=True).float()
    inside &= F.max_pool2d(gaps, 2 * margin + 1, stride=1)[0, 0] == 0
    gap = (out[:, 0] * size - source).abs().amax(dim=0)[inside]
    return float(gap.max()), float(inside.double().mean())


EXACT = [
    Affine(), Rotate(), Resize(), Crop(), Pad(), Shift(), Chain(), Perspective(), Shear(), Aspect(), ShortSide(HEIGHT),
    LongSideCap(WIDTH), LongSideCap(5000), MemeFrame(), MemeFrame(0.0), MemeFrame(0.31, "", "below"),
    Crop(0.5), Crop(0.713, 0.2, 0.9), Crop.of_area(0.25, 1.0, 0.0),
    Flip("horizontal"), Flip("vertical"), QuarterTurn(1), QuarterTurn(2), QuarterTurn(3),
    Pad(0.11, 0.07, 0.2, 0.03, value=0.5), Pad(left=0.3), Shift(0.13, -0.21), Shift(-0.3),
    Chain((QuarterTurn(1), Crop(0.6, 0.3, 0.9), Pad(0.1, 0.2), Flip("vertical"), QuarterTurn(3), Shift(0.1, 0.2))),
]  # fmt: skip
RESAMPLED = [
    Rotate(7.0), Rotate(-30.0), Rotate(90.0), Straighten(10.0), Affine(degrees=20, scale=0.8),
    Affine(scale=1.2, aspect=1.1),
    Affine(shear=0.05), Affine(shift_x=0.037, shift_y=-0.081), Affine(10, 0.9, 0.95, 0.03, 0.05, -0.04),
    Resize(0.5), Resize(0.37), Resize(1.5), Resize(0.8, aspect=1.2), Resize(0.6, kernel="bilinear"),
    Resize(1.7, kernel="bilinear"), Resize(0.43, kernel="area"), Resize(0.43, kernel="lanczos"),
    Resize(1.6, 0.7, kernel="lanczos"), ShortSide(41), ShortSide(200), ShortSide(77, "area"), LongSideCap(71),
    Aspect(0.63), Aspect(1.37), Shear(12.0), Shear(0.0, -9.0), Shear(-7.0, 14.0),
    Perspective((0.1, 0.05), (-0.12, 0.08), (-0.03, -0.15), (0.07, -0.02)), Perspective((-0.1, -0.1), (0.06, -0.02)),
    Chain((Perspective(top_left=(0.1, 0.1)), Aspect(0.8), LongSideCap(80))),
    Chain((Resize(0.7), Rotate(12.0), Crop(0.8, 0.1, 0.7), Resize(1.3))),
    Chain((Crop(0.9, 0.0, 1.0), Brightness(1.0), GaussianBlur(0.6), Chain((QuarterTurn(1), Resize(0.8))))),
]  # fmt: skip
CODED = [
    Screenshot(), Screenshot(0.83, 0.1, 90, 0.0, 1.0), Chain((Screenshot(), Crop(0.8, 0.2, 0.4))),
    Chain((Resize(0.9), RealJpeg(95), Flip())), DoubleJpeg(95, 90, 5), Messenger(100, 95, 2),
]  # fmt: skip
NO_MATRIX = {"elastic"}


@pytest.mark.parametrize("attack", EXACT, ids=repr)
def test_moves_of_whole_pixels_follow_the_matrix(attack: Attack) -> None:
    gap, share = displacement(attack)
    assert gap < 1e-3  # float32
    assert share > 0.25


@pytest.mark.parametrize("attack", RESAMPLED, ids=repr)
def test_resampling_follows_the_matrix(attack: Attack) -> None:
    gap, share = displacement(attack)
    assert gap < 0.1
    assert share > 0.25


def test_nearest_resizing_follows_the_matrix_within_half_a_pixel() -> None:
    assert displacement(Resize(0.43, kernel="nearest"))[0] <= 0.5 + 1e-3
    assert displacement(Resize(1.6, kernel="nearest"))[0] <= 0.5 + 1e-3


@pytest.mark.parametrize("attack", CODED, ids=repr)
def test_coded_pictures_follow_the_matrix(attack: Attack) -> None:
    gap, share = displacement(attack)
    assert gap < 1.5  # a grey level of 8 bits is .47 pixels of a ramp of 120
    assert share > 0.25


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "name", [name for name in ATTACKS if ATTACKS[name].facts.family == "geometric" and name not in NO_MATRIX]
)
def test_samples_follow_the_matrix(name: str, seed: int) -> None:
    gap, share = displacement(ATTACKS[name].sample(torch.Generator().manual_seed(seed)))
    assert gap < 0.1
    assert share > 0.1


def test_every_geometric_attack_is_tested() -> None:
    assert {name for name in ATTACKS if ATTACKS[name].facts.family == "geometric"} - NO_MATRIX <= {
        attack.facts.name for attack in EXACT + RESAMPLED
    }


def test_half_a_pixel_averages_neighbours() -> None:
    image = torch.rand(1, 1, 6, 7, generator=torch.Generator().manual_seed(0))
    shifted = warp(image, translation(0.5, 0), 6, 7)
    assert torch.allclose(shifted[..., 1:], (image[..., 1:] + image[..., :-1]) / 2, atol=1e-6)
    assert torch.allclose(shifted[..., 0], image[..., 0] / 2, atol=1e-6)


@pytest.mark.parametrize(
    "matrix",
    [
        translation(0.5, -0.5),
        translation(2.25, 1.5),
        scaling(0.75, 1.25),
        translation(60, 45) @ rotation(33) @ translation(-60, -45),
    ],
    ids=["half", "shift", "scale", "rotation"],
)
def test_warp_agrees_with_opencv(matrix: Tensor) -> None:
    """OpenCV's coordinates put 0 at the centre of the first pixel, these at its edge."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    picture = (0.5 + 0.25 * np.sin(x / 9) + 0.25 * np.cos(y / 7 + x / 20)).astype(np.float32)
    centred = (translation(-0.5, -0.5) @ matrix @ translation(0.5, 0.5)).numpy()
    expected = cv2.warpAffine(picture, centred[:2], (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
    ours = warp(torch.from_numpy(picture)[None, None], matrix, HEIGHT, WIDTH)[0, 0].numpy()
    # OpenCV may round coordinates to 1/32 pixel; at the border, where black comes in, that weighs most
    assert np.abs(ours - expected)[3:-3, 3:-3].mean() < 1e-3
    assert np.abs(ours - expected).max() < 1 / 32


def test_warp_takes_one_matrix_an_image() -> None:
    images = ramps()
    both = torch.stack([translation(3, 1), rotation(5)])
    ours = warp(images, both, 50, 60)
    for index in range(2):
        assert torch.allclose(ours[index], warp(images[index : index + 1], both[index], 50, 60)[0], atol=1e-6)


def test_warp_divides_by_the_third_coordinate() -> None:
    perspective = torch.tensor([[1, 0.05, 3], [0.02, 0.9, 5], [5e-4, 3e-4, 1]], dtype=torch.float64)
    out = warp(ramps(), perspective, HEIGHT, WIDTH)
    point = torch.tensor([50.5, 40.5, 1], dtype=torch.float64)
    source = torch.linalg.inv(perspective) @ point
    x, y = (source[:2] / source[2]).tolist()
    assert float(out[0, 0, 40, 50]) * WIDTH == pytest.approx(x, abs=1e-2)
    assert float(out[1, 0, 40, 50]) * HEIGHT == pytest.approx(y, abs=1e-2)


def test_turns_are_counter_clockwise(photo: Tensor) -> None:
    left_bright = torch.zeros(1, 1, 8, 8)
    left_bright[..., :4] = 1
    for attack in (QuarterTurn(1), Rotate(90.0), Affine(degrees=90)):
        turned = attack.apply(left_bright)  # the left side goes to the bottom
        assert float(turned[..., 5:, :].min()) > 0.99
        assert float(turned[..., :3, :].max()) < 0.01
    assert torch.equal(QuarterTurn(3).apply(QuarterTurn(1).apply(photo)), photo)
    assert torch.equal(QuarterTurn(2).apply(photo), Flip("vertical").apply(Flip("horizontal").apply(photo)))
    for turns in (1, 2, 3):
        sides = photo.shape[2:] if turns == 2 else photo.shape[:1:-1]
        assert QuarterTurn(turns).apply(photo).shape[2:] == sides


def test_a_quarter_of_the_area_is_half_of_the_side(photo: Tensor) -> None:
    assert Crop.of_area(0.25).apply(photo).shape[2:] == (64, 80)
    assert torch.equal(Crop(0.5, 1.0, 0.0).apply(photo), photo[..., :64, 80:])


def test_gaps_are_filled() -> None:
    white = torch.ones(1, 3, 10, 10)
    padded = Pad(0.1, 0.2, 0.3, 0.4, value=0.25).apply(white)
    assert padded.shape == (1, 3, 16, 14)
    assert torch.equal(padded[..., 2:12, 1:11], white)
    assert float((padded == 0.25).double().mean()) == pytest.approx(1 - 100 / (14 * 16))
    shifted = Shift(0.3, -0.2).apply(white)
    assert float(shifted[..., :8, 3:].min()) == 1
    assert float(shifted.sum()) == 3 * 8 * 7
    assert float(Rotate(45.0).apply(white)[0, 0, 0, 0]) == 0
    assert float(Affine(30.0, 0.6, value=0.25).apply(white)[0, 0, 0, 0]) == pytest.approx(0.25, abs=1e-6)
    assert torch.allclose(Affine(30.0, 0.6, value=1.0).apply(white), white, atol=1e-6)
