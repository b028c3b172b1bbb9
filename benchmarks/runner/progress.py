"""How far a run is, on stderr: a bar on a terminal, else a line a job."""

from __future__ import annotations

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


class RunProgress:
    """Counts jobs and estimates the time left.

    Args:
        total: jobs to do.
        noun: what they are called.
    """

    def __init__(self, total: int, noun: str = "jobs") -> None:
        self._total, self._done, self._began = total, 0, time.monotonic()
        self._bar = Progress(
            TextColumn(f"{{task.completed}}/{{task.total}} {noun}"),
            BarColumn(),
            TextColumn("{task.description}, left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("starting", total=total)

    def __enter__(self) -> RunProgress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def note(self, what: str) -> None:
        """Something was done of a job that goes on."""
        self._bar.update(self._task, description=what)
        if self._bar.disable:
            print(f"{self._done}/{self._total} {what}", file=sys.stderr, flush=True)

    def advance(self, what: str) -> None:
        """One more job is done."""
        self._done += 1
        self._bar.update(self._task, advance=1, description=what)
        if self._bar.disable:
            left = (time.monotonic() - self._began) / self._done * (self._total - self._done)
            print(f"{self._done}/{self._total} {what}, about {left:.0f} s left", file=sys.stderr, flush=True)
