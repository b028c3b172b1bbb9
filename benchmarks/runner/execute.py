"""Worker processes, each on a core of its own; a task that raises, hangs or kills its worker becomes a reason, no more.

``concurrent.futures`` gives up its whole pool when one process dies, and stops no task that hangs: hence processes and
pipes.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Generic, TypeVar

Task = TypeVar("Task")
START_LIMIT = 300.0  # seconds in which a worker must load its libraries, whatever a task may take
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # read when the libraries are loaded
_CONTEXT = multiprocessing.get_context("spawn")  # a fork would inherit torch's and OpenCV's threads


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a task.

    Attributes:
        index: place of the task among those given.
        value: what the function returned; ``None`` if it did not.
        reason: why it did not; ``None`` if it did.
        seconds: from start to end.
    """

    index: int
    value: Any
    reason: str | None
    seconds: float


def one_line(error: BaseException) -> str:
    """An error as one line: its type and the first line of what it says."""
    return f"{type(error).__name__}: {error}".partition("\n")[0].rstrip(": ")


class Workers(Generic[Task]):
    """Processes that apply a function to tasks; they start at the first task and end with the ``with`` block.

    Those of one thread are pinned to one core each of those that this process may use, where the system can do so;
    with more processes than cores they share.

    Args:
        function: picklable by name; takes a task, returns plain values.
        count: processes.
        limit: seconds a task may take.
        threads: of a process.
    """

    def __init__(self, function: Callable[[Task], Any], count: int, limit: float, threads: int = 1) -> None:
        self._function, self._count, self._limit, self._threads = function, count, limit, threads
        self._idle: list[_Worker] = []
        self._busy: dict[_Worker, tuple[int, float]] = {}  # index of its task, and when that began

    def __enter__(self) -> Workers[Task]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in (*self._idle, *self._busy):
            worker.stop()
        self._idle.clear()
        self._busy.clear()

    def outcomes(self, tasks: Sequence[Task]) -> Iterator[Outcome]:
        """Apply the function to all tasks; outcomes come as they are ready, one for every task."""
        left = iter(enumerate(tasks))
        exhausted = False
        while True:
            while not exhausted and len(self._busy) < self._count:
                index, task = next(left, (-1, None))
                exhausted = index < 0
                if task is not None:
                    self._start(index, task)
            if not self._busy:
                return
            yield from self._finished()

    def _start(self, index: int, task: Task) -> None:
        worker = self._idle.pop() if self._idle else self._worker()
        self._busy[worker] = (index, time.monotonic())
        worker.send(task)

    def _worker(self) -> _Worker:
        """A new one, whose number no other has."""
        taken = {worker.number for worker in (*self._idle, *self._busy)}
        return _Worker(self._function, min(set(range(self._count)) - taken), self._threads)

    def _finished(self) -> Iterator[Outcome]:
        now = time.monotonic()
        patience = min(began + self._allowed(worker) - now for worker, (_, began) in self._busy.items())
        ready = wait([worker.connection for worker in self._busy], max(0.0, patience))
        now = time.monotonic()
        for worker, (index, began) in list(self._busy.items()):
            late = now - began >= self._allowed(worker)
            if worker.connection not in ready and not late:
                continue
            if worker.connection in ready and not worker.ready and worker.receive_ready():
                self._busy[worker] = (index, now)
                continue
            del self._busy[worker]
            if worker.connection in ready:
                value, reason, alive = worker.receive()
            else:
                value, alive = None, False
                reason = f"took more than {self._allowed(worker):g} s{'' if worker.ready else ' to start'}"
            if alive:
                self._idle.append(worker)
            else:
                worker.stop()
            yield Outcome(index, value, reason, now - began)

    def _allowed(self, worker: _Worker) -> float:
        return self._limit if worker.ready else START_LIMIT


class _Worker:
    """One process and the pipe to it."""

    def __init__(self, function: Callable[[Any], Any], number: int, threads: int) -> None:
        self.number = number
        self.ready = False  # whether it has loaded its libraries, which no task is to pay for
        self.connection, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_serve, args=(theirs, function, number, threads), daemon=True)
        with _environment(dict.fromkeys(_THREADS, str(threads))):
            self._process.start()
        theirs.close()  # so that its death ends the pipe

    def send(self, task: Any) -> None:
        with suppress(BrokenPipeError):  # it died while idle; receive says so
            self.connection.send(task)

    def receive_ready(self) -> bool:
        """Whether the first message came, rather than the end."""
        with suppress(EOFError, ConnectionResetError):
            self.connection.recv()
            self.ready = True
        return self.ready

    def receive(self) -> tuple[Any, str | None, bool]:
        """Value, reason, and whether the worker can go on."""
        try:
            value, reason = self.connection.recv()
        except (EOFError, ConnectionResetError):
            self._process.join()
            return None, f"worker died (exit code {self._process.exitcode})", False
        return value, reason, True

    def stop(self) -> None:
        self._process.kill()
        self._process.join()
        self.connection.close()


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """The environment with some variables set, for what is started meanwhile."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _serve(connection: Connection, function: Callable[[Any], Any], number: int, threads: int) -> None:
    """What a worker does: tasks from the pipe, answers into it, until the pipe ends or Ctrl-C reaches all processes."""
    if threads == 1 and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[number % len(cores)]})
    with suppress(EOFError, BrokenPipeError, KeyboardInterrupt):  # the run ended or was stopped
        import cv2
        import torch

        torch.set_num_threads(threads)
        cv2.setNumThreads(threads)
        connection.send(None)
        while True:
            connection.send(_answer(function, connection.recv()))


def _answer(function: Callable[[Any], Any], task: Any) -> tuple[Any, str | None]:
    """Value, and reason."""
    try:
        return function(task), None
    except Exception as error:
        return None, one_line(error)
