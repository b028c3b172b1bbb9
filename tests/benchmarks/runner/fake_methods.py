"""Methods that are quick, or misbehave; worker processes find them by name."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from benchmarks.methods.base import Bits, MethodError, MethodMissing, Pixels, Reading
from benchmarks.methods.claims import compared
from watermark.errors import ImageTooSmall

BITS = 24
_CHECK = 32  # bits of the key's and message's hash, by which a reading knows that it is one


@dataclass(frozen=True)
class LowBits:
    """Message and check in the lowest bits of the first row; noise elsewhere if a strength is asked for."""

    strength: float | None = None

    name: ClassVar[str] = "low-bits"
    version: ClassVar[str] = "1"
    licence: ClassVar[str] = "none"
    note: ClassVar[str] = "for tests"
    message_bits: ClassVar[int] = BITS
    smallest_side: ClassVar[int] = 32
    keyed: ClassVar[bool] = True
    blind: ClassVar[bool] = True

    def with_strength(self, db: float | None) -> Self:
        return replace(self, strength=db)

    def embed(self, image: Pixels, message: Bits, key: bytes) -> Pixels:
        _check_size(image)
        marked = image.copy()
        if self.strength is not None:  # 8 grey levels in as many values as that PSNR takes
            share = 255**2 / 10 ** (self.strength / 10) / 8**2
            steps = 8 * (np.random.default_rng(1).random(image.shape) < share)
            marked = np.where(marked > 127, marked - steps, marked + steps).astype(np.uint8)
        row = marked[0, :, 0]
        row[: BITS + _CHECK] = row[: BITS + _CHECK] & 254 | np.concatenate([message, _check(message, key)])
        return marked

    def detect(self, image: Pixels, key: bytes, claimed: Bits | None = None) -> Reading:
        _check_size(image)
        row = np.resize(image[0, :, 0], BITS + _CHECK) & 1
        message = row[:BITS].copy()
        right = float(np.mean(row[BITS:] == _check(message, key)))
        return Reading(right == 1, right, message, 2.0**-_CHECK if right == 1 else 1.0)


class Raising(LowBits):
    """Cannot mark."""

    name = "raising"

    def with_strength(self, db: float | None) -> Self:
        raise MethodError("raising has no strength")

    def embed(self, image: Pixels, message: Bits, key: bytes) -> Pixels:
        raise RuntimeError("no idea how\nand a second line")


class Deaf(LowBits):
    """Marks, and cannot read; has no key."""

    name = "deaf"
    keyed = False

    def detect(self, image: Pixels, key: bytes, claimed: Bits | None = None) -> Reading:
        raise ValueError("what?")


class Claimed(LowBits):
    """Reads bits from every picture; has no key."""

    name = "claimed"
    keyed = False
    blind = False

    def detect(self, image: Pixels, key: bytes, claimed: Bits | None = None) -> Reading:
        return compared(super().detect(image, key).bits, claimed)


class Counting(LowBits):
    """Leaves a line in ``FAKE_LOG`` for each picture that it marks, and dies at those named in ``FAKE_DEATHS``."""

    name = "counting"

    def embed(self, image: Pixels, message: Bits, key: bytes) -> Pixels:
        label = f"{image.shape[1]}x{image.shape[0]}"
        with Path(os.environ["FAKE_LOG"]).open("a") as file:
            file.write(f"{label}\n")
        if label in os.environ.get("FAKE_DEATHS", ""):
            os._exit(7)
        return super().embed(image, message, key)


METHODS = {made.name: made for made in (LowBits, Raising, Deaf, Claimed, Counting)}


def resolve(name: str) -> LowBits:
    if name == "absent":
        raise MethodMissing("absent needs a package that is missing: pip install absent")
    return METHODS[name]()


class NeverThere:
    """A function that a worker cannot load in time."""

    def __call__(self, task: str) -> str:
        return task

    def __reduce__(self) -> tuple[object, ...]:
        return time.sleep, (600,)


def work(task: str) -> str:
    """A task of a worker: what to do is its name."""
    match task:
        case "raise":
            raise ValueError("this one\nis bad")
        case "die":
            os._exit(7)
        case "hang":
            time.sleep(600)
        case "threads":
            import cv2
            import torch

            blas = {os.environ[f"{library}_NUM_THREADS"] for library in ("OMP", "OPENBLAS", "MKL")}
            cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
            return f"{torch.get_num_threads()} {cv2.getNumThreads()} {' '.join(blas)} threads on {cores}"
    return task.upper()


def _check(message: Bits, key: bytes) -> Bits:
    digest = hashlib.sha256(key + message.tobytes()).digest()
    return np.unpackbits(np.frombuffer(digest, np.uint8))[:_CHECK]


def _check_size(image: Pixels) -> None:
    if min(image.shape[:2]) < LowBits.smallest_side:
        raise ImageTooSmall(*image.shape[:2], LowBits.smallest_side)
