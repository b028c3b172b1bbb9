"""The steganalyser: its filters, what it finds, and that it finds nothing where nothing is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import signal
from skimage import data

from benchmarks.ablation.steganalysis import (
    Steganalyser,
    SteganalysisSettings,
    count_right,
    early_stopping_pairs,
    high_pass_kernels,
    score,
    train_steganalyser,
)
from benchmarks.metrics.intervals import wilson

SIDE = 64
SHORT = SteganalysisSettings(epochs=4, patience=4, batch_pairs=16)


def pieces(picture):
    rows, columns = (length // SIDE for length in picture.shape)
    whole = picture[: rows * SIDE, : columns * SIDE].reshape(rows, SIDE, columns, SIDE)
    return whole.swapaxes(1, 2).reshape(-1, SIDE, SIDE)


@pytest.fixture(scope="module")
def covers():
    """256 pieces of four photographs to learn from, 80 of two others to be judged by."""
    learn = [data.brick(), data.grass(), data.gravel(), data.camera()]
    judge = [data.moon(), data.rocket()[..., 1], data.coffee()[..., 1]]
    return [np.concatenate([pieces(picture) for picture in pictures]) for pictures in (learn, judge)]


def test_kernels_predict_smooth_lines_and_planes():
    kernels = high_pass_kernels()[:, 0].double().numpy()
    assert kernels.shape == (8, 5, 5)
    assert np.abs(kernels.sum((1, 2))).max() < 1e-6
    assert np.abs(kernels[:, 2, 2]).tolist() == [1.0] * 8  # in units of the predicted pixel
    axis = np.arange(-4.0, 5.0)
    orders = [1, 1, 2, 2, 3, 3, 2, 2]  # of the polynomials that each no longer sees
    along = [(0, 1), (1, 0)] * 3 + [(1, 1), (1, 1)]
    for kernel, order, (down, across) in zip(kernels, orders, along, strict=True):
        powers = [np.add.outer(down * axis**power, across * axis**power) for power in range(order + 1)]
        residuals = [np.abs(signal.correlate2d(surface, kernel, "valid")).max() for surface in powers]
        assert max(residuals[:order]) < 1e-4
    for kernel, order in zip(kernels[:6], orders, strict=False):  # and see the next
        assert np.abs(signal.correlate2d(np.add.outer(axis**order, axis**order), kernel, "valid")).min() > 0.1
    # the square 3 x 3 kernel is a difference of differences
    assert np.allclose(kernels[6, 1:4, 1:4] * -4, np.outer([1, -2, 1], [1, -2, 1]))


def test_network_filters_before_it_learns():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = Steganalyser().eval()
        loud = 255 * torch.rand(2, 1, SIDE, SIDE)
    flat = torch.full((1, 1, SIDE, SIDE), 90.0)
    with torch.no_grad():
        assert network(flat + 100).item() == pytest.approx(network(flat).item(), abs=1e-4)  # no mean level
        assert network(loud).shape == (2,)
        assert network(loud)[0] != network(flat)[0]
    assert "kernels" not in dict(network.named_parameters())


def test_strong_mark_is_told_from_covers(covers):
    rng = np.random.default_rng(1)

    def marked(pictures):
        noise = 8 * (2 * rng.integers(2, size=pictures.shape) - 1)
        return np.clip(pictures + noise, 0, 255).astype(np.uint8)

    network = train_steganalyser(covers[0], marked(covers[0]), SHORT)
    right, trials = count_right(network, covers[1], marked(covers[1]))
    assert trials == 2 * len(covers[1])
    assert wilson(right, trials)[0] > 0.9


def test_nothing_is_found_where_nothing_is(covers):
    network = train_steganalyser(covers[0][::2], covers[0][1::2], SHORT)
    low, high = wilson(*count_right(network, covers[1][::2], covers[1][1::2]), z=3.0)
    assert low < 0.5 < high
    assert count_right(network, covers[1], covers[1]) == (len(covers[1]), 2 * len(covers[1]))


def test_training_repeats_and_leaves_the_random_state_alone(covers):
    few = [covers[0][::16], covers[0][1::16]]
    short = SteganalysisSettings(epochs=1, batch_pairs=8)
    state = torch.get_rng_state()
    first = score(train_steganalyser(*few, short), covers[1])
    assert torch.equal(torch.get_rng_state(), state)
    assert np.array_equal(score(train_steganalyser(*few, short), covers[1]), first)
    other = score(train_steganalyser(*few, SteganalysisSettings(epochs=1, batch_pairs=8, seed=2)), covers[1])
    assert not np.array_equal(other, first)


@pytest.mark.parametrize(("count", "part"), [(100, slice(85, 100)), (2, slice(1, 2))])
def test_early_stopping_part(count, part):
    assert early_stopping_pairs(count, SteganalysisSettings()) == part
