"""What the eye forgives: the blur against scipy, the map against what it promises."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from skimage import data

from watermark import visibility
from watermark.visibility import gaussian_blur, visibility_map
from watermark.working import reduced_luma


@pytest.fixture(scope="module")
def luma():
    return torch.from_numpy(reduced_luma(data.astronaut()))[None, None]


@pytest.mark.parametrize("sigma", [0.7, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("shape", [(37, 52), (64, 40)])
def test_blur_equals_scipy(sigma, shape):
    image = np.random.default_rng(1).random(shape, dtype=np.float32)
    expected = gaussian_filter(image.astype(np.float64), sigma, mode="mirror", radius=round(3 * sigma))
    blurred = gaussian_blur(torch.from_numpy(image)[None, None], sigma)
    assert np.allclose(blurred[0, 0], expected, atol=1e-5)


def test_blur_takes_each_channel_alone_and_tiny_images():
    image = torch.rand(2, 3, 20, 24)
    blurred = gaussian_blur(image, 2.0)
    assert torch.allclose(blurred[1:, 2:], gaussian_blur(image[1:, 2:], 2.0))
    assert torch.allclose(gaussian_blur(torch.full((1, 1, 4, 5), 0.3), 3.0), torch.tensor(0.3))


def test_map_of_a_flat_picture_is_the_floor():
    flat = visibility_map(torch.full((1, 1, 64, 64), 0.4))
    assert flat.max() < 0.004
    assert flat.min() > 0.002
    assert flat.max() / flat.min() < 1.01


def test_map_is_positive_and_follows_texture(luma):
    allowed = visibility_map(luma)
    assert allowed.shape == luma.shape
    assert allowed.min() > 0.002
    generator = torch.Generator().manual_seed(1)
    half = torch.full((1, 1, 64, 128), 0.5)
    half[..., 64:] += 0.1 * torch.randn(1, 1, 64, 64, generator=generator)
    allowed = visibility_map(half)
    assert allowed[..., 84:].mean() > 5 * allowed[..., :44].mean()


def test_map_is_local():
    image = torch.full((1, 1, 128, 128), 0.5)
    image[..., 60:68, 60:68] = 1.0
    allowed = visibility_map(image)
    assert allowed[..., 64, 64] > 3 * allowed[..., 0, 0]
    assert torch.allclose(allowed[..., :30, :30], allowed[..., :1, :1])


def test_a_soft_gradient_is_no_texture():
    ramp = torch.linspace(0, 1, 256).expand(1, 1, 256, 256)
    inside = visibility_map(ramp)[..., 24:-24, 24:-24]
    flat = visibility_map(torch.full((1, 1, 64, 64), 0.4)).mean()
    assert inside.max() < 1.1 * flat


def test_training_can_use_what_inference_cached():
    visibility._blur_matrix.cache_clear()
    with torch.inference_mode():
        gaussian_blur(torch.rand(1, 1, 20, 30), 1.0)
    image = torch.rand(1, 1, 20, 30, requires_grad=True)
    gaussian_blur(image, 1.0).square().sum().backward()
    assert image.grad.abs().min() > 0


def test_autocast_leaves_no_rounded_cache_behind():
    image = torch.rand(1, 1, 20, 30)
    visibility._blur_matrix.cache_clear()
    expected = gaussian_blur(image, 1.0)
    visibility._blur_matrix.cache_clear()
    with torch.autocast("cpu", torch.bfloat16):
        gaussian_blur(image, 1.0)
    assert torch.equal(gaussian_blur(image, 1.0), expected)


def test_long_lines_are_blurred_like_short_ones():
    image = torch.rand((1, 1, 40, 1500), generator=torch.Generator().manual_seed(3))
    long, short = gaussian_blur(image, 2.0), gaussian_blur(image[..., :1000], 2.0)
    torch.testing.assert_close(long[..., :980], short[..., :980])
    torch.testing.assert_close(gaussian_blur(image.mT, 2.0).mT, long)


def test_blur_keeps_full_precision_under_autocast():
    image = torch.rand((1, 1, 64, 64), generator=torch.Generator().manual_seed(4))
    with torch.autocast("cpu", torch.bfloat16):
        reduced = gaussian_blur(image, 2.0)
    torch.testing.assert_close(reduced, gaussian_blur(image, 2.0), rtol=0, atol=0)
