"""Frames: round trips, noise, other keys, chance, test vectors, and what a payload may be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watermark.errors import PayloadError
from watermark.payload.frame import FORMATS, LIST_SIZE, Payload, decode_frame, decode_frames, encode_frame
from watermark.payload.keys import Key

KEY = Key(bytes(range(32)))
PAYLOADS = st.sampled_from((4, 8, 16)).flatmap(lambda size: st.binary(min_size=size, max_size=size)).map(Payload)


def soft_bits(codeword, noise=0.0, seed=1):
    return (1.0 - 2.0 * codeword + noise * np.random.default_rng(seed).standard_normal(256)).astype(np.float32)


@settings(max_examples=15, deadline=None)
@given(payload=PAYLOADS, secret=st.binary(min_size=32, max_size=32), scale=st.floats(1e-3, 1e3))
def test_round_trip(payload, secret, scale):
    codeword = encode_frame(payload, Key(secret))
    assert codeword.shape == (256,)
    assert codeword.dtype == np.uint8
    reading, _ = decode_frame(soft_bits(codeword) * np.float32(scale), Key(secret))
    assert reading is not None
    assert reading.payload == payload
    assert reading.bit_errors == 0
    assert np.array_equal(reading.codeword, codeword)


# From an encoder written apart from the product: the matrix F^(x)8 row by row, hmac and hashlib.
# A mark must read for ever: never change these.
@pytest.mark.parametrize(
    ("data", "codeword"),
    [
        (b"mark", "3a0f1a653ca845af1278d2a0be198a71c2a292136073c02cfb29732d522570d0"),
        (b"testmark", "071319778cc72e5bb52a47d1c7160a1776fc822d7740ac9528265da3bb776388"),
        (bytes(range(16)), "a05ffdd71bd3ee8d798a963ee0f2725895894051373281d227a4f25b3e4aff08"),
    ],
)
def test_codewords_hold_for_ever(data, codeword):
    assert np.packbits(encode_frame(Payload(data), Key.open())).tobytes().hex() == codeword


@pytest.mark.parametrize(("size", "noise"), [(4, 1.0), (8, 0.85), (16, 0.6)])
def test_noisy_bits_decode_and_their_errors_are_counted(size, noise):
    for seed in range(5):
        payload = Payload(np.random.default_rng(seed).bytes(size))
        codeword = encode_frame(payload, KEY)
        received = soft_bits(codeword, noise, seed)
        reading, _ = decode_frame(received, KEY)
        assert reading is not None
        assert reading.payload == payload
        wrong = int(((received < 0) != (codeword == 1)).sum())
        assert wrong > 0
        assert reading.bit_errors == wrong


@pytest.mark.parametrize("size", [4, 8, 16])
def test_another_key_finds_nothing(size):
    received = soft_bits(encode_frame(Payload(bytes(size)), KEY))
    assert decode_frame(received, Key.open()) == (None, LIST_SIZE * len(FORMATS))


def test_the_whole_frame_is_authenticated():
    """The tag covers the format, so that no frame reads as one of another size."""
    received = soft_bits(encode_frame(Payload(b"mark"), KEY))
    assert decode_frame(received, KEY, (64, 128))[0] is None


def test_random_soft_bits_give_nothing():
    words = np.random.default_rng(2).standard_normal((250, 256)).astype(np.float32)
    assert decode_frames(words, KEY) == [(None, LIST_SIZE * len(FORMATS))] * 250


def test_tags_compared_are_counted_up_to_the_one_that_verifies():
    assert FORMATS == (64, 32, 128)
    received = soft_bits(encode_frame(Payload(b"mark"), KEY))
    assert decode_frame(received, KEY, (32,))[1] == 1
    assert decode_frame(received, KEY)[1] == LIST_SIZE + 1
    assert decode_frame(received, KEY, (128, 64, 32))[1] == 2 * LIST_SIZE + 1
    assert decode_frame(received, KEY, (64,)) == (None, LIST_SIZE)


def test_words_decode_together_as_they_do_alone():
    payloads = [Payload(bytes(range(size))) for size in (4, 8, 16) for _ in range(8)]
    noisy = [soft_bits(encode_frame(payload, KEY), 0.6, seed) for seed, payload in enumerate(payloads)]
    words = np.concatenate([noisy, np.random.default_rng(4).standard_normal((30, 256)).astype(np.float32)])
    words = np.random.default_rng(5).permutation(words)
    together = decode_frames(words, KEY)
    assert sum(reading is not None for reading, _ in together) == len(payloads)
    for word, (reading, compared) in zip(words, together, strict=True):
        alone, compared_alone = decode_frame(word, KEY)
        assert compared == compared_alone
        assert (reading is None) == (alone is None)
        if reading is not None:
            assert (reading.payload, reading.bit_errors) == (alone.payload, alone.bit_errors)
            assert np.array_equal(reading.codeword, alone.codeword)
    assert decode_frames(words[:0], KEY) == []


def test_whitened_codewords_are_balanced_and_differ_between_keys():
    payload = Payload(bytes(8))
    first, second = encode_frame(payload, KEY), encode_frame(payload, Key.open())
    assert 90 < first.sum() < 166
    assert 90 < np.count_nonzero(first != second) < 166


@pytest.mark.parametrize("size", [0, 3, 5, 12, 17])
def test_payload_of_another_size_is_refused(size):
    with pytest.raises(PayloadError, match=f"4, 8 or 16 bytes, but {size}"):
        Payload(bytes(size))


@pytest.mark.parametrize(("data", "format_"), [(4, 32), (8, 64), (16, 128)])
def test_format_is_the_number_of_bits(data, format_):
    assert Payload(bytes(data)).format == format_


def test_hex_round_trip():
    assert Payload.from_hex("DEADbeef").data == b"\xde\xad\xbe\xef"
    assert Payload.from_hex("deadbeef").hex == "deadbeef"


@pytest.mark.parametrize("text", ["", "dead", "deadbee", "nothexes", "00" * 5, "0xdeadbe"])
def test_malformed_hex_is_refused(text):
    with pytest.raises(PayloadError):
        Payload.from_hex(text)


@pytest.mark.parametrize(
    ("text", "size"), [("a", 4), ("abcd", 4), ("abcde", 8), ("12345678", 8), ("123456789", 16), ("©" * 8, 16)]
)
def test_text_takes_the_smallest_format(text, size):
    payload = Payload.from_text(text)
    assert len(payload.data) == size
    assert payload.text == text


@pytest.mark.parametrize("text", ["", "a" * 17, "©" * 9, "a\0b", "\ud800"])
def test_text_that_does_not_fit_is_refused(text):
    with pytest.raises(PayloadError):
        Payload.from_text(text)


@pytest.mark.parametrize("data", [bytes(4), b"\xff\xfe\x00\x00", b"a\0b\0", b"a\nb\0", b"\x1b[1m"])
def test_bytes_that_are_no_printable_text(data):
    assert Payload(data).text is None


def test_uuid_round_trip():
    text = "123e4567-e89b-12d3-a456-426614174000"
    assert Payload.from_uuid(text).hex == text.replace("-", "")


@pytest.mark.parametrize("text", ["", "123e4567", "123e4567-e89b-12d3-a456-42661417400g"])
def test_malformed_uuid_is_refused(text):
    with pytest.raises(PayloadError, match="UUID"):
        Payload.from_uuid(text)


def test_a_payload_is_bytes():
    with pytest.raises(PayloadError, match="but a str came"):
        Payload("mark")
