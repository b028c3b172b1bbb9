"""Sizes that make no sense are refused at once, whatever the attack; those that just fit are not."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from attacks import (
    Aspect,
    Attack,
    BilateralDenoise,
    BoxBlur,
    Collage,
    DefocusBlur,
    Elastic,
    GaussianBlur,
    MedianBlur,
    MemeFrame,
    Messenger,
    MotionBlur,
    Pad,
    Resize,
    Screenshot,
    ShortSide,
)
from attacks.sizes import MOST_PIXELS, check_size, check_window


@pytest.fixture
def small() -> Tensor:
    return torch.rand(1, 3, 20, 24, generator=torch.Generator().manual_seed(1))


LARGE = [
    Resize(1e4),
    Resize(1e300),
    Resize(aspect=1e8),
    Resize(1e4, kernel="lanczos"),
    Aspect(1e9),
    Collage(1e-5),
    ShortSide(10**6),
    Screenshot(scale=1e5),
    Pad(left=1e7),
    Pad(bottom=1e300),
    MemeFrame(1e6),
    Elastic(1.0, sigma=1e5),
]
WINDOWS = [
    BoxBlur(41),
    MotionBlur(10**6 + 1),
    GaussianBlur(1e300),
    DefocusBlur(1e9),
    BilateralDenoise(sigma_space=1e6),
]


@pytest.mark.parametrize("attack", LARGE, ids=str)
def test_results_too_large_are_refused(attack: Attack, small: Tensor) -> None:
    with pytest.raises(
        ValueError, match=rf"^\S+ x \S+ pixels would be made, but at most {MOST_PIXELS} may; make it smaller$"
    ):
        attack.apply(small)


@pytest.mark.parametrize("attack", WINDOWS, ids=str)
def test_windows_too_large_are_refused(attack: Attack, small: Tensor) -> None:
    with pytest.raises(
        ValueError,
        match=r"^a window of \S+ pixels would be needed, but at most 39 fit this picture; take a smaller one$",
    ):
        attack.apply(small)


@pytest.mark.parametrize("kernel", [21, 10**6 + 1])
def test_medians_of_more_than_the_picture_are_refused(kernel: int, small: Tensor) -> None:
    for image in (small, small.clone().requires_grad_()):
        with pytest.raises(ValueError, match=rf"window of {kernel:.9g} pixels .*at most 20 fit this picture"):
            MedianBlur(kernel).apply(image)


@pytest.mark.parametrize("attack", [BoxBlur(39), MedianBlur(19), MotionBlur(39), GaussianBlur(6.3), DefocusBlur(19)])
def test_the_largest_windows_that_fit_are_accepted(attack: Attack, small: Tensor) -> None:
    blurred = attack.apply(small)
    assert blurred.shape == small.shape
    assert blurred.std() < small.std()


def test_the_ends() -> None:
    check_size(2**14, 2**14)
    with pytest.raises(ValueError, match="16384 x 16385 pixels"):
        check_size(2**14 + 1, 2**14)
    image = torch.zeros(1, 1, 30, 20)
    check_window(39, image)
    with pytest.raises(ValueError, match="41 pixels"):
        check_window(41, image)


def test_a_picture_is_sent_so_often_and_no_more() -> None:
    with pytest.raises(ValueError, match=r"^times must be 1 to 100, but is 101$"):
        Messenger(times=101)
