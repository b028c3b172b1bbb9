"""Published numbers and messages of W-Bench."""

from __future__ import annotations

import numpy as np
import pytest

from attacks.presets import PRESETS
from benchmarks.wbench import MESSAGES, PUBLISHED, PUBLISHED_PSNR, drawn_message, message, published


def test_published_numbers_meet_their_settings():
    labels = [row.label for row in PRESETS["wbench"].rows]
    assert PUBLISHED.keys() == PUBLISHED_PSNR.keys()
    for name in PUBLISHED:
        assert list(published(name)) == labels
    by_published = {row.published: row.label for row in PRESETS["wbench"].rows}
    # Cells of the companion table in the paper's data, by their stated parameter.
    assert published("rivaGan")[by_published["quality 10"]] == 0.6505
    assert published("dwtDctSvd")[by_published["PIL radius 3"]] == 0.7681
    assert published("dwtDct")["noise 0.1"] == 0.4123
    assert published("dwtDctSvd")["contrast 1.2"] == 0.6675


def test_the_stated_message_is_that_of_w_bench():
    assert np.packbits(message("stated", 32)).tobytes() == b"Hell"
    assert np.array_equal(message("stated", 30), message("stated", 32)[:30])


@pytest.mark.parametrize("bits", [30, 32])
def test_the_other_message_is_its_inverse(bits):
    stated, inverted = (message(name, bits) for name in MESSAGES)
    assert np.array_equal(stated + inverted, np.ones(bits))


def test_drawn_messages_share_their_number_of_ones_only():
    drawn = np.stack([drawn_message(seed) for seed in range(20)])
    assert drawn.shape == (20, 30)
    assert set(drawn.sum(axis=1)) == {16}
    assert len(np.unique(drawn, axis=0)) == 20
    assert drawn_message(0, ones=3, bits=7).sum() == 3
