"""Intervals against their definitions, and against published figures."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import brentq

from benchmarks.metrics.intervals import bootstrap_mean, bootstrap_statistic, clopper_pearson, wilson


@given(trials=st.integers(1, 5000), part=st.floats(0, 1), z=st.sampled_from([1.0, 1.959964, 3.29]))
def test_bounds_solve_the_score_equation(trials: int, part: float, z: float) -> None:
    hits = round(part * trials)

    def score(share: float) -> float:
        return (hits / trials - share) ** 2 - z**2 * share * (1 - share) / trials

    share = min(max(hits / trials, 1e-12), 1 - 1e-12)  # 0 and 1 are roots themselves
    low = brentq(score, 0, share, xtol=1e-13) if hits else 0.0
    high = brentq(score, share, 1, xtol=1e-13) if hits < trials else 1.0
    assert wilson(hits, trials, z) == pytest.approx((low, high), abs=1e-9)


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_newcombe_1998_table_1(hits: int, trials: int, low: float, high: float) -> None:
    assert wilson(hits, trials) == pytest.approx((low, high), abs=5e-5)


@given(trials=st.integers(1, 10**9), part=st.floats(0, 1))
def test_bounds_hold_the_share_and_mirror(trials: int, part: float) -> None:
    hits = round(part * trials)
    low, high = wilson(hits, trials)
    assert 0 <= low <= hits / trials + 1e-12
    assert hits / trials - 1e-12 <= high <= 1
    mirrored = wilson(trials - hits, trials)
    assert math.isclose(low, 1 - mirrored[1], abs_tol=1e-9)


@given(trials=st.integers(1, 60), part=st.floats(0, 1), confidence=st.sampled_from([0.9, 0.95, 0.999]))
def test_clopper_pearson_bounds_leave_half_the_rest_in_each_tail(trials: int, part: float, confidence: float) -> None:
    hits = round(part * trials)

    def tail(share: float, counts: range) -> float:
        return math.fsum(math.comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in counts)

    low, high = clopper_pearson(hits, trials, confidence)
    half = (1 - confidence) / 2
    assert tail(low, range(hits, trials + 1)) == pytest.approx(half, rel=1e-6) if hits else low == 0
    assert tail(high, range(hits + 1)) == pytest.approx(half, rel=1e-6) if hits < trials else high == 1


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [(81, 263, 0.2527, 0.3676), (15, 148, 0.0578, 0.1617), (0, 20, 0.0, 0.1684), (1, 29, 0.0009, 0.1776)],
)
def test_clopper_pearson_newcombe_1998_table_1(hits: int, trials: int, low: float, high: float) -> None:
    assert clopper_pearson(hits, trials) == pytest.approx((low, high), abs=5e-5)


def test_bootstrap_agrees_with_the_normal_interval_for_many_values() -> None:
    values = np.random.default_rng(3).normal(5.0, 2.0, 400)
    half = stats.norm.ppf(0.975) * values.std() / math.sqrt(values.size)
    low, high = bootstrap_mean(values.tolist())
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.1 * half)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-100, 100), min_size=2, max_size=20), st.integers(0, 100))
def test_bootstrap_stays_among_the_values_and_repeats(values: list[float], seed: int) -> None:
    low, high = bootstrap_mean(values, seed=seed, resamples=50)
    assert min(values) - 1e-9 <= low <= high <= max(values) + 1e-9
    assert (low, high) == bootstrap_mean(values, seed=seed, resamples=50)


def test_bootstrap_widens_with_confidence_and_draws_by_seed() -> None:
    values = [0.0, 0.5, 0.75, 1.0, 1.0, 0.9]
    narrow, wide = bootstrap_mean(values, 0.5), bootstrap_mean(values, 0.99)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
    assert bootstrap_mean(values, resamples=30, seed=1) != bootstrap_mean(values, resamples=30, seed=2)


@pytest.mark.parametrize("values", [[], [1.0]])
def test_too_few_values_have_no_interval(values: list[float]) -> None:
    with pytest.raises(ValueError, match="at least 2"):
        bootstrap_mean(values)


def test_statistic_agrees_with_scipy() -> None:
    above, below = np.random.default_rng(4).uniform(1, 2, (2, 17))

    def ratio(first, second, axis=-1):
        return first.mean(axis=axis) / second.mean(axis=axis)

    expected = stats.bootstrap(
        (above, below),
        ratio,
        paired=True,
        n_resamples=500,
        batch=100,
        method="percentile",
        rng=np.random.default_rng(9),
    ).confidence_interval
    found = bootstrap_statistic(17, lambda drawn: ratio(above[drawn], below[drawn]), seed=9, resamples=500)
    assert found == pytest.approx(tuple(expected))


def test_interval_halves_with_four_times_the_groups() -> None:
    values = np.random.default_rng(5).normal(size=1600)

    def width(groups: int) -> float:
        low, high = bootstrap_statistic(groups, lambda drawn: values[drawn].mean(axis=-1))
        return high - low

    assert width(1600) / width(400) == pytest.approx(0.5, abs=0.07)


def test_groups_come_and_go_as_a_whole() -> None:
    copies = np.repeat(np.random.default_rng(6).normal(size=(12, 1)), 25, axis=1)
    grouped = bootstrap_statistic(12, lambda drawn: copies[drawn].mean(axis=(1, 2)))
    assert grouped == pytest.approx(bootstrap_mean(copies[:, 0].tolist()))


@pytest.mark.parametrize(("reached", "expected"), [(0, (math.inf, math.inf)), (1, (1, math.inf)), (6, (1, 1))])
def test_what_is_not_reached_is_infinite(reached: int, expected: tuple[float, float]) -> None:
    """Of 6 groups all, some or none reach 1; a resample does where it holds one that does."""
    found = bootstrap_statistic(6, lambda drawn: np.where((drawn < reached).any(axis=-1), 1.0, np.inf))
    assert found == expected


@pytest.mark.parametrize("groups", [0, 1])
def test_too_few_groups_have_no_interval(groups: int) -> None:
    with pytest.raises(ValueError, match="at least 2"):
        bootstrap_statistic(groups, lambda drawn: drawn.mean(axis=-1))
