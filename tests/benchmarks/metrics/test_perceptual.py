"""FLIP against the closed form for plain colours; LPIPS says what it lacks."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from skimage.color import rgb2lab
from skimage.data import astronaut

from benchmarks.metrics import perceptual
from benchmarks.metrics.perceptual import MetricMissing, flip, lpips


@pytest.fixture
def installed() -> None:
    pytest.importorskip("flip_evaluator", reason="FLIP is an extra: pip install flip-evaluator")


def plain_flip(first: tuple[int, int, int], second: tuple[int, int, int]) -> float:
    """FLIP of two plain colours: no edges and no points, so the colour difference (Andersson et al. 2020, 4.1)."""

    def hunt(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
        lightness, a, b = rgb2lab(rgb[None, None])[0, 0]
        return np.array([lightness, 0.01 * lightness * a, 0.01 * lightness * b])

    def hyab(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
        return float((abs(x[0] - y[0]) + np.hypot(*(x[1:] - y[1:]))) ** 0.7)

    largest = hyab(hunt(np.array([0.0, 1.0, 0.0])), hunt(np.array([0.0, 0.0, 1.0])))
    error = hyab(*(hunt(np.array(colour) / 255) for colour in (first, second)))
    knee = 0.4 * largest
    return 0.95 * error / knee if error < knee else 0.95 + 0.05 * (error - knee) / (largest - knee)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("first", "second"),
    [((128, 128, 128), (132, 132, 132)), ((200, 30, 60), (190, 40, 60)), ((0, 0, 0), (255, 255, 255))],
)
def test_flip_of_plain_colours(first: tuple[int, int, int], second: tuple[int, int, int]) -> None:
    before, after = (np.full((48, 64, 3), colour, np.uint8) for colour in (first, second))
    assert flip(before, after) == pytest.approx(plain_flip(first, second), abs=0.003)


@pytest.mark.usefixtures("installed")
def test_flip_grows_with_noise() -> None:
    image = astronaut()[:96, :128]
    noise = np.random.default_rng(2).normal(size=image.shape)
    values = [flip(image, np.clip(image + sigma * noise, 0, 255).astype(np.uint8)) for sigma in (0, 4, 16, 64)]
    assert values[0] == pytest.approx(0, abs=1e-6)
    assert values == sorted(set(values))
    assert values[-1] < 1


@pytest.mark.usefixtures("installed")
def test_flip_is_seen_from_where_its_paper_sits() -> None:
    """.7 m from a screen of 3840 pixels on .7 m, which matters to fine noise."""
    evaluate = pytest.importorskip("flip_evaluator").evaluate
    image = astronaut()[:96, :128]
    noisy = (image.astype(np.int16) + np.random.default_rng(4).integers(-20, 21, image.shape)).clip(0, 255)
    pair = (image.astype(np.float32) / 255, noisy.astype(np.float32) / 255)
    _, seated, _ = evaluate(*pair, "LDR", parameters={"vc": [0.7, 3840, 0.7]})
    _, near, _ = evaluate(*pair, "LDR", parameters={"ppd": 30.0})
    assert flip(image, noisy.astype(np.uint8)) == pytest.approx(seated, rel=0.005)
    assert near > 1.05 * seated


@pytest.mark.parametrize(("module", "metric"), [("flip_evaluator", flip), ("lpips", lpips)])
def test_missing_packages(monkeypatch: pytest.MonkeyPatch, module: str, metric: object) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    perceptual._lpips_network.cache_clear()
    image = np.zeros((32, 32, 3), np.uint8)
    with pytest.raises(MetricMissing, match="pip install"):
        metric(image, image)  # type: ignore[operator]


def test_lpips_never_fetches_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "lpips", sys)  # stands for an installed package
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    perceptual._lpips_network.cache_clear()
    image = np.zeros((32, 32, 3), np.uint8)
    with pytest.raises(MetricMissing, match="alexnet-owt"):
        lpips(image, image)
