"""What one job has at hand: its picture, marked and not, its method and message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.methods.base import Method, Pixels
from benchmarks.runner import draws
from benchmarks.runner.plan import Job


class Refused(Exception):
    """A reading that makes no sense for this method or run: nobody's failure."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What the probes of a job are made of.

    Attributes:
        job: the job.
        method: its method, at its operating point.
        host: the picture before it was marked, RGB, uint8, shape (H, W, 3).
        marked: gives the marked picture, or raises why there is none.
        resolve: gives another method by its name.
    """

    job: Job
    method: Method
    host: Pixels
    marked: Callable[[], Pixels]
    resolve: Callable[[str], Method]

    def message(self, bits: int) -> NDArray[np.uint8]:
        """The picture's message, cut to what a method carries."""
        return draws.message(self.job.seed, self.job.picture.sha256, self.job.repeat, bits)
