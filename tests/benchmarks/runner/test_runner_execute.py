"""Worker processes: what becomes of a task, and what a worker may use."""

from __future__ import annotations

import os
from collections import namedtuple
from multiprocessing import Pipe

import fake_methods
import pytest

from benchmarks.runner import execute
from benchmarks.runner.execute import Workers


def test_workers_outlive_their_tasks(monkeypatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    tasks = ["a", "raise", "threads", "hang", "die", "b"]
    with Workers(fake_methods.work, count=2, limit=1.0) as workers:
        outcomes = {tasks[outcome.index]: outcome for outcome in workers.outcomes(tasks)}
    assert os.environ["OMP_NUM_THREADS"] == "5"
    assert {task: outcome.value for task, outcome in outcomes.items() if outcome.reason is None} == {
        "a": "A",
        "b": "B",
        "threads": "1 1 1 threads on 1",
    }
    assert {task: outcome.reason for task, outcome in outcomes.items() if outcome.reason is not None} == {
        "hang": "took more than 1 s",
        "die": "worker died (exit code 7)",
        "raise": "ValueError: this one",
    }


@pytest.mark.parametrize(("threads", "pinned"), [(1, [{5}]), (3, [])])
def test_workers_of_one_thread_are_pinned(monkeypatch, threads: int, pinned: list[set[int]]) -> None:
    """The fifth of them, where three cores are allowed, in this process."""
    given, cores = [], []
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {7, 2, 5}, raising=False)
    monkeypatch.setattr(os, "sched_setaffinity", lambda process, allowed: cores.append(allowed), raising=False)
    monkeypatch.setattr("torch.set_num_threads", given.append)
    monkeypatch.setattr("cv2.setNumThreads", given.append)
    ours, theirs = Pipe()
    ours.close()
    execute._serve(theirs, fake_methods.work, 4, threads)
    assert (cores, given) == (pinned, [threads, threads])


def test_each_worker_has_a_number_of_its_own(monkeypatch) -> None:
    """Also one that takes another's place."""
    numbered = namedtuple("Numbered", "number")
    monkeypatch.setattr(execute, "_Worker", lambda function, number, threads: numbered(number))
    workers = Workers(fake_methods.work, count=3, limit=1.0)
    made = [workers._worker()]
    for index in range(2):
        workers._busy[made[-1]] = (index, 0.0)
        made.append(workers._worker())
    assert [worker.number for worker in made] == [0, 1, 2]
    workers._busy = {made[2]: (0, 0.0)}
    workers._idle = [made[0]]
    assert workers._worker().number == 1


def test_worker_that_does_not_start(monkeypatch) -> None:
    monkeypatch.setattr(execute, "START_LIMIT", 0.5)
    with Workers(fake_methods.NeverThere(), count=1, limit=60.0) as workers:
        assert [outcome.reason for outcome in workers.outcomes(["a"])] == ["took more than 0.5 s to start"]
