"""JOD of the pictures that a run marked: marked again, since no job keeps its picture, and judged many at a time."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import jod
from benchmarks.methods.base import Method
from benchmarks.runner.cache import Cache
from benchmarks.runner.calibrate import Marking, Uncalibrated, mark, measure_jod
from benchmarks.runner.execute import Workers
from benchmarks.runner.plan import Job
from benchmarks.runner.progress import RunProgress

_PLACES = 4  # of a JOD; further ones are ColorVideoVDP's rounding


class Visibility:
    """Judges marked pictures by ColorVideoVDP.

    Args:
        identities: what each method that can run is.
        cache: keeps every JOD.
        resolve: gives a method by its name.
        workers: processes that mark.
        limit: seconds one marking may take.
        python: interpreter of the environment that ``benchmarks/jod_environment.sh`` makes.
    """

    def __init__(
        self,
        identities: Mapping[str, Any],
        cache: Cache,
        resolve: Callable[[str], Method],
        workers: int,
        limit: float,
        python: Path,
    ) -> None:
        self._identities, self._cache, self._python = identities, cache, python
        self._workers: Workers[Marking] = Workers(partial(mark, resolve=resolve), workers, limit)

    def jods(self, jobs: Sequence[Job]) -> list[float | str]:
        """JOD of each job's marked picture, or why there is none; one process judges all of a method and point."""
        found: dict[int, float | str] = {}
        batches: dict[tuple[str, str], list[int]] = defaultdict(list)
        for index, job in enumerate(jobs):
            if (kept := self._cache.get(self._causes(job))) is not None:
                found[index] = kept
            else:
                batches[job.label, job.point].append(index)
        with self._workers, RunProgress(len(batches)) as progress:
            for (label, point), batch in batches.items():
                found |= zip(batch, self._judged([jobs[index] for index in batch]), strict=True)
                progress.advance(f"JOD of {len(batch)} pictures, {label} {point}")
        return [found[index] for index in range(len(jobs))]

    def _judged(self, jobs: Sequence[Job]) -> list[float | str]:
        with tempfile.TemporaryDirectory() as folder:
            tasks = [Marking(job.method, job.strength, job.picture, job.seed, Path(folder), job.repeat) for job in jobs]
            outcomes = sorted(self._workers.outcomes(tasks), key=lambda outcome: outcome.index)
            values: list[float | str] = [
                f"JOD: not marked again: {outcome.reason or 'too small'}" for outcome in outcomes
            ]
            marked = [outcome.index for outcome in outcomes if outcome.value is not None]
            try:
                jods = measure_jod([outcomes[index].value[1] for index in marked], self._python)
            except Uncalibrated as reason:
                return [str(reason) if index in marked else value for index, value in enumerate(values)]
        for index, value in zip(marked, jods, strict=True):
            values[index] = round(value, _PLACES)
            self._cache.put(self._causes(jobs[index]), values[index])
        return values

    def _causes(self, job: Job) -> dict[str, Any]:
        return {
            "jod": [jod.VERSION, jod.DISPLAY],
            "method": self._identities[job.method],
            "strength": job.strength,
            "picture": job.picture.sha256,
            "repeat": job.repeat,
            "seed": job.seed,
        }
