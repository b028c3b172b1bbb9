"""Pipelines: their steps, and where marked points land."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from attacks import (
    Affine,
    Attack,
    Contrast,
    Crop,
    DoubleJpeg,
    Gamma,
    GaussianBlur,
    GaussianNoise,
    LongSideCap,
    MemeFrame,
    Messenger,
    Moire,
    Perspective,
    PrintScan,
    RealJpeg,
    ScreenCamera,
    Sharpen,
    Social,
    WhiteBalance,
)

HEIGHT, WIDTH = 180, 240
POINTS = [(60.0, 50.0), (181.5, 48.0), (118.0, 91.0), (55.5, 131.0), (185.0, 127.5)]


def generator(seed: int) -> torch.Generator:
    """A generator with that seed."""
    return torch.Generator().manual_seed(seed)


def dots() -> Tensor:
    """Soft bright dots at the points on dark grey, shape (1, 3, HEIGHT, WIDTH)."""
    x, y = torch.arange(WIDTH) + 0.5, (torch.arange(HEIGHT) + 0.5)[:, None]
    picture = sum(0.7 * torch.exp(-((x - across) ** 2 + (y - down) ** 2) / 18) for across, down in POINTS)
    return (0.15 + torch.as_tensor(picture)).clamp(0, 1).expand(1, 3, -1, -1)


def landed(before: Tensor, x: float, y: float) -> tuple[float, float]:
    """Centre of gravity of the brightest pixels within 12 pixels of (x, y)."""
    left, top = max(0, round(x) - 12), max(0, round(y) - 12)
    part = before[0].mean(dim=0)[top : top + 24, left : left + 24]
    weight = (part - part.min() - 0.5 * (part.max() - part.min())).clamp_min(0)
    rows, columns = (torch.arange(side) + 0.5 for side in part.shape)
    total = weight.sum()
    return float(weight.sum(0) @ columns / total) + left, float(weight.sum(1) @ rows / total) + top


@pytest.mark.parametrize(
    "attack",
    [
        *(entry() for entry in (Social, Messenger, PrintScan, ScreenCamera, MemeFrame, DoubleJpeg)),
        Social(150), Messenger(170, 60, 3), PrintScan(-2.0, 1.03), PrintScan(1.7, 0.94, seed=5), DoubleJpeg(80, 60, 7),
        *(entry.sample(generator(seed)) for entry in (PrintScan, ScreenCamera) for seed in range(4)),
    ],
    ids=repr,
)  # fmt: skip
def test_marked_points_land_where_the_matrix_says(attack: Attack) -> None:
    out = attack.apply(dots())
    for point in POINTS:
        x, y, w = (attack.matrix(HEIGHT, WIDTH) @ torch.tensor([*point, 1.0], dtype=torch.float64)).tolist()
        assert landed(out, x / w, y / w) == pytest.approx((x / w, y / w), abs=0.5)


@pytest.mark.parametrize(
    ("attack", "steps"),
    [
        (Social(100, 85, "4:2:2", 0.3), (LongSideCap(100), Sharpen(0.3), RealJpeg(85, "4:2:2"))),
        (Messenger(100, 60, 2), (LongSideCap(100), RealJpeg(60), RealJpeg(60))),
        (DoubleJpeg(70, 80, 0), (RealJpeg(70), RealJpeg(80))),
        (DoubleJpeg(70, 80, 32), (RealJpeg(70), Crop(0.75, 1.0, 1.0), Crop(1.0), RealJpeg(80))),
        (
            PrintScan(1.0, 0.97, 1.2, 0.9, 0.8, 0.02, 77, 3),
            (Gamma(1.2), GaussianBlur(0.9), Affine(1.0, 0.97, value=1.0), Contrast(0.8), GaussianNoise(0.02, 3),
             RealJpeg(77)),
        ),
        (
            ScreenCamera(Perspective((0.1, 0.0)), 0.9, 0.1, 0.9, 1.1, 0.02, 77, 3),
            (Perspective((0.1, 0.0)), GaussianBlur(0.9), Moire(0.1, 3), WhiteBalance(0.9, 1.1), GaussianNoise(0.02, 3),
             RealJpeg(77)),
        ),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_they_are_their_steps(attack: Attack, steps: tuple[Attack, ...], photo: Tensor) -> None:
    expected = photo[..., :128, :128]
    for step in steps:
        expected = step.apply(expected)
    assert torch.equal(attack.apply(photo[..., :128, :128]), expected)


def test_small_pictures_keep_their_size(photo: Tensor) -> None:
    for attack in (Social(), Messenger()):
        assert attack.apply(photo).shape == photo.shape
        assert torch.equal(attack.matrix(128, 160), torch.eye(3, dtype=torch.float64))
    assert Messenger().apply(torch.zeros(1, 1, 900, 3200)).shape == (1, 1, 450, 1600)


@pytest.mark.parametrize("entry", [PrintScan, ScreenCamera, Moire])
def test_each_image_has_its_seed(entry: type[PrintScan | ScreenCamera | Moire], photo: Tensor) -> None:
    attack = entry.sample(generator(1))
    out = attack.apply(photo.expand(2, -1, -1, -1))
    assert not torch.equal(out[0], out[1])
    assert torch.equal(attack.apply(photo)[0], out[0])


def test_paper_is_white_and_the_room_is_dark() -> None:
    black = torch.zeros(1, 3, 120, 120)
    paper = PrintScan(scale=0.8, contrast=1.0, noise=0.0, jpeg_quality=100).apply(black)
    assert float(paper[..., :6, :].min()) > 0.95
    seen = Perspective((0.1, 0.1), (-0.1, 0.1), (-0.1, -0.1), (0.1, -0.1))
    room = ScreenCamera(seen, moire=0.0, noise=0.0, jpeg_quality=100).apply(1 - black)
    assert float(room[..., :6, :].max()) < 0.05


def test_moire_is_that_of_pimog(photo: Tensor) -> None:
    """Recomputed pixel by pixel as the authors publish it: rows and columns from 1, the lesser of rings and waves."""
    attack = Moire(0.15, seed=9)
    pattern = ((attack.apply(photo) - 0.85 * photo) / 0.15)[0].double().numpy()
    turn, x, y = torch.rand(3, 3, generator=generator(9)).double().numpy()[1]
    rows, columns = np.mgrid[1:129, 1:161]
    rings = 0.5 + 0.5 * np.cos(2 * np.pi * np.sqrt((rows - 128 * y) ** 2 + (columns - 160 * x) ** 2))
    waves = 0.5 + 0.5 * np.cos(np.cos(np.pi * turn) * columns + np.sin(np.pi * turn) * rows)
    assert np.abs(pattern[1] - (np.minimum(rings, waves) + 1) / 2).max() < 1e-3
    assert np.abs(pattern[0] - pattern[1]).max() > 0.2
    assert Moire(0.0, 9).apply(photo) is photo


def test_white_balance_scales_red_and_blue(photo: Tensor) -> None:
    red, green, blue = WhiteBalance(0.8, 1.5).apply(photo)[0]
    assert torch.allclose(red, photo[0, 0] * 0.8)
    assert torch.equal(green, photo[0, 1])
    assert torch.allclose(blue, (photo[0, 2] * 1.5).clamp(max=1))
    assert torch.equal(WhiteBalance().apply(photo), photo)
    assert torch.equal(WhiteBalance(0.8, 1.5).apply(photo[:, :1]), photo[:, :1])


def test_a_meme_is_the_picture_between_white_bars(photo: Tensor) -> None:
    out = MemeFrame(0.25, "A", "").apply(photo)
    assert out.shape == (1, 3, 192, 160)
    assert torch.equal(out[..., 32:160, :], photo)
    assert float(out[..., 160:, :].min()) == 1
    above = out[0, 0, :32]
    assert float(above.min()) == 0
    rows, columns = torch.nonzero(above < 0.5, as_tuple=True)
    assert 8 <= int(rows.max() - rows.min()) <= 16  # a capital is some 0.7 of the letters' size of 16
    for side, marks in ((32, rows), (160, columns)):
        assert float(marks.min() + marks.max() + 1) / 2 == pytest.approx(side / 2, abs=2)
    assert MemeFrame(0.0).apply(photo) is photo
