"""Presence for methods that read bits from every picture and never say "nothing here".

Most published methods do so. Their users know the message that they wrote and ask how much of it comes back: the
reader is informed, not blind, and a table must say so. The rule here, the same for all of them:

- ``score`` is the share of right bits against the claimed message;
- ``p`` is the one-sided binomial probability of as many right bits by fair, independent coin tosses;
- ``present`` is p <= 1e-6, the level of :meth:`watermark.Detector.check`.

That p is right on average over uniformly random secret messages, and for one message it can be wrong by two orders of
magnitude, as decoders prefer some words. So the benchmark draws a message for each image, and states the measured rate
beside the nominal one (:mod:`benchmarks.metrics.detection`).

Without a claim nothing can be said: not present, score 0, no p; the bits are given all the same.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import binom

from benchmarks.methods.base import Bits, Reading

CLAIM_LEVEL = 1e-6


def compared(bits: Bits, claimed: Bits | None) -> Reading:
    """The reading of a method that is not blind.

    Args:
        bits: as read, 0 or 1, shape (n,).
        claimed: as registered, same shape, or ``None``.

    Example:
        >>> ones = np.ones(32, dtype=np.uint8)
        >>> reading = compared(np.append(ones[2:], [0, 0]).astype(np.uint8), ones)
        >>> reading.present, reading.score, f"{reading.p:.1e}"
        (True, 0.9375, '1.2e-07')
    """
    if claimed is None:
        return Reading(present=False, score=0.0, bits=bits, p=None)
    right = int(np.count_nonzero(bits == claimed))
    p = float(binom.sf(right - 1, bits.size, 0.5))
    return Reading(present=p <= CLAIM_LEVEL, score=right / bits.size, bits=bits, p=p)
