"""Sharing a batch between processes; the exchange itself is tested with the loop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watermark.errors import SettingsError
from watermark.training.workers import Workers, join_workers


@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 6))
def test_every_image_is_in_one_share(count, accumulate, size):
    images = range(count * accumulate * size)
    shares = [images[part] for rank in range(count) for part in Workers(rank, count).shares(len(images), accumulate)]
    assert [image for share in shares for image in share] == list(images)
    assert {len(share) for share in shares} == {size}


def test_a_batch_that_cannot_be_shared_is_refused():
    with pytest.raises(SettingsError, match="batch must be a multiple of processes times accumulate, 3 x 2, but is 8"):
        Workers(0, 3).shares(8, 2)


def test_without_torchrun_a_process_is_alone():
    with join_workers("cpu") as joined:
        assert joined == (Workers(0, 1), "cpu")
