"""Wilson's interval against its definition, and against published figures."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from benchmarks.intervals import wilson


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
