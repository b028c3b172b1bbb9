"""The worst key, and how often its interval holds the truth."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.metrics.false_positives import worst_key
from benchmarks.metrics.intervals import clopper_pearson


def test_highest_share_then_highest_bound() -> None:
    worst = worst_key({"mild": (1, 100), "bad": (66, 100), "good": (0, 1000)})
    assert (worst.key, worst.found, worst.trials, worst.share) == ("bad", 66, 100, 0.66)
    assert worst_key({"much tried": (0, 1000), "little tried": (0, 10)}).key == "little tried"


def test_one_key_has_the_plain_interval_and_many_a_wider_one() -> None:
    alone = worst_key({"a": (3, 200)})
    assert (alone.low, alone.high) == clopper_pearson(3, 200)
    among = worst_key({"a": (3, 200), "b": (0, 200), "c": (1, 200)})
    assert among.low < alone.low < alone.high < among.high


def test_the_worst_of_fifty_equal_keys_covers_their_rate() -> None:
    """The plain interval of the selected key misses it in a third of the draws."""
    rng = np.random.default_rng(0)
    rate, trials, draws = 0.05, 200, 60
    held = plain = 0
    for _ in range(draws):
        counts = {str(key): (int(found), trials) for key, found in enumerate(rng.binomial(trials, rate, 50))}
        worst = worst_key(counts)
        held += worst.low <= rate <= worst.high
        low, high = clopper_pearson(worst.found, trials)
        plain += low <= rate <= high
    assert held >= 0.95 * draws > plain


def test_no_keys() -> None:
    with pytest.raises(ValueError, match="no key"):
        worst_key({})
