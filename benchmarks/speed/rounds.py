"""Times and peak memory of tasks, in worker processes; what fails or takes too long says so.

A row is a dictionary: ``width``, ``height``, ``method`` and ``task`` say what it is, ``reason`` why it was not
measured, or ``None``. Times add ``calls``, ``median_ms``, ``quartile_1``, ``quartile_3``, ``cpu_ms`` (median of the
process's CPU time, which other programs' load lengthens less) and ``found`` (whether a mark was found; ``None`` where
none was looked for); memory adds ``picture_bytes`` and ``peak_bytes``.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch

from benchmarks.methods import MethodError
from benchmarks.runner.execute import Workers
from benchmarks.runner.peak import with_peak
from benchmarks.speed.tasks import Task

Row = dict[str, Any]
LONG = 5.0  # seconds; a task that takes longer is called once, loading of networks included


@dataclass(frozen=True)
class Cell:
    """A task and how its row is headed.

    Attributes:
        width: of the picture in pixels, or of the array.
        height: of the picture in pixels, or of the array.
        method: whose task it is.
        title: what it does.
        task: the task.
    """

    width: int
    height: int
    method: str
    title: str
    task: Task

    def row(self, reason: str | None, **values: Any) -> Row:
        """Its row."""
        head = {"width": self.width, "height": self.height, "method": self.method, "task": self.title}
        return {**head, "reason": reason, **values}


class Call(NamedTuple):
    """One call: how long by the clock, how long on a core, and whether it found a mark."""

    milliseconds: float
    cpu_milliseconds: float
    found: bool | None


def quartiles(milliseconds: Sequence[float]) -> dict[str, float]:
    """Median and quartiles as a row has them."""
    low, middle, high = (round(float(value), 2) for value in np.percentile(milliseconds, [25, 50, 75]))
    return {"median_ms": middle, "quartile_1": low, "quartile_3": high}


def summary(calls: Sequence[Call]) -> dict[str, Any]:
    """What a row says of its calls.

    Example:
        >>> summary([Call(milliseconds, 1.5, True) for milliseconds in (1, 2, 3, 4, 5)])
        {'calls': 5, 'median_ms': 3.0, 'quartile_1': 2.0, 'quartile_3': 4.0, 'cpu_ms': 1.5, 'found': True}
    """
    return {
        "calls": len(calls),
        **quartiles([call.milliseconds for call in calls]),
        "cpu_ms": round(median(call.cpu_milliseconds for call in calls), 2),
        "found": calls[-1].found,
    }


def time_rounds(cells: Sequence[Cell], repeats: int, limit: float, threads: int = 1) -> list[Row]:
    """Time all cells round-robin, one call of each in turn, so that noise hits all alike.

    The first round warms up and shows what fails; it counts only for cells that take longer than :data:`LONG`.

    Args:
        cells: in an order in which files are written before they are read.
        repeats: calls of a cell after the first round.
        limit: seconds a call may take.
        threads: of PyTorch and of OpenCV.
    """
    calls: dict[int, list[Call]] = defaultdict(list)
    reasons: dict[int, str] = {}
    with Workers(partial(_timed, threads=threads), 1, limit, threads) as workers:

        def take(indices: Sequence[int]) -> None:
            for outcome in workers.outcomes([cells[index].task for index in indices]):
                index = indices[outcome.index]
                if outcome.reason is None:
                    calls[index].append(outcome.value)
                else:
                    reasons[index] = outcome.reason

        take(range(len(cells)))
        again = [index for index in calls if calls[index][0].milliseconds <= 1000 * LONG]
        for index in again:
            calls[index].clear()
        take(again * repeats)
    return [
        cell.row(reasons[index]) if index in reasons else cell.row(None, **summary(calls[index]))
        for index, cell in enumerate(cells)
    ]


def peak_memory(cells: Sequence[Cell], limit: float) -> list[Row]:
    """Peak resident memory of one call of each cell in a fresh process, less that after its imports."""
    rows = []
    for cell in cells:
        with Workers(_peak, 1, limit) as workers:
            (outcome,) = workers.outcomes([cell.task])
        rows.append(cell.row(outcome.reason, picture_bytes=3 * cell.width * cell.height, peak_bytes=outcome.value))
    return rows


def _timed(task: Task, threads: int) -> Call:
    torch.set_num_threads(threads)  # a worker starts with one
    cv2.setNumThreads(threads)
    task.load()
    if not task.source.exists():
        raise MethodError("no marked file to read")
    started, cpu_started = time.perf_counter(), time.process_time()
    found = task()
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    return Call(1000 * seconds, 1000 * cpu_seconds, found)


def _peak(task: Task) -> int:
    """Bytes."""
    task.load()
    _, before = with_peak(lambda: None)
    _, peak = with_peak(task)
    if before is None or peak is None:
        raise OSError("peak memory is known on Linux only")
    return peak - before
