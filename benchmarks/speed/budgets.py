"""The detector's budgets at 12 megapixels beside what it takes: a section of ``docs/envelope.md``."""

from __future__ import annotations

from typing import Any

from benchmarks.speed.page import line, times
from benchmarks.speed.parts import SIZES

BUDGETS = {"detect none": 40, "detect fast": 300, "detect full": 1500}  # milliseconds; two threads, decoded pixels


def section(decoded: dict[str, Any]) -> list[str]:
    """A table of the largest size, budgets beside the medians; one that is missed says so.

    Args:
        decoded: the part as ``benchmarks.speed.suite`` writes it.
    """
    about, (width, height) = decoded["metadata"], SIZES[-1]
    lines = [
        f"Decoded pixels, {width} x {height}, threads: {about['threads']} on {about['cores']} cores, load "
        f"{about['load']} before; the budgets are for two. Where CPU time is far below the median, other programs "
        "held the cores. More is in [speed](speed.md).",
        "",
        "| method | task | median ms | quartiles | CPU ms | calls | budget ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in decoded["rows"]:
        if (row["width"], row["height"]) == (width, height):
            budget = BUDGETS.get(row["task"].partition(",")[0])
            lines.append(line(row["method"], row["task"], *times(row), _beside(budget, row)))
    return lines


def _beside(budget: int | None, row: dict[str, Any]) -> str:
    if budget is None:
        return ""
    met = row["reason"] is None and row["median_ms"] <= budget
    return f"{budget}" if met else f"{budget} **missed**"
