"""Images a second of training as users run it: whole steps of ``watermark train``, on one core and on two."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from watermark.training.checkpoint import METRICS

_WARM_UP = 2  # steps that count for nothing; even, as the adversary takes part in every second


class Layout(NamedTuple):
    """How training is spread over cores.

    Attributes:
        processes: of torchrun, which share every batch.
        threads: of each.
    """

    processes: int
    threads: int

    def __str__(self) -> str:
        """As tables name it."""
        plural = "es" if self.processes > 1 else "", "s" if self.threads > 1 else ""
        return f"{self.processes} process{plural[0]}, {self.threads} thread{plural[1]}"


LAYOUTS = (Layout(1, 1), Layout(1, 2), Layout(2, 1))


def images_per_second(layout: Layout, data: Path, preset: str, steps: int) -> float:
    """Images a second of a short run from the start, with the adversary as in a run's later steps.

    Args:
        layout: processes and threads.
        data: folder of training pictures.
        preset: recipe.
        steps: how many steps, an even number; the first two count for nothing.

    Raises:
        RuntimeError: training failed; its last words.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = ["-m", "watermark.cli.main", "train", "--preset", preset, "--data", str(data), "--out", folder]
        settings = {
            "steps": steps,
            "log_every": 1,
            "validate_every": steps + 1,
            "checkpoint_every": steps + 1,
            "adversarial_start": 0,
        }
        command += ["--threads", str(layout.threads)]
        command += [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
        launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(layout.processes)]
        run = subprocess.run(
            [sys.executable, *(launcher if layout.processes > 1 else []), *command],
            env=os.environ | {"OMP_NUM_THREADS": str(layout.threads)},
            capture_output=True,
            text=True,
        )
        if run.returncode:
            raise RuntimeError(f"training with {layout} ended with {run.returncode}: {run.stderr[-400:]}")
        lines = [json.loads(line) for line in (Path(folder) / METRICS).read_text().splitlines()]
    return settled(lines)


def settled(lines: list[dict[str, float]]) -> float:
    """Images a second after the first two steps.

    Args:
        lines: metrics of each step: ``images`` so far, and ``images_per_second`` since the start.

    Example:
        >>> settled([{"images": 8, "images_per_second": 2}, {"images": 16, "images_per_second": 2},
        ...          {"images": 24, "images_per_second": 2.4}, {"images": 32, "images_per_second": 2.56}])
        3.56
    """
    before, last = lines[_WARM_UP - 1], lines[-1]
    seconds = last["images"] / last["images_per_second"] - before["images"] / before["images_per_second"]
    return round((last["images"] - before["images"]) / seconds, 2)
