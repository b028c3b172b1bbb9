"""Kernels of resizing against Pillow and OpenCV, and stated sizes."""

from __future__ import annotations

from typing import get_args

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from attacks import Aspect, LongSideCap, Resize, ShortSide
from attacks.resize import Kernel, resize

SIZES = [(64, 80), (50, 91), (77, 160), (200, 333), (60, 300)]
PILLOW = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kernel", PILLOW)
def test_it_is_pillows(kernel: Kernel, size: tuple[int, int], photo: Tensor) -> None:
    channel = Image.fromarray(photo[0, 1].numpy())
    expected = np.array(channel.resize(size[::-1], PILLOW[kernel])).clip(0, 1)
    assert np.abs(resize(photo, *size, kernel)[0, 1].numpy() - expected).max() < 1e-5


@pytest.mark.parametrize("size", [(64, 80), (50, 91), (128, 91)])
def test_area_is_opencvs(size: tuple[int, int], photo: Tensor) -> None:
    expected = cv2.resize(photo[0, 2].numpy(), size[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(resize(photo, *size, "area")[0, 2].numpy() - expected).max() < 1e-5


@pytest.mark.parametrize("size", [(40, 50), (72, 38), (180, 90)])
def test_nearest_is_pillows(size: tuple[int, int], odd_photo: Tensor) -> None:
    """From odd to even sides no centre falls on an edge, where either neighbour is right."""
    channel = Image.fromarray(odd_photo[0, 0].numpy())
    expected = np.array(channel.resize(size[::-1], Image.Resampling.NEAREST))
    assert np.array_equal(resize(odd_photo, *size, "nearest")[0, 0].numpy(), expected)


@pytest.mark.parametrize("kernel", get_args(Kernel))
def test_gradients_are_exact(kernel: Kernel) -> None:
    image = torch.rand(1, 1, 9, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 0.4 + 0.3
    attack = Resize(0.6, kernel=kernel)
    assert torch.autograd.gradcheck(attack.apply, image.requires_grad_(), atol=1e-6, fast_mode=True)


@pytest.mark.parametrize("kernel", get_args(Kernel))
def test_flat_pictures_stay_flat(kernel: Kernel) -> None:
    grey = torch.full((2, 3, 37, 41), 0.3)
    for factor in (0.4, 1.7):
        out = Resize(factor, kernel=kernel).apply(grey)
        assert torch.allclose(out, torch.full_like(out, 0.3), atol=1e-5)
    assert Resize(1.0, kernel=kernel).apply(grey) is grey


@pytest.mark.parametrize(
    ("attack", "size"),
    [
        (ShortSide(64), (64, 80)),
        (ShortSide(256), (256, 320)),
        (LongSideCap(80), (64, 80)),
        (LongSideCap(160), (128, 160)),
        (LongSideCap(1600), (128, 160)),
        (Aspect(0.5), (128, 80)),
        (Aspect(1.25), (128, 200)),
    ],
    ids=repr,
)
def test_sizes_are_as_stated(attack: ShortSide | LongSideCap | Aspect, size: tuple[int, int], photo: Tensor) -> None:
    assert attack.apply(photo).shape[2:] == size


@pytest.mark.parametrize("attack", [ShortSide(64), LongSideCap(80)], ids=repr)
def test_upright_pictures_are_treated_as_lying_ones(attack: ShortSide | LongSideCap, photo: Tensor) -> None:
    upright = attack.apply(photo.transpose(2, 3))
    assert upright.shape[2:] == (80, 64)
    assert torch.allclose(upright.transpose(2, 3), attack.apply(photo), atol=1e-5)
