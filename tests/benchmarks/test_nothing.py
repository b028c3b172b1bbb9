"""Decoding where nothing is: the same readings as the detector's, marks are found, and everything is counted."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from PIL import Image
from skimage import data

import watermark as wm
from benchmarks import nothing
from benchmarks.envelope import name_seed
from benchmarks.nothing import attempt, soft_bits, states
from watermark.carriers import Carriers
from watermark.detect import estimate_residual
from watermark.nets.model import load_model
from watermark.payload.frame import decode_frames
from watermark.registration.geometry import DIHEDRAL
from watermark.working import reduced_luma

NAME = "a.png"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    path = tmp_path_factory.mktemp("nothing") / NAME
    Image.fromarray(data.astronaut()[:256, :320]).save(path)
    return states(path)


def heard(pixels, key):
    return soft_bits(estimate_residual(load_model(), reduced_luma(pixels)), Carriers.from_key(key))


def test_every_state_is_another_picture(pictures):
    assert len({pixels.tobytes() for pixels in pictures.values()}) == len(pictures) == 7
    assert pictures["unmarked, crop .71"].shape == (182, 227, 3)


@pytest.mark.parametrize("state", ["unmarked, rotation 5", "marked, wrong key"])
def test_soft_bits_are_those_of_the_detectors_first_readings(pictures, state):
    key = wm.Key(bytes(range(32)))
    readings = islice(wm.Detector(key).readings(pictures[state]), len(DIHEDRAL))
    np.testing.assert_array_equal(heard(pictures[state], key), [reading.soft for reading in readings])


@pytest.mark.parametrize("state", ["marked, wrong key", "the same after JPEG 50"])
def test_the_right_key_finds_its_mark(pictures, state):
    key, payload = wm.Key(name_seed(NAME, "key")), name_seed(NAME, "payload")[:8]
    turned = np.rot90(pictures[state]).copy()
    assert wm.Detector(key).detect(turned, search="fast").payload.data == payload
    found = [frame.payload.data for frame, _ in decode_frames(heard(turned, key), key) if frame is not None]
    assert found == [payload]


def test_attempts_tags_and_finds_are_counted(pictures, monkeypatch, tmp_path):
    """With the marking key in place of a stranger's, marked pictures count as found and no others."""
    own = name_seed(NAME, "key")
    keys = {"stranger 0": bytes(32), "stranger 1": own}
    readings = wm.Detector.readings
    monkeypatch.setattr(nothing, "states", lambda path: pictures)
    monkeypatch.setattr(nothing, "name_seed", lambda name, purpose: keys[purpose])
    monkeypatch.setattr(wm.Detector, "readings", lambda *given: islice(readings(*given), 3))
    result = attempt(tmp_path / NAME, 2)
    assert result["image"] == NAME
    for state, count in result["states"].items():
        assert count["attempts"] == 3 + len(DIHEDRAL)
        assert count["found"] == (not state.startswith("unmarked"))
        assert count["tags"] == 24 * 11 if not count["found"] else 24 * 10 < count["tags"] < 24 * 11
