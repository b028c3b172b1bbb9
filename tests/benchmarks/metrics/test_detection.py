"""Operating points against exact counting, and AUC against all pairs."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from benchmarks.metrics.detection import OperatingPoint, auc, auc_interval, binomial, calibrated

SCORES = st.lists(st.integers(0, 12), min_size=1, max_size=60)  # few values, so many ties


@given(marked=SCORES, null=SCORES, rate=st.sampled_from([0.01, 0.05, 0.1, 0.25, 0.5]))
def test_threshold_is_the_smallest_null_score_that_keeps_the_rate(
    marked: list[int], null: list[int], rate: float
) -> None:
    point = calibrated(marked, null, rate)
    allowed = [score for score in null if Fraction(sum(other > score for other in null), len(null)) <= Fraction(rate)]
    if len(null) * Fraction(str(rate)) < 1:
        assert (point.threshold, point.tpr, point.null_share) == (None, None, None)
        assert point.needed == round(1 / rate)
    else:
        assert point.threshold == min(allowed)
        assert point.tpr == sum(score > min(allowed) for score in marked) / len(marked)
        assert point.null_share is not None
        assert point.null_share <= rate


@pytest.mark.parametrize("rate", [1e-2, 1e-3])
def test_exactly_enough_null_scores(rate: float) -> None:
    enough = round(1 / rate)
    point = calibrated([enough - 1.5], range(enough), rate)
    assert (point.threshold, point.tpr, point.null_share) == (enough - 2, 1.0, 1 / enough)
    short = calibrated([enough - 1.5], range(enough - 1), rate)
    assert (short.threshold, short.needed) == (None, enough)


def test_a_null_of_one_value_finds_only_what_is_above_it() -> None:
    point = calibrated([0.5, 0.5, 0.6], [0.5] * 200, 0.01)
    assert (point.threshold, point.tpr, point.null_share) == (0.5, 1 / 3, 0.0)


@settings(deadline=None)
@given(bits=st.integers(1, 100), exponent=st.integers(1, 40))
@example(bits=153, exponent=1)  # SciPy's quantile is one off
def test_binomial_threshold_is_exact_even_on_ties(bits: int, exponent: int) -> None:
    """Rates that are powers of two meet the tails of the distribution exactly."""
    point = binomial([bits], [], bits, 2.0**-exponent)
    tails = {k: sum(math.comb(bits, j) for j in range(k + 1, bits + 1)) for k in range(bits)}
    fit = [k for k, ways in tails.items() if ways * 2**exponent <= 2**bits]
    assert point.threshold == (min(fit) if fit else None)
    assert point.needed == exponent


def test_binomial_threshold_of_the_literature() -> None:
    """W-Bench's 30 bits at 22 right have a nominal rate of .0081, 20 right of .049; RivaGAN's 32 at 24 of .0035."""
    for bits, right, rate in ((30, 22, 0.0081), (30, 20, 0.0494), (32, 24, 0.0036)):
        assert binomial([right], [], bits, rate).tpr == 1.0
        assert binomial([right - 1], [], bits, rate).tpr == 0.0


def test_the_two_ways_differ_where_the_decoder_prefers_a_word() -> None:
    """Unmarked images all read as zeros, and the message is nearly that."""
    rng = np.random.default_rng(1)
    null, marked = [28] * 200, rng.integers(28, 31, 300).tolist()
    nominal, measured = binomial(marked, null, 30, 0.01), calibrated(marked, null, 0.01)
    assert (nominal.tpr, nominal.null_share) == (1.0, 1.0)
    assert measured.null_share == 0.0
    assert measured.tpr == pytest.approx(2 / 3, abs=0.1)


@given(marked=SCORES, null=SCORES)
def test_auc_counts_pairs(marked: list[int], null: list[int]) -> None:
    wins = sum((a > b) + (a == b) / 2 for a in marked for b in null)
    assert auc(marked, null) == pytest.approx(wins / (len(marked) * len(null)))


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1])
def test_rates_out_of_range(rate: float) -> None:
    with pytest.raises(ValueError, match="false-positive rate"):
        calibrated([1.0], [1.0], rate)
    with pytest.raises(ValueError, match="false-positive rate"):
        binomial([1], [1], 8, rate)


def test_no_scores() -> None:
    with pytest.raises(ValueError, match="no marked scores"):
        calibrated([], [1.0], 0.1)
    with pytest.raises(ValueError, match="at least 1 of each"):
        auc([1.0], [])


def test_a_millionth_needs_twenty_bits() -> None:
    assert binomial([19], [], 19, 1e-6) == OperatingPoint(1e-6, None, 20, None, None)
    assert binomial([20, 19], [], 20, 1e-6) == OperatingPoint(1e-6, 19, 20, 0.5, None)


def test_auc_interval_is_that_of_resampled_pictures() -> None:
    generator = np.random.default_rng(1)
    pictures = [
        (generator.normal(0.5, 1, part).tolist(), generator.normal(0, 1, 3).tolist()) for part in (1, 2, 4, 2, 3)
    ]
    drawn = np.random.default_rng(0).integers(5, size=(2000, 5))
    both = [[[score for one in draw for score in pictures[one][side]] for side in (0, 1)] for draw in drawn]
    areas = [mannwhitneyu(*scores).statistic / (len(scores[0]) * len(scores[1])) for scores in both]
    assert auc_interval(pictures) == pytest.approx(np.quantile(areas, (0.025, 0.975)))


def test_auc_interval_of_separable_scores_has_no_width() -> None:
    assert auc_interval([([2.0, 3.0], [1.0, 0.0]), ([4.0], [1.5])]) == (1, 1)


def test_auc_interval_holds_chance_where_nothing_is_marked() -> None:
    """Copies of a picture are alike; 80 nulls, so 95 % +- 5 % if it covers what it promises."""
    generator = np.random.default_rng(2)
    held = 0
    for _ in range(80):
        scores = generator.normal(size=(15, 2, 1)) + 0.2 * generator.normal(size=(15, 2, 3))
        low, high = auc_interval([(marked.tolist(), null.tolist()) for marked, null in scores])
        held += low <= 0.5 <= high
    assert 0.88 <= held / 80 <= 0.99


def test_resample_without_marked_scores_is_chance() -> None:
    assert auc_interval([([1.0], [0.0]), ([], [0.0])]) == (0.5, 1)


def test_one_picture_has_no_auc_interval() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        auc_interval([([1.0], [0.0])])
