"""The damage scale at WAVES' anchors, and Q@P on curves drawn by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.metrics.damage import damage, damage_at

SHARE = st.floats(0, 1)


@pytest.mark.parametrize(("psnr", "expected"), [(41.9733, 0.1), (12.1465, 0.9), (math.inf, 0), (60, 0), (5, 1)])
def test_anchors(psnr: float, expected: float) -> None:
    assert damage(psnr) == pytest.approx(expected)


@given(psnr=st.floats(0, 60), shown=SHARE)
def test_what_is_lost_counts_in_full(psnr: float, shown: float) -> None:
    assert damage(psnr, shown) == pytest.approx(1 - shown * (1 - damage(psnr)))


@pytest.mark.parametrize(
    ("points", "share", "expected"),
    [
        ([(0.0, 1.0), (0.5, 0.5), (1.0, 0.0)], 0.95, 0.05),
        ([(0.0, 1.0), (0.5, 0.5), (1.0, 0.0)], 0.5, 0.5),
        ([(1.0, 0.0), (0.0, 1.0), (0.5, 0.5)], 0.25, 0.75),  # in any order
        ([(0.0, 1.0), (0.3, 0.96)], 0.95, None),
        ([(0.2, 0.6), (0.4, 0.1)], 0.7, 0.2),  # the mildest does it already
        ([(0.0, 1.0), (0.2, 0.6), (0.4, 0.8), (0.6, 0.0)], 0.7, 0.2),  # one dip and a rise: both count as .7
        ([(0.3, 1.0), (0.3, 0.0)], 0.5, 0.3),
    ],
)
def test_by_hand(points: list[tuple[float, float]], share: float, expected: float | None) -> None:
    result = damage_at(points, share)
    assert result == (None if expected is None else pytest.approx(expected))


@given(points=st.lists(st.tuples(SHARE, SHARE), min_size=1, max_size=8), low=SHARE, high=SHARE)
def test_reading_less_takes_more_damage(points: list[tuple[float, float]], low: float, high: float) -> None:
    less, more = (damage_at(points, share) for share in sorted((low, high)))
    if more is None:
        assert less is None
    else:
        assert min(d for d, _ in points) <= more <= max(d for d, _ in points) + 1e-12
        assert less is None or less >= more - 1e-12


def test_no_points() -> None:
    with pytest.raises(ValueError, match="at least one"):
        damage_at([], 0.5)
