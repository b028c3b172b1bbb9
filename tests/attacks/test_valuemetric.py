"""Changes of values against other implementations."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image, ImageEnhance
from skimage import color, exposure
from torch import Tensor

from attacks import (
    Affine,
    Attack,
    Brightness,
    Chain,
    Contrast,
    Crop,
    Gamma,
    GaussianBlur,
    GaussianNoise,
    Greyscale,
    Hue,
    Pad,
    Resize,
    Rotate,
    Rounding,
    Shift,
)

IDENTITIES = [
    Brightness(1.0), Chain(()), Contrast(1.0), Crop(1.0), Gamma(1.0), GaussianBlur(0.0), GaussianNoise(0.0, 3),
    Greyscale(0.0), Hue(0.0), Pad(), Resize(1.0), Rotate(0.0), Rounding(256), Shift(),
]  # fmt: skip


def channels_last(image: Tensor) -> NDArray[np.float32]:
    """The first image as an array of shape (H, W, C)."""
    array: NDArray[np.float32] = image[0].permute(1, 2, 0).numpy()
    return array


def picture(image: Tensor) -> Image.Image:
    """The first image as 8-bit Pillow image."""
    return Image.fromarray((channels_last(image) * 255).round().astype(np.uint8))


def levels(image: Tensor, expected: object) -> float:
    """Largest gap in levels of 8 bits to a picture of whole levels."""
    return float(np.abs(channels_last(image) * 255 - np.asarray(expected, dtype=np.float64)).max())


@pytest.mark.parametrize("attack", IDENTITIES, ids=repr)
def test_identities(attack: Attack, photo: Tensor) -> None:
    assert torch.allclose(attack.apply(photo), photo, atol=1e-6)
    assert torch.allclose(attack.apply(photo[:, :1]), photo[:, :1], atol=1e-6)


def test_the_affine_identity(photo: Tensor) -> None:
    assert torch.allclose(Affine().apply(photo), photo, atol=1e-4)  # resampled


@pytest.mark.parametrize("factor", [0.3, 0.75, 1.5, 2.0])
def test_brightness_against_pillow(factor: float, photo: Tensor) -> None:
    assert levels(Brightness(factor).apply(photo), ImageEnhance.Brightness(picture(photo)).enhance(factor)) < 1.01


@pytest.mark.parametrize("factor", [0.3, 0.75, 1.5, 2.0])
def test_contrast_against_pillow(factor: float, photo: Tensor) -> None:
    # Pillow rounds the mean too
    gap = levels(Contrast(factor).apply(photo), ImageEnhance.Contrast(picture(photo)).enhance(factor))
    assert gap < 1.01 + abs(1 - factor)


def test_contrast_is_of_each_image(photo: Tensor) -> None:
    batch = torch.cat([photo, photo * 0.5])
    assert torch.allclose(Contrast(0.5).apply(batch)[1:], Contrast(0.5).apply(batch[1:]), atol=1e-6)


@pytest.mark.parametrize("exponent", [0.6, 0.9, 1.7])
def test_gamma_against_scikit_image(exponent: float, photo: Tensor) -> None:
    expected = exposure.adjust_gamma(channels_last(photo), exponent)
    assert np.abs(channels_last(Gamma(exponent).apply(photo)) - expected).max() < 3e-4  # at black


@pytest.mark.parametrize("sigma", [0.5, 1.0, 1.8, 2.9])
def test_blur_against_opencv(sigma: float, photo: Tensor) -> None:
    size = 2 * round(3 * sigma) + 1
    expected = cv2.GaussianBlur(channels_last(photo), (size, size), sigma, borderType=cv2.BORDER_REFLECT_101)
    assert np.abs(channels_last(GaussianBlur(sigma).apply(photo)) - expected).max() < 1e-5


@pytest.mark.parametrize("size", [11, 17, 31])
def test_blur_of_a_kernel_size(size: int) -> None:
    """What OpenCV derives from the size alone (up to 9 it has tables of its own)."""
    taps = cv2.getGaussianKernel(size, 0)[:, 0]
    sigma = GaussianBlur.of_kernel(size).sigma
    expected = np.exp(-0.5 * ((np.arange(size) - size // 2) / sigma) ** 2)
    assert np.abs(taps - expected / expected.sum()).max() < 1e-6


@pytest.mark.parametrize("amount", [0.25, 1.0])
def test_greyscale_against_pillow(amount: float, photo: Tensor) -> None:
    assert levels(Greyscale(amount).apply(photo), ImageEnhance.Color(picture(photo)).enhance(1 - amount)) < 1.51


@pytest.mark.parametrize("turn", [-0.5, -0.13, 0.25, 0.4])
def test_hue_against_scikit_image(turn: float, photo: Tensor) -> None:
    hsv = color.rgb2hsv(channels_last(photo))
    hsv[..., 0] = (hsv[..., 0] + turn) % 1
    assert np.abs(channels_last(Hue(turn).apply(photo)) - color.hsv2rgb(hsv)).max() < 1e-4


def test_colour_attacks_leave_luma_images_alone(photo: Tensor) -> None:
    luma = photo[:, :1]
    assert torch.equal(Hue(0.3).apply(luma), luma)
    assert torch.equal(Greyscale(1.0).apply(luma), luma)


@pytest.mark.parametrize("count", [2, 16, 200, 256])
def test_rounding(count: int, photo: Tensor) -> None:
    image = photo * 0.97 + 0.01
    expected = np.round(channels_last(image) * (count - 1)) / (count - 1)
    ours = channels_last(Rounding(count).apply(image))
    assert np.abs(ours - expected).max() < 1e-6
    assert len(np.unique(ours.round(5))) <= count


def test_rounding_lets_the_gradient_pass() -> None:
    image = torch.rand(1, 1, 4, 4).requires_grad_()
    Rounding(8).apply(image).sum().backward()
    assert torch.equal(image.grad, torch.ones(1, 1, 4, 4))  # type: ignore[arg-type]


def test_noise_is_normal_and_of_its_sigma() -> None:
    grey = torch.full((2, 3, 200, 200), 0.5)
    noise = (GaussianNoise(0.05, seed=7).apply(grey) - 0.5) / 0.05
    count = noise.numel()
    assert abs(float(noise.mean())) < 4 / count**0.5
    assert float(noise.std()) == pytest.approx(1, abs=4 / (2 * count) ** 0.5)
    assert float(noise.pow(3).mean()) == pytest.approx(0, abs=4 * (15 / count) ** 0.5)
    assert float(noise.pow(4).mean()) == pytest.approx(3, abs=4 * (96 / count) ** 0.5)
    left, right = noise[..., :-1], noise[..., 1:]
    assert abs(float((left * right).mean())) < 4 / left.numel() ** 0.5
    assert abs(float((noise[0] * noise[1]).mean())) < 4 / noise[0].numel() ** 0.5


def test_noise_depends_on_the_seed_alone(photo: Tensor) -> None:
    batch = photo.expand(3, -1, -1, -1)
    noisy = GaussianNoise(0.03, seed=11).apply(batch)
    torch.manual_seed(0)
    assert torch.equal(GaussianNoise(0.03, seed=11).apply(batch), noisy)
    assert torch.equal(GaussianNoise(0.03, seed=13).apply(photo), noisy[2:])
    assert not torch.equal(noisy[0], noisy[1])
