"""Denoisers against the libraries called directly and against their definitions."""

from __future__ import annotations

import sys

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from skimage import restoration
from torch import Tensor

from attacks import Attack, BilateralDenoise, NonLocalMeans, TotalVariationDenoise, WaveletDenoise
from attacks.arrays import each_array

DENOISERS: list[Attack] = [BilateralDenoise(), NonLocalMeans(), TotalVariationDenoise(0.01)]


def array(image: Tensor) -> NDArray[np.float32]:
    """The first image as a contiguous array of shape (H, W, C)."""
    return np.ascontiguousarray(image[0].permute(1, 2, 0).numpy())


@pytest.mark.parametrize("attack", DENOISERS, ids=repr)
@pytest.mark.parametrize("channels", [1, 3])
def test_noise_goes_and_images_are_treated_alone(attack: Attack, channels: int, photo: Tensor) -> None:
    photo = photo[:, :channels]
    clean = torch.nn.functional.avg_pool2d(photo, 32).repeat_interleave(32, 2).repeat_interleave(32, 3)  # flat squares
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(1))
    batch = torch.cat([clean + 0.007 * noise, photo]).clamp(0, 1)
    out = attack.apply(batch)
    assert (out[0] - clean[0]).square().mean() < 0.7 * (batch[0] - clean[0]).square().mean()
    assert torch.equal(out[1:], attack.apply(batch[1:]))


@pytest.mark.parametrize(
    "attack", [BilateralDenoise(0.0), NonLocalMeans(0.0), TotalVariationDenoise(0.0), WaveletDenoise(0.0)], ids=repr
)
def test_identities(attack: Attack, photo: Tensor) -> None:
    assert torch.equal(attack.apply(photo), photo)


def test_bilateral_is_its_definition(photo: Tensor) -> None:
    """Weights in the distance and in the sum of absolute differences, over a disc of radius 3."""
    sigma_colour, sigma_space = 25 / 255, 2.0
    picture = array(photo).astype(np.float64)
    out = array(BilateralDenoise(25.0, sigma_space).apply(photo))
    rows, columns = np.mgrid[-3:4, -3:4]
    square = rows**2 + columns**2
    disc = np.where(square <= 9, np.exp(-square / (2 * sigma_space**2)), 0)
    for row, column in ((10, 20), (64, 80), (100, 130)):
        window = picture[row - 3 : row + 4, column - 3 : column + 4]
        gap = np.abs(window - picture[row, column]).sum(2)
        weight = disc * np.exp(-(gap**2) / (2 * sigma_colour**2))
        assert out[row, column] == pytest.approx((window * weight[..., None]).sum((0, 1)) / weight.sum(), abs=2e-4)


@pytest.mark.parametrize("channels", [1, 3])
def test_non_local_means_is_opencvs(channels: int, odd_photo: Tensor) -> None:
    image = odd_photo[:, :channels]
    levels = (array(image) * 255).round().astype(np.uint8)
    expected = np.asarray(cv2.fastNlMeansDenoising(levels, None, 6.0, 7, 21)).reshape(levels.shape)
    out = NonLocalMeans(6.0).apply(image)
    assert np.array_equal((array(out) * 255).round(), expected)
    assert not np.array_equal(expected, levels)


def test_non_local_means_takes_what_scikit_images_takes(photo: Tensor) -> None:
    luma = photo.mean(1, keepdim=True)
    noisy = (luma + 0.03 * torch.randn(luma.shape, generator=torch.Generator().manual_seed(2))).clamp(0, 1)
    other = restoration.denoise_nl_means(array(noisy)[..., 0], patch_size=7, patch_distance=10, h=0.06, fast_mode=True)
    ours, theirs = noisy - NonLocalMeans(0.06 * 255).apply(noisy), noisy - torch.from_numpy(other)[None, None]
    assert torch.corrcoef(torch.stack([ours.flatten(), theirs.flatten()]))[0, 1] > 0.8


def test_total_variation_is_scikit_images_and_smaller(photo: Tensor) -> None:
    out = array(TotalVariationDenoise(0.1).apply(photo))
    expected = restoration.denoise_tv_chambolle(array(photo), weight=0.1, channel_axis=-1)
    assert out == pytest.approx(expected, abs=1e-6)
    assert np.abs(np.diff(out, axis=1)).sum() < 0.7 * np.abs(np.diff(array(photo), axis=1)).sum()


def test_wavelet_shrinkage_is_scikit_images(photo: Tensor) -> None:
    pytest.importorskip("pywt")
    for image in (photo, photo[:, :1]):
        out = array(WaveletDenoise(0.05).apply(image))
        for channel in range(image.shape[1]):
            expected = restoration.denoise_wavelet(array(image)[..., channel], sigma=0.05, wavelet="sym4")
            assert out[..., channel] == pytest.approx(np.clip(expected, 0, 1), abs=1e-5)


def test_without_pywavelets_the_extra_is_named(photo: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pywt", None)
    with pytest.raises(ImportError, match=r"wavelet_denoise needs PyWavelets; pip install .*\[wavelets\]"):
        WaveletDenoise(0.05).apply(photo)


def test_arrays_arrive_as_libraries_want_them_and_come_back_as_they_were() -> None:
    image = torch.rand(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    before = image.detach().clone()
    seen = []

    def change(array: NDArray[np.float32]) -> NDArray[np.float32]:
        seen.append((array.shape, array.dtype, array.flags.c_contiguous))
        array += 0.5
        return array

    out = each_array(image, change)
    assert seen == [((4, 5, 3), np.float32, True)] * 2
    assert torch.equal(image, before)
    assert out.dtype == torch.float64
    assert not out.requires_grad
    assert torch.allclose(out, (before + 0.5).clamp(0, 1), atol=1e-6)
