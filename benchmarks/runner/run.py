"""A run from plan to result: resolve methods, find strengths, do what the cache does not hold, collect."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks.methods.base import Method
from benchmarks.methods.registry import PEERS, identity_files
from benchmarks.runner.cache import Cache, files_sha256, package_versions, peer_source_sha256, source_sha256
from benchmarks.runner.execute import Outcome, Workers, one_line
from benchmarks.runner.job import lost, measure
from benchmarks.runner.plan import Facts, Job, Plan
from benchmarks.runner.points import Calibration
from benchmarks.runner.progress import RunProgress
from benchmarks.runner.result import SCHEMA, assemble
from benchmarks.runner.visibility import Visibility
from watermark.errors import UsageError

LIMIT = 1800.0
STOPPED = "the run was stopped; run it again with the same --cache to go on"
_FACTS = ("version", "message_bits", "keyed", "blind", "licence", "note")


def run(
    plan: Plan,
    resolve: Callable[[str], Method],
    cache: Cache,
    workers: int = 2,
    limit: float = LIMIT,
    jod: Path | None = None,
) -> dict[str, Any]:
    """Do a run, or what the cache does not hold of it; after a KeyboardInterrupt, what was not done says so.

    Args:
        plan: what to do.
        resolve: gives a method by its name; picklable by name, since workers call it.
        cache: keeps every job of which nothing failed; what did may lie with the machine, and is tried again.
        workers: processes, one thread each.
        limit: seconds a job may take.
        jod: interpreter of ColorVideoVDP's environment, for JOD of marked pictures and operating points in JOD.

    Returns:
        The result, as ``result.schema.json`` describes it.
    """
    rows, methods = describe(plan.methods, resolve)
    versions = {row["name"]: row["version"] for row in rows}
    identities = {name: _identity(name, versions[facts.label]) for name, facts in methods.items()}
    jobs = plan.jobs(methods, dict.fromkeys(product(methods, plan.points)))  # until strengths are found
    done: dict[int, dict[str, Any]] = {}
    try:
        jobs = plan.jobs(methods, Calibration(plan, identities, cache, resolve, workers, limit, jod).strengths())
        for index, job in enumerate(jobs):
            if job.reason is None and (kept := cache.get(job.causes(identities))) is not None:
                done[index] = kept
        print(f"{len(done)} of {len(jobs)} jobs from the cache", file=sys.stderr)
        left = [index for index, job in enumerate(jobs) if index not in done and job.reason is None]
        with Workers(partial(measure, resolve=resolve), workers, limit) as pool, RunProgress(len(left)) as progress:
            for outcome in pool.outcomes([jobs[index] for index in left]):
                index = left[outcome.index]
                if outcome.reason is None:
                    done[index] = outcome.value
                    if _settled(outcome.value):
                        cache.put(jobs[index].causes(identities), outcome.value)
                else:
                    done[index] = lost(jobs[index], "failed", outcome.reason)
                progress.advance(_spelled(jobs[index], outcome))
        if jod is not None:
            marked = [index for index in sorted(done) if done[index]["embed"]["status"] == "ok"]
            jods = Visibility(identities, cache, resolve, workers, limit, jod).jods([jobs[index] for index in marked])
            for index, value in zip(marked, jods, strict=True):
                done[index] = {**done[index], "embed": _with_jod(done[index]["embed"], value)}
    except KeyboardInterrupt:
        for rows_of_job in done.values():
            if jod is not None and rows_of_job["embed"]["status"] == "ok":
                rows_of_job["embed"] = _with_jod(rows_of_job["embed"], STOPPED)
        done = {index: lost(job, "failed", STOPPED) for index, job in enumerate(jobs)} | done
    done |= {index: lost(job, "refused", job.reason) for index, job in enumerate(jobs) if job.reason is not None}
    return assemble(plan, rows, [done[index] for index in range(len(jobs))])


def describe(names: Sequence[str], resolve: Callable[[str], Method]) -> tuple[list[dict[str, Any]], dict[str, Facts]]:
    """What methods say of themselves.

    Returns:
        A row for each as results hold it, and the facts of those that can run.

    Raises:
        UsageError: a name is unknown, or two methods call themselves the same.
    """
    rows: list[dict[str, Any]] = []
    methods: dict[str, Facts] = {}
    for name in names:
        try:
            made = resolve(name)
        except UsageError:
            raise
        except Exception as error:
            rows.append({"name": name, **dict.fromkeys(_FACTS), "status": "missing", "reason": one_line(error)})
            continue
        if made.name in {facts.label for facts in methods.values()}:
            raise UsageError(f"two methods are named {made.name!r}; a result can hold one of them")
        methods[name] = Facts(made.name, made.keyed, made.blind)
        rows.append({fact: getattr(made, fact) for fact in ("name", *_FACTS)} | {"status": "ok", "reason": None})
    return rows, methods


def _identity(name: str, version: str) -> dict[str, Any]:
    """All that the rows of a method depend on but the job; our weights change nothing of a peer's."""
    source = peer_source_sha256() if name in PEERS else source_sha256()
    return {
        "schema": SCHEMA,
        "versions": package_versions(),
        "source": source,
        "name": name,
        "version": version,
        "files": files_sha256(identity_files(name)),
    }


def _with_jod(row: dict[str, Any], value: float | str) -> dict[str, Any]:
    """The row of a marking with its JOD, or with the reason why there is none."""
    if isinstance(value, str):
        return {**row, "reason": "; ".join(filter(None, [row["reason"], value]))}
    return {**row, "jod": value}


def _settled(done: dict[str, Any]) -> bool:
    """Whether no row of a job failed; one that was refused is refused again."""
    return all(row["status"] != "failed" for row in (done["embed"], *done["reads"]))


def _spelled(job: Job, outcome: Outcome) -> str:
    end = f"{outcome.seconds:.1f} s" if outcome.reason is None else outcome.reason
    return f"{job.picture.name} {job.label} {job.point}: {end}"
