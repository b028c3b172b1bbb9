"""Frames: payload and tag to 256 whitened channel bits, and back.

::

    payload xor mask (32, 64 or 128 bits) | tag (32 bits)  --polar-->  256 bits  --xor keyed stream-->  codeword

The tag is the first four bytes of HMAC-SHA256, under the key's tag subkey, of one byte naming the format
(payload bits / 8) followed by the payload. The mask is the stream ``mask-`` followed by the tag in hexadecimal digits,
under the tag subkey: it makes codewords of similar payloads as unlike as those of any two, so that a picture
that carries one does not pass for the other. The stream that whitens is ``codeword-32``, ``-64`` or ``-128``
under the whitening subkey, so unmarked images give independent fair bits under every key.
"""

from __future__ import annotations

import hmac
import uuid
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watermark.errors import PayloadError
from watermark.payload import polar
from watermark.payload.keys import Key, stream_bits, stream_bytes

FORMATS = (64, 32, 128)  # payload bits, in the order in which a reader tries them
TAG_BITS = 32
LIST_SIZE = 8
CODE_BITS = 256


@dataclass(frozen=True)
class Payload:
    """What a mark says: 4, 8 or 16 bytes.

    Args:
        data: the bytes.

    Raises:
        PayloadError: ``data`` is of another length or type.

    Example:
        >>> Payload.from_text("hello").hex
        '68656c6c6f000000'
    """

    data: bytes

    def __post_init__(self) -> None:
        if not isinstance(self.data, bytes):
            kind = type(self.data).__name__
            raise PayloadError(f"a payload is bytes, but a {kind} came; there are from_text, from_hex and from_uuid")
        if 8 * len(self.data) not in FORMATS:
            raise PayloadError(f"a payload is 4, 8 or 16 bytes, but {len(self.data)} came")

    @classmethod
    def from_hex(cls, text: str) -> Payload:
        """Payload from 8, 16 or 32 hexadecimal digits.

        Raises:
            PayloadError: ``text`` is something else.
        """
        try:
            data = bytes.fromhex(text)
        except ValueError as error:
            raise PayloadError(f"a payload is 8, 16 or 32 hexadecimal digits, but {text!r} came") from error
        return cls(data)

    @classmethod
    def from_text(cls, text: str) -> Payload:
        """Payload from text of 1 to 16 bytes in UTF-8, filled with zero bytes to 4, 8 or 16.

        Raises:
            PayloadError: ``text`` is empty, too long or holds a zero byte.
        """
        try:
            data = text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise PayloadError(f"the text cannot be written as UTF-8: {error}") from error
        if not 1 <= len(data) <= 16 or b"\0" in data:
            raise PayloadError(f"a text payload is 1 to 16 bytes of UTF-8 without zero bytes, but {len(data)} came")
        size = next(size for size in (4, 8, 16) if len(data) <= size)
        return cls(data.ljust(size, b"\0"))

    @classmethod
    def from_uuid(cls, text: str) -> Payload:
        """Payload from a UUID, 16 bytes.

        Raises:
            PayloadError: ``text`` is not a UUID.
        """
        try:
            return cls(uuid.UUID(text).bytes)
        except ValueError as error:
            raise PayloadError(f"{text!r} is not a UUID such as 123e4567-e89b-12d3-a456-426614174000") from error

    @property
    def format(self) -> int:
        """Payload bits: 32, 64 or 128."""
        return 8 * len(self.data)

    @property
    def hex(self) -> str:
        """The bytes as hexadecimal digits."""
        return self.data.hex()

    @property
    def text(self) -> str | None:
        """The text, if the bytes are printable UTF-8 filled with zero bytes; otherwise ``None``."""
        try:
            text = self.data.rstrip(b"\0").decode("utf-8")
        except UnicodeDecodeError:
            return None
        return text if text and text.isprintable() else None


@dataclass(frozen=True, slots=True)
class FrameReading:
    """A frame whose tag verified.

    Attributes:
        payload: what it says.
        codeword: the 256 channel bits that were sent, 0 and 1.
        bit_errors: channel bits whose hard decision was wrong.
    """

    payload: Payload
    codeword: NDArray[np.uint8]
    bit_errors: int


def _tag(payload: Payload, key: Key) -> bytes:
    return hmac.digest(key.tag, bytes([len(payload.data)]) + payload.data, "sha256")[: TAG_BITS // 8]


def _whitening(key: Key, payload_bits: int) -> NDArray[np.uint8]:
    return stream_bits(key.whitening, f"codeword-{payload_bits}", CODE_BITS)


def _mask(tag: bytes, key: Key, size: int) -> NDArray[np.uint8]:
    return stream_bytes(key.tag, f"mask-{tag.hex()}", size)


def encode_frame(payload: Payload, key: Key) -> NDArray[np.uint8]:
    """The codeword of a payload: 256 channel bits, 0 and 1, uint8 of shape (256,)."""
    tag = _tag(payload, key)
    masked = np.frombuffer(payload.data, dtype=np.uint8) ^ _mask(tag, key, len(payload.data))
    frame = np.concatenate([masked, np.frombuffer(tag, dtype=np.uint8)])
    coded = polar.encode(np.unpackbits(frame)[None])[0]
    codeword: NDArray[np.uint8] = coded ^ _whitening(key, payload.format)
    return codeword


def decode_frame(
    soft: NDArray[np.float32], key: Key, formats: tuple[int, ...] = FORMATS
) -> tuple[FrameReading | None, int]:
    """Decode soft bits; the tag chooses in the list of each format.

    Args:
        soft: soft bits of any scale, positive for 0, shape (256,).
        key: the key.
        formats: payload bits to try, in order.

    Returns:
        The first frame whose tag verifies, or ``None``; and the number of tags compared, each of which
        verifies by chance once in 2**32.
    """
    (reading,) = decode_frames(soft[None], key, formats)
    return reading


def decode_frames(
    soft: NDArray[np.float32], key: Key, formats: tuple[int, ...] = FORMATS
) -> list[tuple[FrameReading | None, int]]:
    """Decode many words, each as :func:`decode_frame` does, in a third of the time.

    Args:
        soft: soft bits of W words, shape (W, 256).
        key: the key.
        formats: payload bits to try, in order.

    Returns:
        What :func:`decode_frame` gives for each word.
    """
    readings: list[tuple[FrameReading | None, int]] = [(None, 0)] * len(soft)
    for payload_bits in formats:
        unread = [index for index, (reading, _) in enumerate(readings) if reading is None]
        whitening = _whitening(key, payload_bits)
        candidates, _ = polar.decode(soft[unread] * (1.0 - 2.0 * whitening), payload_bits + TAG_BITS, LIST_SIZE)
        for index, words in zip(unread, candidates, strict=True):
            reading, compared = _verified(words, soft[index], key)
            readings[index] = reading, readings[index][1] + compared
    return readings


def _verified(candidates: NDArray[np.uint8], soft: NDArray[np.float32], key: Key) -> tuple[FrameReading | None, int]:
    """The first of the frames (L, bits) of one format whose tag verifies, or ``None``; and the tags compared."""
    for compared, frame in enumerate(np.packbits(candidates, axis=1), start=1):
        masked, tag = np.split(frame, [-TAG_BITS // 8])
        payload = Payload((masked ^ _mask(tag.tobytes(), key, len(masked))).tobytes())
        if hmac.compare_digest(tag.tobytes(), _tag(payload, key)):
            codeword = encode_frame(payload, key)
            errors = int(np.count_nonzero((soft < 0) != codeword.astype(bool)))
            return FrameReading(payload, codeword, errors), compared
    return None, len(candidates)
