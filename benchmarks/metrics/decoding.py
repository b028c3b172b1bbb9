"""What became of a message: outcomes of single readings, bit accuracy and capacity."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One reading of a marked image; shares of these over images are the message rates.

    Attributes:
        exact: the mark was found, and every bit is right.
        wrong: the mark was found, and the message is another. Neither is set where the method abstains.
        bit_accuracy: share of right bits, 0 to 1, found or not; ``None`` where no bits were read.
    """

    exact: bool
    wrong: bool
    bit_accuracy: float | None


def outcome(sent: Bits, present: bool, read: Bits | None) -> Outcome:
    """Judge a reading by the method's own decision and its own error correction.

    Args:
        sent: embedded message, 0 or 1, shape (message_bits,).
        present: whether the method says that there is a mark.
        read: message as read, 0 or 1, shape (message_bits,); ``None`` if the method read none.

    Raises:
        ValueError: the messages differ in length.
    """
    if read is None:
        return Outcome(exact=False, wrong=False, bit_accuracy=None)
    accuracy = bit_accuracy(sent, read)
    return Outcome(exact=present and accuracy == 1, wrong=present and accuracy < 1, bit_accuracy=accuracy)


def bit_accuracy(sent: Bits, read: Bits) -> float:
    """Share of right bits, 0 to 1; .5 is chance, and 0 is as much information as 1.

    Args:
        sent: embedded message, 0 or 1, shape (message_bits,).
        read: message as read, same shape.

    Raises:
        ValueError: the messages differ in length, or are empty.
    """
    if sent.shape != read.shape or not sent.size:
        raise ValueError(f"{sent.size} bits were sent and {read.size} read; both must be the same number, at least 1")
    return float(np.mean(sent == read))


def capacity(right: int, bits: int) -> float:
    """Bits that one reading is worth: a binary symmetric channel at its error rate, corrected for few bits.

    n (1 - H(k/n)) is biased upwards: n coin tosses seem worth 1/(2 ln 2) = .72 bits on average, because the entropy of
    observed shares is on average that of the true ones less (m - 1)/(2n) nats, m being the number of different outcomes
    (Miller 1955). So .72 bits are taken off where both right and wrong bits were seen, none where all are alike. Under
    chance the mean is then nil (.01 bits for n = 32), as single values under nil make up for those above: average over
    images before anything is clipped.

    Args:
        right: right bits.
        bits: all bits, at least 1.

    Returns:
        Bits, -.72 to ``bits``. The channel is symmetric: no bit right is worth as much as all.

    Raises:
        ValueError: ``right`` is not between 0 and ``bits``.

    Example:
        >>> capacity(64, 64), round(capacity(56, 64), 2), round(capacity(32, 64), 2)
        (64.0, 28.49, -0.72)
    """
    if not 0 <= right <= bits or not bits:
        raise ValueError(f"{right} of {bits} bits cannot be right; give 0 to {bits} of at least 1")
    share = right / bits
    if share in (0, 1):
        return float(bits)
    entropy = -share * math.log2(share) - (1 - share) * math.log2(1 - share)
    return bits * (1 - entropy) - 1 / (2 * math.log(2))
