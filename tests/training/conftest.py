"""A folder of small photographs and settings small enough for a test."""

from __future__ import annotations

import pytest
from PIL import Image
from skimage import data

from watermark.training.settings import TrainingSettings


@pytest.fixture(scope="session")
def photographs():
    """Luma of a few photographs, uint8."""
    pictures = (data.astronaut(), data.coffee(), data.chelsea(), data.rocket())
    return [Image.fromarray(picture).convert("L").reduce(2) for picture in pictures]


@pytest.fixture(scope="session")
def folder(tmp_path_factory, photographs):
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "deeper").mkdir()
    for number, picture in enumerate(photographs):
        picture.save(folder / ("deeper" if number == 3 else "") / f"photo-{number}.png")
    (folder / "notes.txt").write_text("no picture")
    return folder


@pytest.fixture
def tiny():
    """Function that makes settings of a run that takes seconds, with some replaced."""

    def tiny(**changes):
        values = {
            "steps": 6,
            "batch": 2,
            "crop": 64,
            "decoder_channels": 8,
            "decoder_blocks": 1,
            "generator_channels": 8,
            "bf16": False,
            "strength_start": 30.0,
            "log_every": 1,
            "validate_every": 1000,
            "checkpoint_every": 1000,
            "adversarial_start": 1.0,
        }
        return TrainingSettings(**{**values, **changes})

    return tiny
