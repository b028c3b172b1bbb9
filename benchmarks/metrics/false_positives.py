"""False positives key by key: the mean over keys hides the key under which half of the world seems marked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.metrics.intervals import clopper_pearson


@dataclass(frozen=True, slots=True)
class WorstKey:
    """The key with the highest measured false-positive rate.

    Attributes:
        key: its name.
        found: images without its mark in which it was found.
        trials: images tried.
        share: found / trials.
        low: lower end of the interval of its true rate.
        high: upper end.
    """

    key: str
    found: int
    trials: int
    share: float
    low: float
    high: float


def worst_key(counts: Mapping[str, tuple[int, int]], confidence: float = 0.95) -> WorstKey:
    """False-positive rate of the worst of several keys, with its Clopper-Pearson interval.

    The worst of many keys looks bad by chance as well, so the interval is Bonferroni's: each key's covers at least
    1 - (1 - confidence) / keys, and thus all of them together at least ``confidence``.

    Args:
        counts: (found, trials) of each key, trials at least 1.
        confidence: of all intervals together, 0 to 1.

    Returns:
        The key with the highest share; among equals, the one with the highest upper bound.

    Raises:
        ValueError: there are no keys.

    Example:
        >>> worst_key({"a": (0, 100), "b": (3, 100)}).key
        'b'
    """
    if not counts:
        raise ValueError("there is no key to judge; give at least one")
    each = 1 - (1 - confidence) / len(counts)
    keys = [
        WorstKey(key, found, trials, found / trials, *clopper_pearson(found, trials, each))
        for key, (found, trials) in counts.items()
    ]
    return max(keys, key=lambda judged: (judged.share, judged.high))
