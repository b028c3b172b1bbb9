"""Registration by the attacks' own matrices."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from skimage.data import astronaut
from skimage.filters import gaussian
from skimage.metrics import peak_signal_noise_ratio

from attacks import Affine, Attack, Chain, Crop, Flip, GaussianNoise, Pad, Perspective, QuarterTurn, Resize, Rotate
from benchmarks.metrics.registered import Registered, registered_psnr

Image = NDArray[np.uint8]


@pytest.fixture(scope="module")
def marked() -> Image:
    return astronaut()[40:168, 100:292]


def attacked(attack: Attack, image: Image) -> Image:
    tensor = torch.from_numpy(image / 255).permute(2, 0, 1)[None].float()
    return (attack.apply(tensor)[0].permute(1, 2, 0) * 255).round().byte().numpy()


def measure(attack: Attack, image: Image) -> Registered:
    return registered_psnr(image, attacked(attack, image), attack.matrix(*image.shape[:2]).numpy())


@pytest.mark.parametrize(
    ("attack", "shown"),
    [
        (Chain(()), 1),
        (Flip("horizontal"), 1),
        (Flip("vertical"), 1),
        (QuarterTurn(1), 1),
        (QuarterTurn(3), 1),
        (Pad(0.2, 0.1, 0.3, 0.2), 1),
        (Crop(0.5, 0.1, 0.9), 0.25),
        (Chain((Crop(0.5), Flip("vertical"), QuarterTurn(1))), 0.25),
    ],
    ids=repr,
)
def test_whole_pixel_moves_are_free(marked: Image, attack: Attack, shown: float) -> None:
    assert measure(attack, marked) == Registered(math.inf, shown)


@pytest.mark.parametrize("move", [Chain(()), Flip("horizontal"), QuarterTurn(3), Crop(0.5, 0.0, 1.0)], ids=repr)
def test_noise_counts_as_if_nothing_had_moved(marked: Image, move: Attack) -> None:
    still = attacked(GaussianNoise(0.05, seed=3), marked)
    moved = attacked(move, still)
    kept = attacked(Crop(0.5, 0.0, 1.0), marked), attacked(Crop(0.5, 0.0, 1.0), still)
    expected = peak_signal_noise_ratio(*(kept if isinstance(move, Crop) else (marked, still)), data_range=255)
    result = registered_psnr(marked, moved, move.matrix(*marked.shape[:2]).numpy())
    assert result.psnr == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    "attack",
    [
        Rotate(7.0),
        Resize(0.5),
        Resize(1.7),
        Affine(degrees=3.0, scale=1.1),
        Perspective(top_left=(0.1, 0.05), bottom_right=(-0.05, -0.1)),
        Chain((Rotate(20.0), Crop(0.8), Resize(0.8))),
    ],
    ids=repr,
)
def test_a_smooth_picture_survives_registration_and_only_that(marked: Image, attack: Attack) -> None:
    """Half a pixel off would cost more than ten decibels: the convention of pixel centres is the attacks'."""
    smooth = (gaussian(marked, 3, channel_axis=2) * 255).round().astype(np.uint8)
    result = measure(attack, smooth)
    matrix = attack.matrix(*smooth.shape[:2]).numpy()
    off = registered_psnr(smooth, attacked(attack, smooth), matrix @ np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]]))
    assert result.psnr is not None
    assert off.psnr is not None
    assert result.psnr > 45
    assert off.psnr < result.psnr - 5
    assert 0.5 < result.shown <= 1


def test_shown_of_a_rotation_is_what_stays_on_the_canvas() -> None:
    """A square turned by 45 degrees in its own canvas shows the octagon that both share: 2 (sqrt(2) - 1) of it."""
    square = np.zeros((200, 200, 3), np.uint8)
    assert measure(Rotate(45.0), square).shown == pytest.approx(2 * (math.sqrt(2) - 1), abs=0.005)


def test_nothing_in_common(marked: Image) -> None:
    away = np.array([[1.0, 0, 1000], [0, 1, 0], [0, 0, 1]])
    assert registered_psnr(marked, marked, away) == Registered(None, 0)
