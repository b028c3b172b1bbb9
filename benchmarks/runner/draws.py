"""Everything random in a run, hashed from what it belongs to: order, batch and number of workers change nothing."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray


def draw(seed: int, purpose: str, *parts: object) -> bytes:
    """32 bytes of SHA-256 over the run's seed, what they are for, and what they belong to.

    Example:
        >>> draw(0, "key", "abc") == draw(0, "key", "abc") != draw(1, "key", "abc")
        True
    """
    text = "\0".join(["watermark bench", str(seed), purpose, *map(str, parts)])
    return hashlib.sha256(text.encode()).digest()


def message(seed: int, owner: str, repeat: int, bits: int) -> NDArray[np.uint8]:
    """The message of an image or a stranger, 0 or 1 of shape (bits,); a shorter one is the beginning of a longer one.

    Args:
        seed: of the run.
        owner: SHA-256 of the image's file, or the stranger's key, hexadecimal.
        repeat: which of the image's messages.
        bits: its length.
    """
    stream = hashlib.shake_256(draw(seed, "message", owner, repeat)).digest(-(-bits // 8))
    return np.unpackbits(np.frombuffer(stream, np.uint8))[:bits]


def number(seed: int, purpose: str, *parts: object) -> int:
    """A number of 31 bits, for generators."""
    return int.from_bytes(draw(seed, purpose, *parts)[:4], "big") >> 1


def key_label(key: bytes) -> str:
    """What a result says of a key: the first 4 bytes of its SHA-256, hexadecimal."""
    return hashlib.sha256(key).hexdigest()[:8]
