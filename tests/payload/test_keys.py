"""Keys: HKDF and streams against published and independently derived vectors, key files."""

from __future__ import annotations

import os
import stat

import numpy as np
import pytest

from watermark.errors import KeyFileError
from watermark.payload.keys import Key, hkdf_sha256, stream_bits, stream_bytes, stream_permutation

FIXED = Key(bytes(range(32)))

# RFC 5869, appendix A.1 to A.3: input, salt, info, output.
RFC_5869 = (
    (
        b"\x0b" * 22,
        bytes(range(0x0D)),
        bytes(range(0xF0, 0xFA)),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    (
        bytes(range(0x50)),
        bytes(range(0x60, 0xB0)),
        bytes(range(0xB0, 0x100)),
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
        "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
    ),
    (
        b"\x0b" * 22,
        b"",
        b"",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
)


@pytest.mark.parametrize(("master", "salt", "info", "expected"), RFC_5869)
def test_hkdf_matches_rfc_5869(master, salt, info, expected):
    assert hkdf_sha256(master, salt=salt, info=info, length=len(expected) // 2).hex() == expected


# Derived without the product's code, from hmac and hashlib alone. A mark must read for ever: never change these.
@pytest.mark.parametrize(
    ("key", "fingerprint", "carriers", "whitening", "tag"),
    [
        (
            Key.open(),
            "712f81c6",
            "5ad2e2fecbfe906da29ee439bd0bc05e3e1ae9c8b7b80fdd64bf2c8238ed531d",
            "3d528eea9f3cb07e9c887cdf2c95b670f2eef975b5b441e210976a3c5ccef2c2",
            "e44c8e19be3c01ea66634db4ee538247dd588fddfa9546a992d1ba14f4bf1404",
        ),
        (
            FIXED,
            "979eb45c",
            "5dfaff38939b7ea62bcf9926ae18e17011b84b7e4ae64947342cc4421e0fddad",
            "0595ef8179de7c0eed663436fc4b6aa398ebc420156e0821712d07a476bf7cc7",
            "9a8099ad80be5267bbe59f3c722a0c78f602e9be0eb8cebd9a68069cf2aef574",
        ),
    ],
)
def test_subkeys_hold_for_ever(key, fingerprint, carriers, whitening, tag):
    assert key.fingerprint == fingerprint
    assert (key.carriers.hex(), key.whitening.hex(), key.tag.hex()) == (carriers, whitening, tag)


@pytest.mark.parametrize(
    ("key", "first_bytes", "permutation"),
    [
        (Key.open(), "489be36062f47594", [7, 3, 4, 0, 9, 1, 5, 2, 6, 8]),
        (FIXED, "e6ae1d94883df3db", [7, 6, 0, 3, 5, 9, 4, 1, 2, 8]),
    ],
)
def test_streams_hold_for_ever(key, first_bytes, permutation):
    drawn = stream_bytes(key.carriers, "signs", 8)
    assert drawn.tobytes().hex() == first_bytes
    bits = "".join(str(bit) for bit in stream_bits(key.carriers, "signs", 61))
    assert bits == f"{int(first_bytes, 16):064b}"[:61]
    assert stream_permutation(key.carriers, "dimensions", 10).tolist() == permutation


def test_permutation_holds_every_number_once():
    assert np.array_equal(np.sort(stream_permutation(FIXED.carriers, "any", 999)), np.arange(999))


def test_labels_give_different_streams():
    assert not np.array_equal(stream_bytes(FIXED.tag, "a", 32), stream_bytes(FIXED.tag, "b", 32))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_key_of_another_length_is_refused(length):
    with pytest.raises(KeyFileError, match=f"32 bytes, but {length}"):
        Key(bytes(length))


def test_generated_keys_differ():
    assert Key.generate() != Key.generate()


def test_repr_hides_the_secret():
    assert repr(FIXED) == "Key(fingerprint='979eb45c')"
    assert f"{FIXED}" == repr(FIXED)


def test_key_file_round_trip(tmp_path):
    path = tmp_path / "my.key"
    FIXED.save(path)
    assert path.read_text() == bytes(range(32)).hex() + "\n"
    assert Key.load(path) == FIXED
    path.write_text(f" \n{FIXED.secret.hex().upper()}\r\n ")
    assert Key.load(str(path)) == FIXED


def test_key_file_is_private_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        FIXED.save(tmp_path / "my.key")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "my.key").stat().st_mode) == 0o600


def test_key_file_is_never_overwritten(tmp_path):
    path = tmp_path / "my.key"
    path.write_text("precious")
    with pytest.raises(KeyFileError, match="exists"):
        FIXED.save(path)
    assert path.read_text() == "precious"


def test_key_file_in_a_missing_folder(tmp_path):
    with pytest.raises(KeyFileError, match="cannot write"):
        FIXED.save(tmp_path / "missing" / "my.key")


@pytest.mark.parametrize(
    "content",
    [b"", b"00" * 31, b"00" * 33, b"zz" * 32, b"00" * 31 + b"0 ", b"0 " * 31 + b"00", "é".encode() * 32, b"\xff" * 64],
)
def test_malformed_key_file_is_refused(tmp_path, content):
    path = tmp_path / "my.key"
    path.write_bytes(content)
    with pytest.raises(KeyFileError):
        Key.load(path)


def test_missing_key_file_is_named(tmp_path):
    with pytest.raises(KeyFileError, match=r"nowhere\.key"):
        Key.load(tmp_path / "nowhere.key")


@pytest.mark.parametrize("secret", ["x" * 32, bytearray(32), [0] * 32])
def test_a_key_is_bytes(secret):
    with pytest.raises(KeyFileError, match="a key is bytes"):
        Key(secret)


def test_a_key_file_of_other_bytes_is_refused_in_our_words(tmp_path):
    (tmp_path / "key").write_bytes(bytes(range(256)))
    with pytest.raises(KeyFileError, match="must hold 64 hexadecimal digits"):
        Key.load(tmp_path / "key")
