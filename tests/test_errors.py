"""The tree of errors and its exit codes."""

from __future__ import annotations

import inspect
import re

import pytest

from watermark import errors

CLASSES = {name: item for name, item in vars(errors).items() if inspect.isclass(item) and issubclass(item, Exception)}
PARENTS = {
    "WatermarkError": "Exception",
    "UsageError": "WatermarkError",
    "PayloadError": "UsageError",
    "KeyFileError": "UsageError",
    "SettingsError": "UsageError",
    "OutputExists": "UsageError",
    "ImageError": "WatermarkError",
    "UnreadableImage": "ImageError",
    "UnsupportedImage": "ImageError",
    "ImageTooSmall": "ImageError",
    "CredentialPresent": "ImageError",
    "WeightsError": "WatermarkError",
    "NotReadBack": "WatermarkError",
}


def test_the_tree_is_as_documented():
    assert {name: item.__base__.__name__ for name, item in CLASSES.items()} == PARENTS


def test_exit_codes_are_as_documented():
    documented = dict(re.findall(r"(\w+) {3,}([123]) {3}", errors.__doc__))
    assert documented.keys() == CLASSES.keys()
    assert {name: str(item.exit_code) for name, item in CLASSES.items()} == documented


@pytest.mark.parametrize("name", CLASSES)
def test_usage_is_2_and_pictures_and_weights_are_3(name):
    error = CLASSES[name]
    expected = 2 if issubclass(error, errors.UsageError) else 1 if name == "WatermarkError" else 3
    assert error.exit_code == expected


def test_a_picture_that_is_too_small_says_what_came_and_what_to_do():
    error = errors.ImageTooSmall(100, 90, 128)
    assert (error.height, error.width, error.minimum) == (100, 90, 128)
    assert re.search("at least 128 px.*90 x 100; use a larger", str(error))
