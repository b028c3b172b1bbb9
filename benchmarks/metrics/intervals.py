"""Confidence intervals: of shares, of means, and of any statistic of groups.

All take the observations as independent. Several attacks on one image are not: average over the copies of an image
first, and give one number an image; or make the copies one group.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

_BATCH = 100  # resamples in memory


def wilson(hits: int, trials: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson score interval of a share (Wilson 1927).

    Args:
        hits: successes.
        trials: tries, at least 1.
        z: quantile of the normal distribution; the default gives 95 %.

    Returns:
        Lower and upper bound, 0 to 1.

    Example:
        >>> [round(bound, 3) for bound in wilson(45, 45)]
        [0.921, 1.0]
    """
    share = hits / trials
    middle = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * math.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def clopper_pearson(hits: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact interval of a share (Clopper and Pearson 1934), equal tails: it covers at least ``confidence``, often more.

    Args:
        hits: successes.
        trials: tries, at least 1.
        confidence: share of such intervals that hold the true share, 0 to 1.

    Returns:
        Lower and upper bound, 0 to 1.

    Example:
        >>> [round(bound, 4) for bound in clopper_pearson(0, 1000)]
        [0.0, 0.0037]
    """
    tail = (1 - confidence) / 2
    low = stats.beta.ppf(tail, hits, trials - hits + 1) if hits else 0.0
    high = stats.beta.ppf(1 - tail, hits + 1, trials - hits) if hits < trials else 1.0
    return float(low), float(high)


def bootstrap_mean(
    values: Sequence[float], confidence: float = 0.95, seed: int = 0, resamples: int = 2000
) -> tuple[float, float]:
    """Percentile bootstrap interval of a mean (Efron 1979).

    Of few values (under about 20) it is too narrow; of equal values it has no width.

    Args:
        values: independent observations, at least 2.
        confidence: share of such intervals that hold the true mean, 0 to 1, for many values.
        seed: of the resampling.
        resamples: number of them.

    Returns:
        Lower and upper bound, in the unit of the values.

    Raises:
        ValueError: there are fewer than 2 values.
    """
    observed = np.asarray(values, dtype=np.float64)
    return bootstrap_statistic(len(values), lambda drawn: observed[drawn].mean(axis=-1), confidence, seed, resamples)


def bootstrap_statistic(
    groups: int,
    statistic: Callable[[NDArray[np.intp]], NDArray[np.float64]],
    confidence: float = 0.95,
    seed: int = 0,
    resamples: int = 2000,
) -> tuple[float, float]:
    """Percentile bootstrap interval of any statistic (Efron 1979) of groups that come or go as a whole.

    ``scipy.stats.bootstrap`` gives the same ends, but before SciPy 1.17 no number where values are infinite.

    Args:
        groups: number of independent groups (images, each with its copies), at least 2.
        statistic: takes what was drawn, (R, groups) indices of groups, and gives (R,) values, one a resample; positive
            infinity stands for "never reached"; not NaN.
        confidence: share of such intervals that hold the true value, 0 to 1, for many groups.
        seed: of the resampling.
        resamples: number of them.

    Returns:
        Lower and upper bound, in the unit of the statistic; linear between ordered values, infinite if one of them is.

    Raises:
        ValueError: there are fewer than 2 groups.

    Example:
        >>> heights = np.array([1.0, 2.0, 3.0, 9.0])
        >>> bootstrap_statistic(4, lambda drawn: heights[drawn].max(axis=-1))
        (2.0, 9.0)
    """
    if groups < 2:
        raise ValueError(f"an interval needs at least 2 independent values, not {groups}")
    generator = np.random.default_rng(seed)
    sizes = [min(_BATCH, resamples - start) for start in range(0, resamples, _BATCH)]
    values = np.concatenate([statistic(generator.integers(groups, size=(size, groups))) for size in sizes])
    tail = (1 - confidence) / 2
    with np.errstate(invalid="ignore"):  # infinity less infinity
        ends = np.quantile(values, (tail, 1 - tail))
    low, high = np.where(np.isnan(ends), np.inf, ends)
    return float(low), float(high)
