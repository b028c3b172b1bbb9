"""Paired tests against counts and permutations made by hand."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from benchmarks.metrics.paired import mcnemar, paired_difference


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60))
def test_mcnemar_is_a_fair_coin_over_the_pairs_that_differ(pairs: list[tuple[bool, bool]]) -> None:
    result = mcnemar([a for a, _ in pairs], [b for _, b in pairs])
    assert result.only_first == pairs.count((True, False))
    assert result.only_second == pairs.count((False, True))
    differing = result.only_first + result.only_second
    fewer = min(result.only_first, result.only_second)
    one_tail = sum(math.comb(differing, k) for k in range(fewer + 1)) / 2**differing
    assert result.p == pytest.approx(min(1.0, 2 * one_tail))


def test_mcnemar_of_different_numbers() -> None:
    with pytest.raises(ValueError, match="zip"):
        mcnemar([True], [True, False])


def test_wilcoxon_is_the_share_of_sign_patterns_at_least_as_extreme() -> None:
    first, second = [0.9, 0.8, 0.95, 0.7, 0.99, 0.6, 0.85, 0.77], [0.81, 0.78, 0.9, 0.71, 0.6, 0.48, 0.78, 0.5]
    differences = [a - b for a, b in zip(first, second, strict=True)]
    ranks = rankdata([abs(difference) for difference in differences])

    def extremity(signs: tuple[int, ...]) -> float:
        return abs(sum(sign * rank for sign, rank in zip(signs, ranks, strict=True)))

    observed = extremity(tuple(1 if difference > 0 else -1 for difference in differences))
    patterns = list(itertools.product((-1, 1), repeat=len(ranks)))
    p = sum(extremity(signs) >= observed for signs in patterns) / len(patterns)
    result = paired_difference(first, second)
    assert result.p == pytest.approx(p)
    assert result.mean == pytest.approx(sum(differences) / len(differences))
    assert result.low < result.mean < result.high


def test_methods_that_never_differ() -> None:
    result = paired_difference([0.5, 1.0, 0.75], [0.5, 1.0, 0.75])
    assert (result.mean, result.low, result.high, result.p) == (0, 0, 0, 1)


def test_scores_of_different_numbers() -> None:
    with pytest.raises(ValueError, match="zip"):
        paired_difference([1.0], [1.0, 0.0])
