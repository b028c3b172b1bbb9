"""The speed suite: from JPEG file to JPEG file, and on decoded pixels, beside peers; and its page.

    python -m benchmarks.speed.suite --out benchmarks/results/speed-suite.json [--repeats 3] [--only PART]
    python -m benchmarks.speed.suite --out benchmarks/results/speed-suite.json --table docs/speed.md

Parts are ``decoded``, ``files``, ``memory``, ``start-up`` and ``size``; those measured replace those of the same name
in the result. PyTorch and OpenCV have one thread, in ``decoded`` as many as PyTorch takes by itself.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.speed.page import page
from benchmarks.speed.parts import PARTS, threads

LIMIT = 30.0


def measure(part: str, repeats: int, limit: float) -> dict[str, Any]:
    """One part: ``metadata`` and ``rows``.

    Args:
        part: its name in :data:`PARTS`.
        repeats: calls of each cell.
        limit: seconds a call may take.
    """
    started, load = time.monotonic(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        rows = PARTS[part](Path(folder), repeats, limit)
    metadata = {
        "platform": platform.machine(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cores": os.cpu_count(),
        "load": round(load, 1),
        "threads": threads(part),
        "repeats": repeats,
        "limit_s": limit,
        "seconds": round(time.monotonic() - started),
    }
    return {"metadata": metadata, "rows": rows}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="result, JSON; other parts in it are kept")
    parser.add_argument("--repeats", type=int, default=3, help="calls of what takes no more than 5 s")
    parser.add_argument("--only", choices=list(PARTS), help="measure this part alone")
    parser.add_argument("--table", type=Path, help="write this Markdown page from the result, and measure nothing")
    arguments = parser.parse_args()
    results: dict[str, Any] = {"schema": 1, "parts": {}}
    if arguments.out.exists():
        results = json.loads(arguments.out.read_text(encoding="utf-8"))
    if arguments.table:
        arguments.table.write_text(page(results), encoding="utf-8")
        return
    for part in [arguments.only] if arguments.only else PARTS:
        results["parts"][part] = measure(part, arguments.repeats, LIMIT)
        print(f"{part}: {results['parts'][part]['metadata']['seconds']} s", file=sys.stderr)
        text = json.dumps(results).replace('{"width"', '\n{"width"').replace('{"task"', '\n{"task"')  # a row a line
        arguments.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
