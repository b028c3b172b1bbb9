"""Tasks and a method for the tests of the speed suite; worker processes find them by name."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import torch

from benchmarks.methods import MethodMissing, Reading
from benchmarks.speed.tasks import Task

BLOCK = 16  # pixels


class Blocks:
    """A bit is a black or white block in the top row: survives JPEG, and is anything but invisible."""

    name: ClassVar[str] = "blocks"
    message_bits: ClassVar[int] = 8

    def embed(self, image, message, key):
        marked = image.copy()
        marked[:BLOCK, : BLOCK * len(message)] = 255 * np.repeat(message, BLOCK)[None, :, None]
        return marked

    def detect(self, image, key, claimed=None):
        bits = image[BLOCK // 2, BLOCK // 2 : BLOCK * self.message_bits : BLOCK, 0] > 127
        return Reading(present=np.array_equal(bits, claimed), score=1.0, bits=bits.astype(np.uint8), p=None)


class Logged(Task):
    """Appends its name to a file ``log`` beside its own."""

    def __call__(self) -> None:
        with self.source.with_name("log").open("a") as log:
            log.write(f"{self.source.name}\n")


class Raising(Logged):
    def __call__(self) -> None:
        super().__call__()
        raise ValueError("no idea")


@dataclass(frozen=True)
class Slow(Logged):
    """Takes its time."""

    seconds: float

    def __call__(self) -> None:
        super().__call__()
        time.sleep(self.seconds)


@dataclass(frozen=True)
class Threads(Task):
    """Whether PyTorch and OpenCV have so many."""

    count: int

    def __call__(self) -> bool:
        return (torch.get_num_threads(), cv2.getNumThreads()) == (self.count, self.count)


class Missing(Logged):
    def load(self) -> None:
        raise MethodMissing("pip install it")


class Finding(Logged):
    def __call__(self) -> bool:
        super().__call__()
        return True


@dataclass(frozen=True)
class Holding(Task):
    """Holds so many bytes for a moment."""

    count: int

    def __call__(self) -> None:
        np.ones(self.count, np.uint8)


def lines(folder: Path) -> list[str]:
    return (folder / "log").read_text().split()
