"""Limits of parameters: what is out of them is refused when an attack is made."""

from __future__ import annotations

import dataclasses
import math
import operator
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attacks import ATTACKS, Attack, Crop, Flip, Jpeg, Perspective, PoissonNoise, Resize, Shear
from attacks.limits import FINITE, Limits, stated_limits
from attacks.plain import parameters

NUMBERS = [
    (name, parameter)
    for name in ATTACKS
    for parameter, kind in parameters(ATTACKS[name]).items()
    if kind in (int, float)
]
ANY_FINITE = {"degrees", "turns", "shear", "shift_x", "shift_y"}
LARGEST = 1.7976931348623157e308


def limits_of(name: str, parameter: str) -> Limits:
    return stated_limits(ATTACKS[name]).get(parameter, FINITE)


def outside(limits: Limits) -> list[float]:
    """Numbers that the limits rule out."""
    numbers = [math.nan, -math.inf]
    if limits.low > -LARGEST:
        numbers += [limits.low - 1, limits.low - 1e-6] + [limits.low] * limits.above
    if limits.high < LARGEST:
        numbers += [limits.high + 1, *[limits.high] * limits.below]
    return numbers + [math.inf] * (limits.high < math.inf) + [4] * limits.odd


@pytest.mark.parametrize(("name", "parameter"), NUMBERS)
def test_what_is_out_of_range_is_refused(name: str, parameter: str) -> None:
    for number in outside(limits_of(name, parameter)):
        with pytest.raises(ValueError, match=rf"^{parameter} must be .*, but is {number}$"):
            ATTACKS[name](**{parameter: number})


@pytest.mark.parametrize(("name", "parameter"), NUMBERS)
def test_the_ends_of_a_range_are_accepted(name: str, parameter: str) -> None:
    limits = limits_of(name, parameter)
    for number, is_out in ((limits.low, limits.above), (limits.high, limits.below)):
        if not is_out and abs(number) < LARGEST:
            assert getattr(ATTACKS[name](**{parameter: number}), parameter) == number


def test_only_angles_slopes_and_moves_are_unlimited() -> None:
    assert {parameter for name, parameter in NUMBERS if limits_of(name, parameter) == FINITE} == ANY_FINITE


@pytest.mark.parametrize("level", [0.0, 1.0])
@pytest.mark.parametrize("name", ATTACKS)
def test_samples_are_in_range(name: str, level: float) -> None:
    generator = torch.Generator().manual_seed(0)
    for _ in range(50):
        drawn = ATTACKS[name].sample(generator, level)
        assert all(getattr(drawn, parameter) in limits for parameter, limits in _of_numbers(drawn))


def _of_numbers(attack: Attack) -> list[tuple[str, Limits]]:
    name = attack.facts.name
    return [(parameter, limits_of(name, parameter)) for other, parameter in NUMBERS if other == name]


# Pillow, libwebp, libavif and OpenCV say so of their own parameters; the rest is geometry.
RANGES = {
    ("real_jpeg", "quality"): "1 to 100",
    ("webp", "quality"): "0 to 100",
    ("avif", "quality"): "0 to 100",
    ("palette_png", "colours"): "2 to 256",
    ("posterise", "bits"): "1 to 8",
    ("median_blur", "kernel"): "1 or more and odd",
    ("crop", "side"): "above 0 to 1",
    ("border", "share"): "0 to 0.5",
    ("screenshot", "crop"): "0 to below 1",
    ("shear", "x_degrees"): "above -90 to below 90",
    ("resize", "factor"): "above 0",
    ("gaussian_noise", "sigma"): "0 or more",
    ("poisson_noise", "photons"): "above 0 to inf",
    ("rotate", "degrees"): "finite",
}


@pytest.mark.parametrize(("name", "parameter"), RANGES)
def test_ranges_in_words(name: str, parameter: str) -> None:
    assert str(limits_of(name, parameter)) == RANGES[name, parameter]


def test_messages_say_which_what_and_how_much() -> None:
    with pytest.raises(ValueError, match=r"^quality must be 1 to 100, but is 500$"):
        Jpeg(500)
    with pytest.raises(ValueError, match=r"^side must be above 0 to 1, but is 0$"):
        dataclasses.replace(Crop(), side=0)
    with pytest.raises(ValueError, match=r"^axis must be one of horizontal, vertical, but is 'diagonal'$"):
        Flip("diagonal")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^kernel must be one of nearest, .*, but is 'cubic'$"):
        Resize(kernel="cubic")  # type: ignore[arg-type]


def test_every_number_of_a_tuple_is_checked() -> None:
    steps = (16,) * 63
    assert Jpeg(tables=((*steps, 255), (*steps, 1))).tables is not None
    for wrong, message in ((0, "1 to 255, but is 0"), (256, "1 to 255, but is 256")):
        with pytest.raises(ValueError, match=f"^tables must be {message}$"):
            Jpeg(tables=((*steps, 1), (*steps, wrong)))
    with pytest.raises(ValueError, match=r"^tables must have 64 steps each, but one has 63$"):
        Jpeg(tables=((*steps, 1), steps))
    with pytest.raises(ValueError, match=r"^bottom_left must be finite, but is nan$"):
        Perspective(bottom_left=(0.0, math.nan))


@pytest.mark.parametrize("angles", [(45.0, 45.0), (-60.0, -30.0), (89.0, 2.0)])
def test_shears_that_fold_the_picture_are_refused(angles: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match=r"^x_degrees \+ y_degrees must be above -90 to below 90, but is"):
        Shear(*angles)
    assert Shear(angles[0], -angles[1]).matrix(80, 100).det() > 0


def test_infinity_is_in_where_it_is_stated() -> None:
    assert PoissonNoise(math.inf).photons == math.inf
    assert math.inf not in FINITE
    assert LARGEST in FINITE
    assert -LARGEST in FINITE


ENDS: dict[str, dict[str, Any]] = {
    "0 to 3": {"low": operator.ge, "high": operator.le},
    "above 0 to 3": {"low": operator.gt, "high": operator.le},
    "0 to below 3": {"low": operator.ge, "high": operator.lt},
    "above 0 to below 3": {"low": operator.gt, "high": operator.lt},
}


@given(st.floats() | st.integers(), st.sampled_from(list(ENDS)))
def test_what_is_in_is_what_the_words_say(number: float, words: str) -> None:
    limits = Limits(0, 3, above="above" in words, below="below" in words)
    assert str(limits) == words
    assert (number in limits) == (ENDS[words]["low"](number, 0) and ENDS[words]["high"](number, 3))
