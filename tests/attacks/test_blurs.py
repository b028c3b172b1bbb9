"""Blurs and sharpening against OpenCV and scikit-image."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from skimage import filters, transform
from torch import Tensor

from attacks import Attack, BoxBlur, DefocusBlur, MedianBlur, MotionBlur, Sharpen
from attacks.disc import disc


def channels_last(image: Tensor) -> NDArray[np.float32]:
    """The first image as an array of shape (H, W, C)."""
    array: NDArray[np.float32] = image[0].permute(1, 2, 0).numpy()
    return array


def gap(image: Tensor, expected: NDArray[np.float32]) -> float:
    """Largest difference to an array of shape (H, W, C)."""
    return float(np.abs(channels_last(image) - expected).max())


@pytest.mark.parametrize("attack", [BoxBlur(), MedianBlur(), MotionBlur(), DefocusBlur(), Sharpen()], ids=repr)
def test_no_blur_is_the_image_itself(attack: Attack, photo: Tensor) -> None:
    assert attack.apply(photo) is photo


@pytest.mark.parametrize(
    "attack", [BoxBlur(5), MedianBlur(5), MotionBlur(9, 25.0), DefocusBlur(2.5), Sharpen(1.0)], ids=repr
)
@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_flat_pictures_stay_flat(attack: Attack, value: float) -> None:
    flat = torch.full((1, 3, 20, 30), value)
    out = attack.apply(flat)
    assert torch.allclose(out, flat, atol=1e-6)
    assert float(out.max()) <= 1


@pytest.mark.parametrize("kernel", [3, 5, 7])
def test_box_blur_against_opencv(kernel: int, photo: Tensor) -> None:
    expected = cv2.blur(channels_last(photo), (kernel, kernel), borderType=cv2.BORDER_REFLECT_101)
    assert gap(BoxBlur(kernel).apply(photo), expected) < 1e-5


@pytest.mark.parametrize("kernel", [3, 5])
def test_median_blur_against_scikit_image(kernel: int, photo: Tensor) -> None:
    ours = MedianBlur(kernel).apply(photo)
    footprint = np.ones((kernel, kernel, 1))
    expected = filters.median(channels_last(photo), footprint, mode="mirror", behavior="ndimage")
    assert np.array_equal(channels_last(ours), expected)
    assert torch.equal(MedianBlur(kernel).apply(photo.clone().requires_grad_()), ours)


@pytest.mark.parametrize("kernel", [9, 19])
def test_the_median_is_the_same_with_and_without_a_gradient(kernel: int, photo: Tensor) -> None:
    image = photo[:, :, :20, :27].clone().requires_grad_()
    blurred = MedianBlur(kernel).apply(image)
    assert blurred.requires_grad
    with torch.no_grad():
        assert torch.equal(MedianBlur(kernel).apply(image), blurred)


def test_a_median_without_a_gradient_holds_no_array_of_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kornia holds them all: at 17, of a picture of 768 x 512, three gigabytes."""

    def too_large(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("attacks.median_blur.median_blur", too_large)
    image = torch.rand(1, 1, 40, 40, generator=torch.Generator().manual_seed(2))
    assert float(MedianBlur(39).apply(image).std()) < 0.1 * float(image.std())
    with pytest.raises(MemoryError):
        MedianBlur(39).apply(image.requires_grad_())


def test_the_median_removes_single_pixels() -> None:
    grey = torch.full((1, 1, 9, 9), 0.5)
    spoilt = grey.clone()
    spoilt[0, 0, 4, 4] = 1
    assert torch.equal(MedianBlur(3).apply(spoilt), grey)


@pytest.mark.parametrize("degrees", [0.0, 30.0, 45.0, 90.0, 117.0])
@pytest.mark.parametrize("kernel", [3, 9])
def test_motion_blur_against_opencv_and_scikit_image(kernel: int, degrees: float, photo: Tensor) -> None:
    """The line turned by one, applied by the other."""
    line = np.zeros((kernel, kernel))
    line[kernel // 2] = 1
    line = transform.rotate(line, degrees, order=1)
    expected = cv2.filter2D(channels_last(photo), -1, line / line.sum(), borderType=cv2.BORDER_REFLECT_101)
    assert gap(MotionBlur(kernel, degrees).apply(photo), expected) < 1e-5


def test_motion_is_counter_clockwise() -> None:
    point = torch.zeros(1, 1, 15, 15)
    point[0, 0, 7, 7] = 1
    streak = MotionBlur(9, 45.0).apply(point)[0, 0]
    assert float(streak[5, 9]) > 0.05  # above right
    assert float(streak[5, 5]) == 0  # above left


@pytest.mark.parametrize("radius", [0.7, 1.0, 2.5, 4.0])
def test_defocus_blur_against_a_finely_drawn_disc(radius: float, photo: Tensor) -> None:
    fine, size = 32, 2 * int(np.ceil(radius + 0.5)) + 1
    offset = (np.arange(size * fine) + 0.5) / fine - size / 2
    drawn = (np.hypot(offset[:, None], offset) <= radius).reshape(size, fine, size, fine).mean(axis=(1, 3))
    expected = cv2.filter2D(channels_last(photo), -1, drawn / drawn.sum(), borderType=cv2.BORDER_REFLECT_101)
    assert np.abs(channels_last(DefocusBlur(radius).apply(photo)) - expected).mean() < 0.5 / 255


@pytest.mark.parametrize(("side", "radius"), [(9, 4.0), (12, 5.5), (41, 17.3), (64, 32.0)])
def test_discs_have_their_area_and_symmetries(side: int, radius: float) -> None:
    mask = disc(side, radius)
    assert float(mask.sum()) == pytest.approx(np.pi * radius**2, rel=0.02)
    for other in (mask.flip(0), mask.flip(1), mask.T):
        assert torch.equal(other, mask)


@pytest.mark.parametrize("amount", [0.4, 1.0, 2.0])
@pytest.mark.parametrize("sigma", [0.8, 1.5])
def test_sharpening_against_opencv_and_scikit_image(amount: float, sigma: float, photo: Tensor) -> None:
    ours = Sharpen(amount, sigma).apply(photo)
    picture, size = channels_last(photo), 2 * round(3 * sigma) + 1
    soft = cv2.GaussianBlur(picture, (size, size), sigma, borderType=cv2.BORDER_REFLECT_101)
    assert gap(ours, cv2.addWeighted(picture, 1 + amount, soft, -amount, 0).clip(0, 1)) < 1e-5
    theirs = filters.unsharp_mask(picture, radius=sigma, amount=amount, channel_axis=2)
    inside = np.s_[8:-8, 8:-8]  # at the border it reflects otherwise; its Gaussian ends at 4 sigma
    assert np.abs(channels_last(ours)[inside] - theirs[inside]).max() < 1 / 255 * amount
