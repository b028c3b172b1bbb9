"""Formulas against scikit-image, OpenCV, plain loops and published colour pairs."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage.data import astronaut
from skimage.transform import downscale_local_mean

from benchmarks.metrics.quality import ciede2000, local_error, ms_ssim, psnr, ssim
from benchmarks.metrics.registry import QUALITY

Image = NDArray[np.uint8]


@pytest.fixture(scope="module")
def photograph() -> Image:
    return astronaut()[60:252, 120:336]


def noisy(image: Image, sigma: float) -> Image:
    noise = np.random.default_rng(5).normal(0, sigma, image.shape)
    return np.clip(np.round(image + noise), 0, 255).astype(np.uint8)


def test_psnr_is_that_of_opencv(photograph: Image) -> None:
    for sigma in (1, 5, 40):
        test = noisy(photograph, sigma)
        assert psnr(photograph, test) == pytest.approx(cv2.PSNR(photograph, test), abs=1e-9)


def test_psnr_by_hand() -> None:
    black = np.zeros((4, 4, 3), np.uint8)
    assert psnr(black, black) == math.inf
    assert psnr(black, black + 255) == 0
    assert psnr(black, black + 1) == pytest.approx(48.1308, abs=1e-4)


def similarity_and_structure(before: NDArray[np.float64], after: NDArray[np.float64]) -> tuple[float, float]:
    """SSIM and its contrast-structure term of one channel, as Wang et al. 2004 write them."""

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return gaussian_filter(values, 1.5, radius=5)[5:-5, 5:-5]

    m1, m2 = mean(before), mean(after)
    v1, v2, v12 = mean(before**2) - m1**2, mean(after**2) - m2**2, mean(before * after) - m1 * m2
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    structure = (2 * v12 + c2) / (v1 + v2 + c2)
    return float(np.mean((2 * m1 * m2 + c1) / (m1**2 + m2**2 + c1) * structure)), float(np.mean(structure))


@pytest.mark.parametrize("sigma", [2, 10, 60])
def test_ssim_is_its_formula(photograph: Image, sigma: float) -> None:
    test = noisy(photograph, sigma)
    channels = [similarity_and_structure(photograph[..., c] * 1.0, test[..., c] * 1.0)[0] for c in range(3)]
    assert ssim(photograph, test) == pytest.approx(np.mean(channels), abs=1e-9)


@pytest.mark.parametrize("sigma", [2, 10, 60])
def test_ms_ssim_is_its_formula(photograph: Image, sigma: float) -> None:
    test, total = noisy(photograph, sigma), 0.0
    for channel in range(3):
        before, after, product = photograph[..., channel] * 1.0, test[..., channel] * 1.0, 1.0
        for scale, exponent in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
            product *= similarity_and_structure(before, after)[scale < 4] ** exponent
            before, after = (
                downscale_local_mean(image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2], (2, 2))
                for image in (before, after)
            )
        total += product / 3
    assert ms_ssim(photograph, test) == pytest.approx(total, abs=1e-9)


def test_ms_ssim_of_inverted_structure_is_nil() -> None:
    stripes = np.zeros((176, 176, 3), np.uint8)
    stripes[:, ::2] = 255
    assert ms_ssim(stripes, 255 - stripes) == 0


def sharma(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """CIEDE2000 of one pair of Lab colours, from Sharma, Wu and Dalal 2005, equations 2 to 22."""
    (l1, a1, b1), (l2, a2, b2) = first, second
    mean_chroma = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    g = 0.5 * (1 - math.sqrt(mean_chroma**7 / (mean_chroma**7 + 25**7)))
    c1, c2 = math.hypot((1 + g) * a1, b1), math.hypot((1 + g) * a2, b2)
    h1, h2 = (math.degrees(math.atan2(b, (1 + g) * a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0
    hue = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn / 2))
    light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    mean_hue = (h1 + turn / 2) % 360 if c1 * c2 else h1 + h2
    t = 1 + sum(
        factor * math.cos(math.radians(times * mean_hue + shift))
        for factor, times, shift in ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.2, 4, -63))
    )
    s_light = 1 + 0.015 * (light - 50) ** 2 / math.sqrt(20 + (light - 50) ** 2)
    s_chroma, s_hue = 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    theta = 60 * math.exp(-(((mean_hue - 275) / 25) ** 2))
    r = -2 * math.sqrt(chroma**7 / (chroma**7 + 25**7)) * math.sin(math.radians(theta))
    x, y, z = (l2 - l1) / s_light, (c2 - c1) / s_chroma, hue / s_hue
    return math.sqrt(x**2 + y**2 + z**2 + r * y * z)


@pytest.mark.parametrize(
    ("first", "second", "published"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0),
        ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0009), 7.1792),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_oracle_against_sharma_table_1(
    first: tuple[float, ...], second: tuple[float, ...], published: float
) -> None:
    assert sharma(np.array(first), np.array(second)) == pytest.approx(published, abs=5e-5)


def test_ciede2000_is_the_mean_over_the_pixels(photograph: Image) -> None:
    reference = photograph[::16, ::16]
    test = noisy(reference, 15)
    labs = (
        cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB).reshape(-1, 3) for image in (reference, test)
    )
    mean = np.mean([sharma(a, b) for a, b in zip(*(lab.astype(np.float64) for lab in labs), strict=True)])
    assert ciede2000(reference, test) == pytest.approx(mean, rel=2e-3)  # OpenCV's Lab comes from a table


def test_local_error_is_the_worst_window(photograph: Image) -> None:
    test = noisy(photograph, 3)
    test[-20:, :20] = 255 - test[-20:, :20]
    errors = np.abs(photograph.astype(float) - test).mean(axis=2)
    assert local_error(photograph, test) == pytest.approx(sliding_window_view(errors, (16, 16)).mean((2, 3)).max())


@pytest.mark.parametrize("corner", [(0, 0), (-16, -16)])
def test_local_error_sees_a_patch_in_a_corner(corner: tuple[int, int]) -> None:
    before = np.zeros((40, 50, 3), np.uint8)
    after = before.copy()
    after[corner[0] :, corner[1] :][:16, :16] = 30
    assert local_error(before, after) == pytest.approx(30)


@pytest.mark.parametrize("name", ["psnr", "ssim", "ms_ssim", "ciede2000", "local_error"])
def test_stronger_noise_is_worse_in_the_stated_direction(photograph: Image, name: str) -> None:
    metric = QUALITY[name]
    none, weak, strong = (metric.measure(photograph, noisy(photograph, sigma)) for sigma in (0, 3, 12))
    assert none > weak > strong if metric.higher_is_better else none < weak < strong


@pytest.mark.parametrize("name", QUALITY)
def test_what_cannot_be_compared(name: str) -> None:
    image = np.zeros((200, 200, 3), np.uint8)
    for test, message in (
        (image[:-1], "only images of one size"),
        (image[..., 0], "uint8 of shape"),
        (image / 255, "uint8 of shape"),
    ):
        with pytest.raises(ValueError, match=message):
            QUALITY[name].measure(image, test)


@pytest.mark.parametrize(("name", "side"), [("ssim", 11), ("ms_ssim", 176), ("local_error", 16)])
def test_smallest_sides(name: str, side: int) -> None:
    enough = np.full((side, side + 3, 3), 128, np.uint8)
    assert math.isfinite(QUALITY[name].measure(enough, enough))
    with pytest.raises(ValueError, match=f"at least {side} px"):
        QUALITY[name].measure(enough[1:], enough[1:])


@pytest.mark.parametrize("name", QUALITY)
def test_the_page_of_metrics_states_unit_and_direction(name: str) -> None:
    metric = QUALITY[name]
    page = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text(encoding="utf-8")
    title = metric.title.partition(" (")[0]
    (line,) = [line for line in page.splitlines() if line.startswith(f"| {title} |")]
    unit = line.split("|")[3]
    assert metric.unit in unit
    assert unit.strip().endswith("up" if metric.higher_is_better else "down")
