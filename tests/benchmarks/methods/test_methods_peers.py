"""Peers from the package index, where they are installed, against their own documented calls."""

from __future__ import annotations

import hashlib
import multiprocessing
import subprocess
import sys

import cv2
import numpy as np
import pytest
from skimage import data

from benchmarks.methods import MethodError, MethodMissing, method
from benchmarks.methods.invisible_watermark import RivaGan
from watermark.errors import ImageTooSmall

KEY = hashlib.sha256(b"a key of a test").digest()
PEERS = ("dwtDct", "dwtDctSvd", "rivaGan", "blind-watermark")
HOST = np.ascontiguousarray(data.astronaut()[:256, 100:356])


@pytest.fixture(params=PEERS)
def peer(request):
    try:
        return method(request.param)
    except MethodMissing as error:
        pytest.skip(str(error))


def drawn(peer):
    return np.random.default_rng(3).integers(0, 2, peer.message_bits).astype(np.uint8)


def test_a_peer_marks_and_reads(peer):
    before, message = HOST.copy(), drawn(peer)
    marked = peer.embed(HOST, message, KEY)
    assert (marked.shape, marked.dtype) == (HOST.shape, np.uint8)
    assert np.array_equal(HOST, before)
    assert 33 < cv2.PSNR(HOST, marked) < 44
    reading = peer.detect(marked, KEY, message)
    assert reading.present
    assert reading.score == np.mean(reading.bits == message) > 0.85
    assert not peer.detect(HOST, KEY, message).present
    unclaimed = peer.detect(marked, KEY)
    assert not unclaimed.present
    assert np.array_equal(unclaimed.bits, reading.bits)


def test_the_key_matters_where_a_peer_says_so(peer):
    message = drawn(peer)
    marked, other = (peer.embed(HOST, message, key) for key in (KEY, bytes(32)))
    assert np.array_equal(marked, other) == (not peer.keyed)


def test_more_db_is_quieter(peer):
    message = drawn(peer)
    psnrs = [cv2.PSNR(HOST, peer.with_strength(db).embed(HOST, message, KEY)) for db in (36.0, 46.0)]
    assert psnrs[1] - psnrs[0] > 2


def test_pictures_too_small_are_refused(peer):
    tiny = HOST[: peer.smallest_side - 16, : peer.smallest_side - 16]
    with pytest.raises(ImageTooSmall):
        peer.embed(tiny, drawn(peer), KEY)
    with pytest.raises(ImageTooSmall):
        peer.detect(tiny, KEY)
    side = peer.smallest_side
    assert peer.detect(HOST[:side, :side], KEY).bits.shape == (peer.message_bits,)


def test_invisible_watermark_is_called_as_its_readme_does():
    imwatermark = pytest.importorskip("imwatermark", reason="extra 'peers'")
    message = np.unpackbits(np.frombuffer(b"testmark", dtype=np.uint8))
    encoder = imwatermark.WatermarkEncoder()
    encoder.set_watermark("bytes", b"testmark")
    decoder = imwatermark.WatermarkDecoder("bytes", 64)
    for name in ("dwtDct", "dwtDctSvd"):
        expected = encoder.encode(cv2.cvtColor(HOST, cv2.COLOR_RGB2BGR), name)
        marked = method(name).embed(HOST, message, KEY)
        assert np.array_equal(cv2.cvtColor(marked, cv2.COLOR_RGB2BGR), expected)
        read = np.packbits(method(name).detect(marked, KEY).bits).tobytes()
        assert read == decoder.decode(expected, name)


def test_invisible_watermark_takes_narrow_pictures_of_enough_area():
    pytest.importorskip("imwatermark", reason="extra 'peers'")
    wide = np.ascontiguousarray(data.coffee()[:128, :512])
    assert method("dwtDctSvd").detect(wide, KEY).bits.shape == (64,)


def test_rivagan_has_32_bits():
    pytest.importorskip("onnxruntime", reason="extra 'peers'")
    pytest.importorskip("imwatermark", reason="extra 'peers'")
    with pytest.raises(MethodError, match="32 bits"):
        RivaGan(message_bits=64)


def test_blind_watermark_leaves_the_process_alone():
    code = (
        "import multiprocessing as m; m.set_start_method('spawn')\n"
        "from benchmarks.methods import MethodMissing, method\n"
        "try: method('blind-watermark')\n"
        "except MethodMissing as error: raise SystemExit(f'skip {error}')\n"
        "print(m.get_start_method())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if run.stderr.startswith("skip"):
        pytest.skip(run.stderr.strip())
    assert run.stdout == "spawn\n", run.stderr  # and it greets nobody


def test_blind_watermark_reads_a_constant_picture_without_a_fuss():
    started = multiprocessing.get_start_method(allow_none=True)
    try:
        peer = method("blind-watermark")
    except MethodMissing as error:
        pytest.skip(str(error))
    assert multiprocessing.get_start_method(allow_none=True) == started
    assert peer.detect(np.full((128, 128, 3), 90, dtype=np.uint8), KEY).bits.shape == (64,)


@pytest.mark.parametrize(("name", "module"), [("trustmark", "trustmark"), ("videoseal", "videoseal")])
def test_what_is_missing_is_said_with_a_remedy(name, module, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed
    with pytest.raises(MethodMissing, match=f"{name} cannot run: .*; .*install"):
        method(name)
