"""Confidence intervals of shares."""

from __future__ import annotations

import math


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
