"""Pictures, marked and unmarked, for the tests of writing and reading."""

from __future__ import annotations

import pytest
from marked_samples import PAYLOAD, PICTURES

from watermark import Detector, Embedder


@pytest.fixture(scope="session")
def pictures():
    return {name: make() for name, make in PICTURES.items()}


@pytest.fixture(scope="session")
def marked(pictures):
    """Marked loudly enough that every attack below leaves a wide margin."""
    embedder = Embedder(strength=40)
    return {name: embedder.embed(picture, PAYLOAD).pixels for name, picture in pictures.items()}


@pytest.fixture(scope="session")
def detector():
    return Detector()
