"""Detection at a stated false-positive rate: thresholds from a measured null and from the binomial one.

A mark is found where the score is *above* the threshold. Two ways to the threshold, for one rate:

- :func:`calibrated`: from scores of images without the mark, ideally attacked like the marked ones. It promises
  nothing about images unlike those.
- :func:`binomial`: from fair, independent coin tosses, one a bit. Right on average over uniformly random messages; for
  one message or key it can be wrong by orders of magnitude, as decoders prefer some words. ``null_share`` shows it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks.metrics.intervals import bootstrap_statistic


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Detection at one nominal false-positive rate.

    Attributes:
        rate: nominal false-positive rate.
        threshold: scores above it are finds; ``None`` if the rate cannot be reached.
        needed: null scores (calibrated) or message bits (binomial) without which no threshold reaches the rate.
        tpr: share of marked scores above the threshold, 0 to 1.
        null_share: share of null scores above the threshold, 0 to 1: the measured false-positive rate.
    """

    rate: float
    threshold: float | None
    needed: int
    tpr: float | None
    null_share: float | None


def calibrated(marked: Sequence[float], null: Sequence[float], rate: float) -> OperatingPoint:
    """Detection with a threshold from measured null scores.

    The threshold is the smallest null score above which lies no more than ``rate`` of them, so ties count as false
    positives, and nothing is interpolated between scores.

    Args:
        marked: scores of marked images, at least 1.
        null: scores of images without the mark; 1 / rate of them are needed.
        rate: false-positive rate, above 0 and below 1.

    Returns:
        The operating point; its ``threshold`` is ``None`` where there are too few null scores.

    Raises:
        ValueError: there are no marked scores, or the rate is out of range.

    Example:
        >>> calibrated([4.0, 9.0], [1.0, 2.0, 3.0, 5.0], 0.25)
        OperatingPoint(rate=0.25, threshold=3.0, needed=4, tpr=1.0, null_share=0.25)
        >>> calibrated([4.0, 9.0], [1.0, 2.0, 3.0, 5.0], 0.01).needed
        100
    """
    _check(marked, rate)
    needed = math.ceil(1 / rate)
    if len(null) < needed:
        return OperatingPoint(rate, None, needed, None, None)
    scores = np.sort(np.asarray(null, dtype=np.float64))
    above = (scores.size - np.searchsorted(scores, scores, side="right")) / scores.size
    return _at(float(scores[above <= rate][0]), marked, null, rate, needed)


def binomial(right: Sequence[int], null: Sequence[int], bits: int, rate: float) -> OperatingPoint:
    """Detection with the threshold of fair coin tosses: the fewest right bits that chance exceeds at most at ``rate``.

    Args:
        right: numbers of right bits of marked images, at least 1.
        null: numbers of right bits of images without the mark, which only ``null_share`` needs; may be empty.
        bits: bits of the message, at least 1.
        rate: false-positive rate, above 0 and below 1.

    Returns:
        The operating point; its ``threshold`` is ``None`` where even all bits right are likelier than ``rate``.

    Raises:
        ValueError: there are no marked images, or the rate is out of range.

    Example:
        >>> binomial([32, 30], [29, 16], bits=32, rate=1e-6)
        OperatingPoint(rate=1e-06, threshold=29.0, needed=20, tpr=1.0, null_share=0.0)
    """
    _check(right, rate)
    needed = math.ceil(-math.log2(rate))
    if bits < needed:
        return OperatingPoint(rate, None, needed, None, None)
    return _at(_coin_threshold(bits, rate), right, null, rate, needed)


def auc(marked: Sequence[float], null: Sequence[float]) -> float:
    """Probability that a marked image scores above one without the mark (Mann and Whitney 1947); ties count half.

    Args:
        marked: scores of marked images, at least 1.
        null: scores of images without the mark, at least 1.

    Returns:
        0 to 1; .5 is chance.

    Raises:
        ValueError: one of the two is empty.

    Example:
        >>> auc([2.0, 3.0], [1.0, 2.0])
        0.875
    """
    if not (len(marked) and len(null)):
        raise ValueError(
            f"{len(marked)} marked and {len(null)} null scores cannot be compared; give at least 1 of each"
        )
    ranks = stats.rankdata(np.concatenate([marked, null]))
    wins = ranks[: len(marked)].sum() - len(marked) * (len(marked) + 1) / 2
    return float(wins / (len(marked) * len(null)))


def auc_interval(pictures: Sequence[tuple[Sequence[float], Sequence[float]]]) -> tuple[float, float]:
    """95 % bootstrap interval of :func:`auc` over pictures, each drawn with all its scores.

    Args:
        pictures: marked and null scores of each picture; at least 2 pictures. One of the two may be empty; a resample
            without marked or without null scores counts as chance, .5.

    Returns:
        Lower and upper bound, 0 to 1.

    Raises:
        ValueError: there are fewer than 2 pictures.

    Example:
        >>> auc_interval([([2.0, 3.0], [1.0]), ([4.0], [0.0, 1.5])])
        (1.0, 1.0)
    """
    pairs = np.array([[len(marked) * len(null) for _, null in pictures] for marked, _ in pictures])
    wins = np.array([[auc(marked, null) if marked and null else 0.0 for _, null in pictures] for marked, _ in pictures])
    wins *= pairs

    def of_drawn(drawn: NDArray[np.intp]) -> NDArray[np.float64]:
        both = drawn[:, :, None], drawn[:, None, :]  # pictures of marked and of null scores
        compared = pairs[both].sum(axis=(1, 2))
        return np.where(compared, wins[both].sum(axis=(1, 2)) / np.maximum(compared, 1), 0.5)

    return bootstrap_statistic(len(pictures), of_drawn)


def _check(marked: Sequence[float], rate: float) -> None:
    if not len(marked):
        raise ValueError("there are no marked scores; give at least 1")
    if not 0 < rate < 1:
        raise ValueError(f"a false-positive rate of {rate} cannot be asked for; give one above 0 and below 1")


def _coin_threshold(bits: int, rate: float) -> float:
    """Smallest number that more heads in ``bits`` tosses exceed at most at ``rate``; in integers, exact on ties."""
    allowed = math.floor(Fraction(rate) * 2**bits)
    threshold, tail = bits, 0
    while (tail := tail + math.comb(bits, threshold)) <= allowed:
        threshold -= 1
    return float(threshold)


def _at(threshold: float, marked: Sequence[float], null: Sequence[float], rate: float, needed: int) -> OperatingPoint:
    tpr, null_share = (
        float(np.mean(np.asarray(scores) > threshold)) if len(scores) else None for scores in (marked, null)
    )
    return OperatingPoint(rate, threshold, needed, tpr, null_share)
