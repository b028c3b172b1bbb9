"""Colours and tones against Pillow."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps
from skimage import color
from torch import Tensor

from attacks import (
    Attack,
    Brightness,
    Chain,
    ColourJitter,
    Contrast,
    Equalise,
    Greyscale,
    Hue,
    Posterise,
    Saturation,
)


def picture(image: Tensor) -> Image.Image:
    """The first image as 8-bit Pillow image."""
    return Image.fromarray((image[0].permute(1, 2, 0) * 255).round().byte().numpy())


def values(image: Tensor) -> NDArray[np.float64]:
    """The first image in levels of 8 bits, shape (H, W, C)."""
    levels: NDArray[np.float64] = image[0].permute(1, 2, 0).double().numpy() * 255
    return levels


@pytest.mark.parametrize("attack", [ColourJitter(), Equalise(), Posterise(), Saturation()], ids=repr)
def test_identities(attack: Attack, photo: Tensor) -> None:
    assert torch.equal(attack.apply(photo), photo)
    assert torch.equal(attack.apply(photo * 0.77), photo * 0.77)
    assert torch.equal(attack.apply(photo[:, :1]), photo[:, :1])


@pytest.mark.parametrize("factor", [0.0, 0.3, 1.5, 3.0])
def test_saturation_against_pillow(factor: float, photo: Tensor) -> None:
    expected = np.asarray(ImageEnhance.Color(picture(photo)).enhance(factor), dtype=np.float64)
    gap = np.abs(values(Saturation(factor).apply(photo)) - expected).max()
    assert gap < 1.01 + 0.5 * abs(1 - factor)  # Pillow rounds the luma too


@settings(deadline=None)
@given(st.floats(0, 1))
def test_less_saturation_is_greyscale(factor: float) -> None:
    image = torch.rand(1, 3, 5, 6, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(Saturation(factor).apply(image), Greyscale(1 - factor).apply(image), atol=1e-5)


@pytest.mark.parametrize("factor", [0.5, 1.2])
def test_saturation_keeps_luma_and_hue(factor: float, photo: Tensor) -> None:
    soft = photo * 0.4 + 0.3  # far from clipping
    before, after = (values(image) / 255 for image in (soft, Saturation(factor).apply(soft)))
    weights = np.array([0.299, 0.587, 0.114])  # Rec. 601
    assert np.abs(before @ weights - after @ weights).max() < 1e-3
    coloured = color.rgb2hsv(before)[..., 1] > 0.1
    turned = (color.rgb2hsv(after)[..., 0] - color.rgb2hsv(before)[..., 0] + 0.5) % 1 - 0.5
    assert np.abs(turned[coloured]).max() < 1e-3


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bits", range(1, 9))
def test_posterising_against_pillow(bits: int, dtype: torch.dtype) -> None:
    levels = torch.arange(256, dtype=dtype).reshape(1, 1, 16, 16) / 255
    expected = np.asarray(ImageOps.posterize(Image.fromarray((levels[0, 0] * 255).round().byte().numpy()), bits))
    posterised = Posterise(bits).apply(levels)
    assert np.abs(posterised[0, 0].numpy() * 255 - expected).max() < 1e-3
    assert len(posterised.unique()) == 2**bits


def test_posterising_rounds_to_8_bits_first() -> None:
    """127.6 is written as 128, whose high bit is set."""
    out = Posterise(1).apply(torch.tensor([127.4, 127.6]).reshape(1, 1, 1, 2) / 255) * 255
    assert out.flatten().tolist() == pytest.approx([0, 128], abs=1e-4)


def test_posterising_lets_the_gradient_pass(photo: Tensor) -> None:
    image = photo.clone().requires_grad_()
    Posterise(2).apply(image).sum().backward()
    assert torch.equal(image.grad, torch.ones_like(photo))  # type: ignore[arg-type]


@pytest.mark.parametrize("channels", [1, 3])
def test_equalising_against_pillow(channels: int, photo: Tensor, odd_photo: Tensor) -> None:
    for image in (photo[:, :channels], odd_photo[:, :channels]):
        grey = Image.fromarray((image[0, 0] * 255).round().byte().numpy())
        expected = np.asarray(ImageOps.equalize(picture(image) if channels == 3 else grey), dtype=np.float64)
        ours = Equalise(1.0).apply(image)
        assert np.abs(values(ours) - expected.reshape(values(ours).shape)).max() < 1e-3


def test_equalising_blends(photo: Tensor) -> None:
    half = (photo + Equalise(1.0).apply(photo)) / 2
    assert torch.allclose(Equalise(0.5).apply(photo), half, atol=1e-6)


def test_equalising_has_the_gradient_of_a_step_function() -> None:
    """The registry's check has too few pixels for levels to move."""
    image = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 0.4 + 0.2
    assert float((Equalise(1.0).apply(image) - image).abs().mean()) > 0.1
    image.requires_grad_()
    assert torch.autograd.gradcheck(Equalise(0.3).apply, image, atol=1e-6, fast_mode=True)
    Equalise(0.3).apply(image).sum().backward()
    assert torch.allclose(image.grad, torch.full_like(image, 0.7))  # type: ignore[arg-type]


def test_jitter_is_its_steps(photo: Tensor) -> None:
    steps = Chain((Brightness(0.8), Contrast(1.3), Saturation(0.6), Hue(-0.07)))
    assert torch.equal(ColourJitter(0.8, 1.3, 0.6, -0.07).apply(photo), steps.apply(photo))


@pytest.mark.parametrize("attack", [Saturation(0.0), Saturation(2.5), ColourJitter(saturation=0.5, hue=0.2)], ids=repr)
def test_luma_images_have_no_colour_to_change(attack: Attack, photo: Tensor) -> None:
    assert torch.equal(attack.apply(photo[:, :1]), photo[:, :1])
