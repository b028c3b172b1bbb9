"""How much damage an attacker must accept: Q@P on a fixed scale.

The scale is that of WAVES (An et al. 2024) for PSNR: 41.97 dB is .1 and 12.15 dB is .9, linear in dB, here cut off at 0
(45.7 dB and better) and 1 (8.4 dB and worse). Its anchors are constants, so no number changes when an attack or a
method is added. A pixel that the attacked picture no longer shows counts as destroyed, 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from scipy.optimize import isotonic_regression

_MILD = (41.9733, 0.1)  # PSNR in dB and damage: the 10th percentile of WAVES' attacked images
_HEAVY = (12.1465, 0.9)  # and the 90th


def damage(psnr: float, shown: float = 1.0) -> float:
    """Damage of an attack on the fixed scale, 0 (none) to 1 (destroyed).

    Args:
        psnr: of attacked against marked, registered, in dB; may be infinite.
        shown: share of the marked pixels that the attacked picture still shows, 0 to 1.

    Example:
        >>> round(damage(41.9733), 3), damage(float("inf")), damage(float("inf"), shown=0.25)
        (0.1, 0.0, 0.75)
    """
    slope = (_HEAVY[1] - _MILD[1]) / (_HEAVY[0] - _MILD[0])
    of_shown = min(max(_MILD[1] + slope * (psnr - _MILD[0]), 0.0), 1.0)
    return shown * of_shown + (1 - shown)


def damage_at(points: Sequence[tuple[float, float]], share: float) -> float | None:
    """Q@P: the least damage at which the share of images that are still read falls to ``share``.

    Through the points goes the closest curve that never rises (isotonic regression), linear between them.

    Args:
        points: (damage, share read) at each strength of one family of attacks, at least 1, in any order; with the
            unattacked images as (0, share read), unless the attack's mildest strength is meant to be the start.
        share: P, 0 to 1; WAVES takes .95 and .7.

    Returns:
        Damage, 0 to 1; ``None`` if no strength tried brings the share that low. If even the mildest does, its damage:
        the true one is no higher.

    Raises:
        ValueError: there are no points.

    Example:
        >>> damage_at([(0.0, 1.0), (0.25, 0.75), (0.5, 0.25)], 0.5)
        0.375
    """
    if not points:
        raise ValueError("there are no points to interpolate; give at least one")
    damages, shares = zip(*sorted(points), strict=True)
    fitted = _never_rising(shares)
    last = next((index for index, height in enumerate(fitted) if height <= share), None)
    if last is None:
        return None
    if last == 0:
        return float(damages[0])
    before, after = fitted[last - 1], fitted[last]
    part = (before - share) / (before - after)
    return float(damages[last - 1] + part * (damages[last] - damages[last - 1]))


@lru_cache(maxsize=2**14)  # resamples of few pictures share few curves
def _never_rising(shares: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(isotonic_regression(shares, increasing=False).x.tolist())
