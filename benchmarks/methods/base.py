"""What a watermarking method is to the benchmark.

Images are RGB, uint8, shape (H, W, 3); messages are 0 or 1, uint8, shape (message_bits,); keys are 32 bytes.

::

    WatermarkError            1
    └── MethodError           3   the method could not do what was asked
        └── MethodMissing     3   its package, weights, program or pictures are not there
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from watermark.errors import WatermarkError

Pixels = NDArray[np.uint8]
Bits = NDArray[np.uint8]


class MethodError(WatermarkError):
    """A method could not do what was asked; the message says which, what and why."""

    exit_code = 3


class MethodMissing(MethodError):
    """What a method needs is not installed or not there; the message says how to get it."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What a method says about a picture.

    Attributes:
        present: whether it says that the picture is marked.
        score: its confidence in that, on a scale of its own; higher is more likely marked.
        bits: the message as read, 0 or 1; ``None`` if it reads none.
        p: upper bound of the probability that an unmarked picture gives as much, as the method itself states it;
            ``None`` if it states none.
    """

    present: bool
    score: float
    bits: Bits | None
    p: float | None


@runtime_checkable
class Method(Protocol):
    """Marks pictures and reads marks. An object serves one process; it need not be safe between threads."""

    @property
    def name(self) -> str:
        """Its name in the registry and in tables."""

    @property
    def version(self) -> str:
        """Of its package or program: two versions are not compared as one."""

    @property
    def licence(self) -> str:
        """SPDX expression, or words."""

    @property
    def note(self) -> str:
        """What a reader of its numbers must know, in a sentence."""

    @property
    def message_bits(self) -> int:
        """Bits of a message, before any code of its own."""

    @property
    def smallest_side(self) -> int:
        """Short side in pixels from which every picture is taken; smaller ones may raise ``ImageTooSmall``."""

    @property
    def keyed(self) -> bool:
        """Whether the key matters; if not, it is ignored, and whoever has the method reads and forges its marks."""

    @property
    def blind(self) -> bool:
        """Whether it decides presence by itself; if not, it needs a claimed message, see :mod:`.claims`."""

    def with_strength(self, db: float | None) -> Self:
        """The method at another strength.

        Args:
            db: nominal strength: about the mean PSNR over photographs in dB, and falling as the mark gets louder;
                ``None`` for the method's own default.

        Raises:
            MethodError: its strength cannot be chosen, or not so.
        """

    def embed(self, image: Pixels, message: Bits, key: bytes) -> Pixels:
        """Mark a picture.

        Args:
            image: RGB, uint8, shape (H, W, 3); not changed.
            message: 0 or 1, uint8, shape (message_bits,).
            key: 32 bytes.

        Returns:
            The marked picture, same shape.

        Raises:
            MethodError: it did not work.
            ImageTooSmall: the picture is smaller than it takes.
        """

    def detect(self, image: Pixels, key: bytes, claimed: Bits | None = None) -> Reading:
        """Read a picture.

        Args:
            image: RGB, uint8, shape (H, W, 3).
            key: 32 bytes.
            claimed: the message registered for the key, with which a method that is not ``blind`` compares what it
                reads; a blind one ignores it.

        Raises:
            MethodError: it did not work.
            ImageTooSmall: the picture is smaller than it takes.
        """


def required(module: str, method: str, remedy: str) -> ModuleType:
    """A module that a method needs.

    Raises:
        MethodMissing: it, or something that it needs, is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MethodMissing(f"{method} cannot run: {error}; {remedy}") from error


def scaled(host: Pixels, marked: Pixels, gain: float) -> Pixels:
    """The marked picture with its residual multiplied, rounded and clipped; same shape as both."""
    residual = marked.astype(np.float32) - host
    return np.clip(np.rint(host + gain * residual), 0, 255).astype(np.uint8)


def gain(db: float | None, native: float) -> float:
    """Factor on a residual that takes it from ``native`` dB of PSNR to ``db``; 1 for ``None``.

    Example:
        >>> gain(46.0, 40.0)
        0.5011872336272722
    """
    return 1.0 if db is None else float(10 ** ((native - db) / 20))
