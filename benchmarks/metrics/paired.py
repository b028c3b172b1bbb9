"""Tests between two methods that met the same images and attacks, pair by pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from benchmarks.metrics.intervals import bootstrap_mean


@dataclass(frozen=True, slots=True)
class Mcnemar:
    """Yes or no, two methods.

    Attributes:
        only_first: pairs in which the first alone succeeded.
        only_second: pairs in which the second alone succeeded.
        p: two-sided; 1 where the two never differ.
    """

    only_first: int
    only_second: int
    p: float


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> Mcnemar:
    """Exact McNemar test (McNemar 1947): of the pairs that differ, is half each way?

    Args:
        first: outcomes of one method.
        second: outcomes of the other, in the same order.

    Returns:
        Counts and the two-sided p-value of the binomial distribution.

    Raises:
        ValueError: the outcomes differ in number.

    Example:
        >>> mcnemar([True] * 6, [False] * 6)
        Mcnemar(only_first=6, only_second=0, p=0.03125)
    """
    pairs = list(zip(first, second, strict=True))
    only_first = sum(a and not b for a, b in pairs)
    only_second = sum(b and not a for a, b in pairs)
    differing = only_first + only_second
    p = float(stats.binomtest(only_first, differing).pvalue) if differing else 1.0
    return Mcnemar(only_first, only_second, p)


@dataclass(frozen=True, slots=True)
class Difference:
    """Scores of two methods, first less second.

    Attributes:
        mean: of the differences, in the unit of the scores.
        low: lower end of its 95 % bootstrap interval.
        high: upper end.
        p: two-sided, of the Wilcoxon signed-rank test; 1 where the two never differ.
    """

    mean: float
    low: float
    high: float
    p: float


def paired_difference(first: Sequence[float], second: Sequence[float], seed: int = 0) -> Difference:
    """How much higher the first method scores, and whether that may be chance.

    The p-value is that of the Wilcoxon (1945) signed-rank test, which drops pairs without a difference and asks whether
    the differences are symmetric about 0; the interval is :func:`~benchmarks.metrics.intervals.bootstrap_mean`.

    Args:
        first: scores of one method.
        second: scores of the other, in the same order.
        seed: of the bootstrap.

    Raises:
        ValueError: the scores differ in number, or there are fewer than 2.
    """
    differences = np.array([a - b for a, b in zip(first, second, strict=True)])
    low, high = bootstrap_mean(differences.tolist(), seed=seed)
    p = float(stats.wilcoxon(differences).pvalue) if differences.any() else 1.0
    return Difference(float(differences.mean()), low, high, p)
