"""Strengths of all methods at all operating points of a run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.methods.base import Method
from benchmarks.runner.cache import Cache
from benchmarks.runner.calibrate import (
    JOD_STRENGTHS,
    Marking,
    Uncalibrated,
    mark,
    measure_jod,
    strength_for_jod,
    strength_for_psnr,
)
from benchmarks.runner.execute import Workers
from benchmarks.runner.pictures import Picture
from benchmarks.runner.plan import DEFAULT_POINT, Plan, Strength
from benchmarks.runner.progress import RunProgress
from watermark.errors import UsageError

ALL_POINTS = (DEFAULT_POINT, *(f"psnr {db}" for db in (40, 42, 44, 46)), *(f"jod {jod}" for jod in (9.6, 9.8, 9.9)))


def check_point(point: str) -> str:
    """The operating point, if it is one: ``default``, ``psnr 42``, ``jod 9.8``.

    Raises:
        UsageError: it is something else.
    """
    measure, _, value = point.partition(" ")
    number = value.replace(".", "", 1)
    if point == DEFAULT_POINT or (measure in {"psnr", "jod"} and number.isascii() and number.isdigit()):
        return point
    raise UsageError(f"an operating point is default, psnr DB or jod JOD, but {point!r} came")


class Calibration:
    """Finds strengths, marking pictures in worker processes and keeping what it found.

    Args:
        plan: the run.
        identities: what each method that can run is.
        cache: where strengths are kept.
        resolve: gives a method by its name.
        workers: processes.
        limit: seconds one marking may take.
        jod: interpreter of ColorVideoVDP's environment; JOD points have a reason instead of a strength without it.
    """

    def __init__(
        self,
        plan: Plan,
        identities: Mapping[str, Any],
        cache: Cache,
        resolve: Callable[[str], Method],
        workers: int,
        limit: float,
        jod: Path | None,
    ) -> None:
        self._plan, self._identities, self._cache, self._jod = plan, identities, cache, jod
        self._workers: Workers[Marking] = Workers(partial(mark, resolve=resolve), workers, limit)
        self._sought = [place for place in product(identities, plan.points) if place[1] != DEFAULT_POINT]
        self._progress = RunProgress(len(self._sought), "operating points")
        self._large_enough: dict[str, Sequence[Picture]] = {}  # by method, as its first marking found

    def strengths(self) -> dict[tuple[str, str], Strength]:
        """By method and point."""
        found: dict[tuple[str, str], Strength] = dict.fromkeys(product(self._identities, self._plan.points))
        if not self._sought:
            return found
        with self._workers, self._progress:
            for name, point in self._sought:
                try:
                    found[name, point] = strength = self._strength(name, point)
                    outcome = f"{strength:.2f} dB"
                except Uncalibrated as reason:
                    found[name, point] = outcome = str(reason)
                self._progress.advance(f"{name} {point}: {outcome}")
        return found

    def _strength(self, name: str, point: str) -> float:
        measure, _, value = point.partition(" ")
        target = float(value)
        if measure == "psnr":
            found = self._kept(name, point, lambda: strength_for_psnr(partial(self._mean_psnr, name), target))
            return float(found)
        table = self._kept(name, "jod table", lambda: self._jod_table(name))
        return strength_for_jod({float(strength): jod for strength, jod in table.items()}, target)

    def _kept(self, name: str, what: str, measure: Callable[[], Any]) -> Any:
        """From the cache, or measured and kept."""
        causes = {
            "calibrated": [self._identities[name], what],
            "pictures": [picture.sha256 for picture in self._plan.measured],
            "seed": self._plan.seed,
        }
        value = self._cache.get(causes)
        if value is None:
            value = measure()
            self._cache.put(causes, value)
        return value

    def _mean_psnr(self, name: str, strength: float) -> float:
        return float(np.mean([decibels for decibels, _ in self._marked(name, strength, None)]))

    def _jod_table(self, name: str) -> dict[str, float]:
        """Mean JOD by strength, spelled, since JSON has no other names."""
        if self._jod is None:
            raise Uncalibrated("JOD was not measured: give --jod PYTHON of benchmarks/jod_environment.sh's environment")
        table = {}
        for strength in JOD_STRENGTHS:
            with tempfile.TemporaryDirectory() as folder:
                pairs = [paths for _, paths in self._marked(name, strength, Path(folder))]
                table[str(strength)] = float(np.mean(measure_jod(pairs, self._jod)))
        return table

    def _marked(self, name: str, strength: float, folder: Path | None) -> Sequence[tuple[float, list[str]]]:
        """The same pictures at every strength: all but those too small for the method."""
        pictures = self._large_enough.get(name, self._plan.measured)
        tasks = [Marking(name, strength, picture, self._plan.seed, folder) for picture in pictures]
        outcomes = sorted(self._workers.outcomes(tasks), key=lambda outcome: outcome.index)
        for picture, outcome in zip(pictures, outcomes, strict=True):
            if outcome.reason is not None:
                raise Uncalibrated(f"{picture.name} was not marked: {outcome.reason}")
        found = [(picture, done.value) for picture, done in zip(pictures, outcomes, strict=True) if done.value]
        if not found:
            raise Uncalibrated("no picture of the run can be read and is large enough")
        if name in self._large_enough and len(found) < len(pictures):
            raise Uncalibrated(f"{name} takes pictures at one strength that are too small for it at {strength:g} dB")
        self._large_enough[name] = [picture for picture, _ in found]
        self._progress.note(f"{name} at {strength:.2f} dB: {len(found)} pictures marked")
        return [value for _, value in found]
