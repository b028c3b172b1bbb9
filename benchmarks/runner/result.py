"""The one file that comes out of a run, and what it says of the machine."""

from __future__ import annotations

import json
import os
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from benchmarks.runner.cache import package_versions, source_sha256
from benchmarks.runner.plan import Plan
from benchmarks.runner.probes import extra_attacks
from watermark.errors import UsageError
from watermark.files import write_atomically

SCHEMA = 1
_MOST_REASONS = 3  # named of each method's rows that were not done


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a result."""
    text = files("benchmarks.runner").joinpath("result.schema.json").read_text(encoding="utf-8")
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def assemble(plan: Plan, methods: Sequence[Mapping[str, Any]], jobs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The result of a run as plain values.

    Args:
        plan: the run.
        methods: rows of the methods.
        jobs: ``embed`` and ``reads`` of every job, in the plan's order.
    """
    reads = [row for job in jobs for row in job["reads"]]
    settings = {setting.id: setting for setting in (*plan.tier.settings, *plan.tier.null_settings)}
    extra = extra_attacks(plan.tier, [row["name"] for row in methods if row["status"] == "ok"])
    return {
        "schema": SCHEMA,
        "tier": plan.tier.name,
        "seed": plan.seed,
        "versions": {"python": platform.python_version(), **package_versions()},
        "source_sha256": source_sha256(),
        "hardware": hardware(),
        "data": {
            "images": [
                {
                    "name": picture.name,
                    "sha256": picture.sha256 or None,
                    "width": picture.width,
                    "height": picture.height,
                    "kind": picture.kind,
                }
                for picture in plan.pictures
            ]
        },
        "methods": list(methods),
        "attacks": [*(setting.row() for setting in settings.values()), *extra],
        "attempts": dict(sorted(Counter(row["kind"] for row in reads if row["status"] == "ok").items())),
        "embeds": [job["embed"] for job in jobs],
        "reads": reads,
    }


def hardware() -> dict[str, Any]:
    """Cores, architecture and name of the processor: nothing that names the machine."""
    return {
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "processor": _processor(),
        "system": platform.system(),
    }


def _processor() -> str | None:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or None
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or None


def shortfalls(result: Mapping[str, Any]) -> list[str]:
    """What was not measured, a line a method: why it is missing, or how many of its rows were not done, and why.

    A reading of a picture that was not marked counts for the reason why it was not.
    """
    lines = []
    for method in result["methods"]:
        rows = [row for row in (*result["embeds"], *result["reads"]) if row["method"] == method["name"]]
        reasons = Counter(
            row["reason"].removeprefix("ValueError: ").removeprefix("not marked: ")
            for row in rows
            if row["status"] != "ok"
        )
        if method["status"] == "missing":
            lines.append(f"{method['name']} is missing: {method['reason']}")
        elif reasons:
            why = "; ".join(f"{count} of them: {reason}" for reason, count in reasons.most_common(_MOST_REASONS))
            more = f"; and {len(reasons) - _MOST_REASONS} more reasons" if len(reasons) > _MOST_REASONS else ""
            lines.append(f"{method['name']}: {reasons.total()} of {len(rows)} rows not done, {why}{more}")
    return lines


def write_result(result: Mapping[str, Any], path: Path) -> None:
    """Write a result, a row a line, whole or not at all.

    Raises:
        OSError: the folder is missing or not writable.
    """
    parts = []
    for name, value in result.items():
        if isinstance(value, list):
            rows = ",\n".join(json.dumps(row, allow_nan=False) for row in value)
            parts.append(f"{json.dumps(name)}: [\n{rows}\n]")
        else:
            parts.append(f"{json.dumps(name)}: {json.dumps(value, allow_nan=False)}")
    write_atomically(path, ("{\n" + ",\n".join(parts) + "\n}\n").encode())


def read_result(path: Path) -> dict[str, Any]:
    """A result from its file.

    Raises:
        UsageError: the file cannot be read, or is no result of this schema.
    """
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the result {path}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path} is not JSON: {error}") from error
    if not isinstance(result, dict) or result.get("schema") != SCHEMA or "reads" not in result:
        raise UsageError(f"{path} is no benchmark result of schema {SCHEMA}; make one by watermark bench run")
    return result
