"""Secret keys and the keyed streams drawn from them.

A key is 32 random bytes. Three subkeys come from it by HKDF-SHA256 (RFC 5869, salt
``watermark-toolkit/1``, info = purpose in ASCII, 32 bytes): ``carriers``, ``whitening``, ``tag``.
A stream is SHAKE-256 (FIPS 202) over ``subkey || label in ASCII``, read as bytes or as little-endian
64-bit words. A permutation is the stable argsort of n words. Nothing here depends on a library's
random generator, so a mark reads on every platform for ever; the test vectors hold it to that.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from watermark.errors import KeyFileError

KEY_BYTES = 32
_SALT = b"watermark-toolkit/1"
_OPEN_KEY = hashlib.sha256(b"watermark-toolkit open key 1").digest()


def hkdf_sha256(master: bytes, *, salt: bytes, info: bytes, length: int = 32) -> bytes:
    """HKDF with SHA-256 (RFC 5869), extract and expand.

    Args:
        master: input key material.
        salt: non-secret salt.
        info: what the output is for.
        length: bytes wanted, at most 8160.

    Returns:
        ``length`` bytes.
    """
    pseudo_random_key = hmac.digest(salt, master, "sha256")
    block, output, counter = b"", b"", 1
    while len(output) < length:
        block = hmac.digest(pseudo_random_key, block + info + bytes([counter]), "sha256")
        output += block
        counter += 1
    return output[:length]


def stream_bytes(subkey: bytes, label: str, count: int) -> NDArray[np.uint8]:
    """The first ``count`` bytes of the stream ``label``, uint8 of shape (count,)."""
    digest = hashlib.shake_256(subkey + label.encode("ascii")).digest(count)
    return np.frombuffer(digest, dtype=np.uint8)


def stream_bits(subkey: bytes, label: str, count: int) -> NDArray[np.uint8]:
    """The first ``count`` bits of the stream ``label``, most significant first, values 0 and 1."""
    return np.unpackbits(stream_bytes(subkey, label, (count + 7) // 8))[:count]


def stream_permutation(subkey: bytes, label: str, count: int) -> NDArray[np.int64]:
    """A keyed permutation of 0 .. count - 1: the stable argsort of ``count`` stream words."""
    words = stream_bytes(subkey, label, 8 * count).view("<u8")
    return np.argsort(words, kind="stable").astype(np.int64)


@dataclass(frozen=True, slots=False, repr=False)
class Key:
    """A 32-byte secret; whoever holds it can read and write its marks.

    Args:
        secret: exactly 32 bytes.

    Raises:
        KeyFileError: ``secret`` is not 32 bytes, or no bytes at all.

    Example:
        >>> Key.open().fingerprint
        '712f81c6'
    """

    secret: bytes

    def __post_init__(self) -> None:
        if not isinstance(self.secret, bytes):
            kind = type(self.secret).__name__
            raise KeyFileError(f"a key is bytes, but a {kind} came; load it from its file with Key.load")
        if len(self.secret) != KEY_BYTES:
            raise KeyFileError(f"a key is {KEY_BYTES} bytes, but {len(self.secret)} came; make one with keygen")

    @classmethod
    def generate(cls) -> Key:
        """A fresh key from the operating system's generator."""
        return cls(secrets.token_bytes(KEY_BYTES))

    @classmethod
    def open(cls) -> Key:
        """The published key: anyone can read, forge and remove its marks.

        It is SHA-256 of the ASCII text ``watermark-toolkit open key 1``.
        """
        return cls(_OPEN_KEY)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Key:
        """Read a key file: 64 hexadecimal digits, surrounding white space allowed.

        Raises:
            KeyFileError: the file cannot be read or holds something else.
        """
        try:
            text = Path(path).read_text(encoding="ascii", errors="replace").strip()
        except OSError as error:
            raise KeyFileError(f"cannot read the key file {path}: {error.strerror}; keygen makes one") from error
        if len(text) != 2 * KEY_BYTES:
            raise KeyFileError(
                f"{path} must hold {2 * KEY_BYTES} hexadecimal digits, as keygen writes them, "
                f"but holds {len(text)} characters"
            )
        try:
            return cls(bytes.fromhex(text))
        except ValueError as error:
            raise KeyFileError(f"{path} must hold {2 * KEY_BYTES} hexadecimal digits: {error}") from error

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the key as 64 hexadecimal digits, mode 0600, never over an existing file.

        Raises:
            KeyFileError: the file exists or cannot be written.
        """
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise KeyFileError(f"{path} exists; a key is never overwritten, choose another name") from error
        except OSError as error:
            raise KeyFileError(f"cannot write the key file {path}: {error.strerror}") from error
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(self.secret.hex() + "\n")

    def _subkey(self, purpose: str) -> bytes:
        return hkdf_sha256(self.secret, salt=_SALT, info=purpose.encode("ascii"))

    @cached_property
    def carriers(self) -> bytes:
        """Subkey of the carrier permutation, signs and tones, 32 bytes."""
        return self._subkey("carriers")

    @cached_property
    def whitening(self) -> bytes:
        """Subkey of the stream that is added to the codeword, 32 bytes."""
        return self._subkey("whitening")

    @cached_property
    def tag(self) -> bytes:
        """Subkey of the authentication tag, 32 bytes."""
        return self._subkey("tag")

    @property
    def fingerprint(self) -> str:
        """Eight hexadecimal digits that name the key without revealing it."""
        return self._subkey("fingerprint")[:4].hex()

    def __repr__(self) -> str:
        return f"Key(fingerprint={self.fingerprint!r})"
