"""Between the user's pixels and the working size: luma against other libraries, residuals, memory."""

from __future__ import annotations

import tracemalloc

import cv2
import numpy as np
import pytest
from skimage import color, data
from skimage.transform import downscale_local_mean

from watermark import working
from watermark.errors import ImageTooSmall, UnsupportedImage
from watermark.working import add_residual, check_pixels, reduced_luma, working_shape

RNG = np.random.default_rng(1)


def noise(*shape, dtype=np.uint8):
    return np.random.default_rng(1).integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


@pytest.fixture(scope="module")
def photo():
    return data.astronaut()


def keys_cubic(residual, height, width):
    """Enlargement with Keys' cubic (a = -1/2), borders replicated, by brute force."""

    def matrix(source, target):
        weights = np.zeros((target, source))
        for row in range(target):
            position = (row + 0.5) * source / target - 0.5
            for tap in range(int(np.floor(position)) - 1, int(np.floor(position)) + 3):
                x = abs(position - tap)
                value = 1.5 * x**3 - 2.5 * x**2 + 1 if x <= 1 else -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
                weights[row, min(max(tap, 0), source - 1)] += value
        return weights

    return matrix(residual.shape[0], height) @ residual.astype(np.float64) @ matrix(residual.shape[1], width).T


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [(256, 256, (256, 256)), (3000, 4000, (256, 342)), (4000, 3000, (342, 256)), (129, 401, (256, 796))],
)
def test_working_shape_keeps_the_aspect_ratio_and_is_even(height, width, expected):
    assert working_shape(height, width) == expected


def test_luma_equals_the_rec_601_weights(photo):
    tile = photo[:256, :256]
    assert np.allclose(reduced_luma(tile), tile @ np.array([0.299, 0.587, 0.114]) / 255, atol=1e-5)
    assert np.allclose(reduced_luma(tile), color.rgb2yuv(tile)[..., 0], atol=1e-4)


def test_whole_number_reduction_is_the_mean_of_the_pixels(photo):
    expected = downscale_local_mean(photo @ np.array([0.299, 0.587, 0.114]) / 255, (2, 2))
    assert np.allclose(reduced_luma(photo), expected, atol=1e-5)


def test_large_pictures_are_reduced_to_the_mean_of_their_pixels():
    """Halvings round to whole levels, which may add up to half a level in the mean, and no more."""
    picture = noise(2048, 4096)
    expected = downscale_local_mean(picture / 255, (16, 16))
    assert np.abs(reduced_luma(picture, 128) - expected).max() < 0.8 / 255
    deep = picture.astype(np.uint16) * 257
    assert np.abs(reduced_luma(deep, 128) - expected).max() < 1e-5


def test_hidden_colours_do_not_leak_when_large_pictures_are_reduced():
    pixels = noise(1024, 1024, 4)
    pixels[..., 3] = np.kron(np.indices((512, 512)).sum(0) % 2, np.full((2, 2), 255))  # transparent checks
    shown = np.where(pixels[..., 3:] > 0, pixels[..., :3], 255).astype(np.uint8)
    assert np.abs(reduced_luma(pixels, 128) - reduced_luma(shown, 128)).max() < 1.5 / 255


def test_small_pictures_are_enlarged_with_a_cubic(photo):
    tile = photo[:130, :150]
    grey = (tile @ np.array([0.299, 0.587, 0.114]) / 255).astype(np.float32)
    expected = cv2.resize(grey, (296, 256), interpolation=cv2.INTER_CUBIC)
    assert np.allclose(reduced_luma(tile), expected, atol=1e-4)


@pytest.mark.parametrize("shape", [(301, 257), (133, 397), (1541, 1237), (2501, 3333)])
def test_odd_sizes_keep_the_content_in_place(shape):
    """A smooth ramp reads the same at every size, to a tenth of a working pixel at the far edge."""
    rows, columns = shape
    ramp = np.add.outer(np.arange(rows) / rows, np.arange(columns) / columns) / 2
    luma = reduced_luma(np.rint(ramp * 65535).astype(np.uint16))
    assert luma.shape == working_shape(rows, columns)
    height, width = luma.shape
    expected = np.add.outer((np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width) / 2
    assert np.abs(luma - expected)[3:-3, 3:-3].max() < 1 / 256


def test_grey_colour_alpha_and_depth_agree():
    grey = noise(200, 300)
    colour = np.repeat(grey[..., None], 3, axis=2)
    opaque = np.dstack([colour, np.full_like(grey, 255)])
    expected = reduced_luma(grey)
    for same in (colour, opaque):
        assert np.allclose(reduced_luma(same), expected, atol=1e-5)
        assert np.allclose(reduced_luma(same.astype(np.uint16) * 257), expected, atol=1e-5)
    assert np.allclose(reduced_luma(grey.astype(np.uint16) * 257), expected, atol=1e-5)


def test_red_and_blue_are_not_swapped():
    red = np.zeros((256, 256, 3), np.uint8)
    red[..., 0] = 255
    assert np.allclose(reduced_luma(red), 0.299, atol=1e-3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_transparent_pixels_lie_over_white(dtype):
    white = np.iinfo(dtype).max
    pixels = np.zeros((256, 256, 4), dtype)
    assert np.allclose(reduced_luma(pixels), 1)
    pixels[..., 3] = white // 5  # a fifth of both whites is whole
    assert np.allclose(reduced_luma(pixels), 0.8, atol=1e-5)


def test_luma_does_not_depend_on_strips(monkeypatch):
    picture = noise(2103, 1301, 4)
    expected = reduced_luma(picture, 64)
    monkeypatch.setattr(working, "_STRIP_PIXELS", 1301 * 24)
    assert np.allclose(reduced_luma(picture, 64), expected, atol=1e-6)
    monkeypatch.setattr(working, "_STRIP_PIXELS", 1)
    assert np.allclose(reduced_luma(picture, 64), expected, atol=1e-6)


@pytest.mark.parametrize("shape", [(300, 401), (300, 401, 3), (300, 401, 4)])
def test_residual_does_not_depend_on_strips(monkeypatch, shape):
    picture, residual = noise(*shape), (0.05 * RNG.standard_normal((64, 86))).astype(np.float32)
    expected = add_residual(picture, residual)
    monkeypatch.setattr(working, "_STRIP_PIXELS", 401 * 7)
    assert np.array_equal(add_residual(picture, residual), expected)


@pytest.mark.parametrize(("height", "width"), [(300, 401), (64, 86), (1000, 200)])
def test_residual_is_enlarged_with_keys_cubic(height, width):
    residual = (0.05 * np.random.default_rng(2).standard_normal((64, 86))).astype(np.float32)
    grey = np.full((height, width), 32768, np.uint16)
    added = add_residual(grey, residual).astype(np.float64) - 32768
    assert np.abs(added - 65535 * keys_cubic(residual, height, width)).max() < 1


def test_residual_is_reduced_for_pictures_under_the_working_size():
    residual = (0.05 * np.random.default_rng(2).standard_normal((256, 320))).astype(np.float32)
    added = add_residual(np.full((128, 160), 32768, np.uint16), residual).astype(np.float64) - 32768
    assert np.abs(added / 65535 - downscale_local_mean(residual, (2, 2))).max() < 2e-5


def test_marking_and_reading_meet():
    """What is added at the working size is what the detector sees there."""
    residual = 0.05 * cv2.GaussianBlur(RNG.standard_normal((256, 384)).astype(np.float32), (0, 0), 2)
    host = np.full((1024, 1536, 3), 128, np.uint8)
    seen = reduced_luma(add_residual(host, residual)) - reduced_luma(host)
    assert np.corrcoef(seen.ravel(), residual.ravel())[0, 1] > 0.99
    assert np.abs(seen - residual).max() < 0.2 * np.abs(residual).max()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [(), (3,), (4,)])
def test_every_colour_channel_gets_the_same_and_shape_and_kind_stay(dtype, channels):
    white = np.iinfo(dtype).max
    pixels = np.full((140, 150, *channels), white // 2, dtype)
    before = pixels.copy()
    marked = add_residual(pixels, np.full((64, 64), 10 / 255, np.float32))
    assert marked.dtype == dtype
    assert marked.shape == pixels.shape
    assert np.array_equal(pixels, before)
    step = round(10 / 255 * white)
    colours = marked if not channels else marked[..., :3]
    assert (colours == white // 2 + step).all()
    if channels == (4,):
        assert (marked[..., 3] == white // 2).all()


def test_fully_transparent_pixels_stay():
    pixels = noise(140, 150, 4)
    pixels[:70, :, 3] = 0
    pixels[70:, :, 3] = 1
    marked = add_residual(pixels, np.full((64, 64), 0.1, np.float32))
    assert np.array_equal(marked[:70], pixels[:70])
    assert np.array_equal(marked[..., 3], pixels[..., 3])
    inside = pixels[70:, :, :3] < 220
    assert (marked[70:, :, :3] > pixels[70:, :, :3])[inside].all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_black_and_white_are_clipped_not_wrapped(dtype):
    white = np.iinfo(dtype).max
    pixels = np.zeros((140, 150), dtype)
    pixels[:, 75:] = white
    assert (add_residual(pixels, np.full((64, 64), 0.1, np.float32))[:, 75:] == white).all()
    assert (add_residual(pixels, np.full((64, 64), -0.1, np.float32))[:, :75] == 0).all()


def test_amounts_are_rounded_to_the_nearest_level():
    pixels = np.full((140, 150), 100, np.uint8)
    for amount, level in ((0.4, 100), (0.6, 101), (-0.4, 100), (-0.6, 99)):
        marked = add_residual(pixels, np.full((64, 64), amount / 255, np.float32))
        assert (marked == level).all()


@pytest.mark.parametrize("channels", [3, 4])
def test_memory_stays_a_fraction_of_the_picture(channels):
    """As tracemalloc sees it: numpy reports there, OpenCV does not; OpenCV's share is one strip at most."""
    pixels = np.zeros((4500, 6000, channels), np.uint8)
    residual = np.zeros((256, 342), np.float32)
    tracemalloc.start()
    try:
        marked = add_residual(pixels, residual)
        _, embedding = tracemalloc.get_traced_memory()
        del marked
        tracemalloc.reset_peak()
        reduced_luma(pixels)
        _, reading = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert embedding < 2 * pixels.nbytes  # the result is one of them
    assert reading < 0.8 * pixels.nbytes


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((128, 128), np.uint8), np.zeros((128, 2048, 3), np.uint16), np.zeros((2048, 128, 4), np.uint8)],
)
def test_pictures_at_the_limits_are_taken(pixels):
    check_pixels(pixels)


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        ([[0]], "numpy array"),
        (np.zeros((200, 200)), "uint8 or uint16, but are float64"),
        (np.zeros((200, 200), np.int16), "int16"),
        (np.zeros((200, 200), bool), "bool"),
        (np.zeros(200, np.uint8), "H x W"),
        (np.zeros((200, 200, 1), np.uint8), "H x W"),
        (np.zeros((200, 200, 2), np.uint8), "H x W"),
        (np.zeros((200, 200, 5), np.uint8), "H x W"),
        (np.zeros((1, 200, 200, 3), np.uint8), "H x W"),
        (np.zeros((128, 2049), np.uint8), "factor of 16"),
    ],
)
def test_other_kinds_are_refused(pixels, message):
    with pytest.raises(UnsupportedImage, match=message):
        check_pixels(pixels)


@pytest.mark.parametrize("shape", [(127, 300), (300, 127, 3), (0, 0), (0, 300)])
def test_small_pictures_are_refused_with_their_size(shape):
    with pytest.raises(ImageTooSmall, match=f"128 px, but the image is {shape[1]} x {shape[0]}") as caught:
        check_pixels(np.zeros(shape, np.uint8))
    assert (caught.value.height, caught.value.width) == shape[:2]
