"""Our own method as the benchmark sees it."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
import pytest
from skimage import data

import watermark as wm
from benchmarks.methods import MethodError, method

KEY = hashlib.sha256(b"a key of a test").digest()
MESSAGE = np.unpackbits(np.frombuffer(b"\x01\x23\x45\x67\x89\xab\xcd\xef", dtype=np.uint8))


@pytest.fixture(scope="module")
def host():
    return np.ascontiguousarray(data.astronaut()[:256, 100:356])


@pytest.fixture(scope="module")
def marked(host):
    return method("watermark-toolkit").with_strength(40.0).embed(host, MESSAGE, KEY)


def test_the_message_comes_back(marked):
    reading = method("watermark-toolkit").detect(marked, KEY)
    assert reading.present
    assert np.array_equal(reading.bits, MESSAGE)
    assert 0 < reading.p < 1e-6
    public = wm.Detector(wm.Key(KEY)).detect(marked)
    assert public.payload.hex == "0123456789abcdef"
    assert reading.score == public.score


def test_a_wrong_key_finds_nothing_whatever_is_claimed(marked):
    reading = method("watermark-toolkit").detect(marked, bytes(32), MESSAGE)
    assert (reading.present, reading.bits, reading.p) == (False, None, 1.0)


def test_strength_falls_with_db(host, marked):
    quieter = method("watermark-toolkit").with_strength(46.0).embed(host, MESSAGE, KEY)
    assert cv2.PSNR(host, quieter) > cv2.PSNR(host, marked) + 3
    with pytest.raises(MethodError, match="30 to 60"):
        method("watermark-toolkit").with_strength(12.0)
    assert method("watermark-toolkit").with_strength(40.0).with_strength(None) == method("watermark-toolkit")
