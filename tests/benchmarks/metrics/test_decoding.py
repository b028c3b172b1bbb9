"""Outcomes by hand; the bias of capacity by summing over every number of right bits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchmarks.metrics.decoding import bit_accuracy, capacity, outcome

SENT = np.array([0, 1, 1, 0], dtype=np.uint8)


@pytest.mark.parametrize(
    ("present", "flipped", "expected"),
    [
        (True, 0, (True, False, 1.0)),
        (True, 1, (False, True, 0.75)),
        (False, 0, (False, False, 1.0)),  # the method abstains, though the bits are right
        (False, 2, (False, False, 0.5)),
    ],
)
def test_outcome(present: bool, flipped: int, expected: tuple[bool, bool, float]) -> None:
    read = SENT.copy()
    read[:flipped] ^= 1
    judged = outcome(SENT, present, read)
    assert (judged.exact, judged.wrong, judged.bit_accuracy) == expected


@pytest.mark.parametrize("present", [True, False])
def test_outcome_without_bits_is_neither_exact_nor_wrong(present: bool) -> None:
    judged = outcome(SENT, present, None)
    assert (judged.exact, judged.wrong, judged.bit_accuracy) == (False, False, None)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1))
def test_bit_accuracy_is_one_less_the_hamming_distance(pairs: list[tuple[int, int]]) -> None:
    sent, read = np.array(pairs, dtype=np.uint8).T
    assert bit_accuracy(sent, read) == pytest.approx(1 - sum(a != b for a, b in pairs) / len(pairs))


@pytest.mark.parametrize("read", [SENT[:3], np.append(SENT, SENT)])
def test_messages_of_different_lengths(read: np.ndarray) -> None:
    with pytest.raises(ValueError, match="4 bits were sent"):
        bit_accuracy(SENT, read)


def mean_capacity(bits: int, accuracy: float) -> float:
    return math.fsum(stats.binom.pmf(k, bits, accuracy) * capacity(k, bits) for k in range(bits + 1))


@pytest.mark.parametrize("bits", [16, 32, 64, 256])
def test_chance_is_worth_nothing_on_average(bits: int) -> None:
    """Without the correction it would be .72 bits."""
    assert mean_capacity(bits, 0.5) == pytest.approx(0, abs=0.06)


@pytest.mark.parametrize("bits", [32, 64, 256])
@pytest.mark.parametrize("accuracy", [0.6, 0.75, 0.9])
def test_mean_is_the_capacity_of_the_channel(bits: int, accuracy: float) -> None:
    true = bits * (1 - stats.entropy([accuracy, 1 - accuracy], base=2))
    assert mean_capacity(bits, accuracy) == pytest.approx(true, abs=0.1)


@given(bits=st.integers(1, 1000), part=st.floats(0, 1))
def test_capacity_is_symmetric_and_at_most_all_bits(bits: int, part: float) -> None:
    right = round(part * bits)
    assert capacity(right, bits) == pytest.approx(capacity(bits - right, bits), abs=1e-9)
    assert -1 / (2 * math.log(2)) - 1e-9 <= capacity(right, bits) <= bits


@pytest.mark.parametrize(("right", "bits"), [(-1, 8), (9, 8), (0, 0)])
def test_impossible_counts(right: int, bits: int) -> None:
    with pytest.raises(ValueError, match="cannot be right"):
        capacity(right, bits)
