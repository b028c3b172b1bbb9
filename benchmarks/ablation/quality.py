"""Operating points: the strength at which an arm's marks have a given mean PSNR, or a given mean JOD."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
from PIL import Image

from benchmarks import jod as jod_script
from watermark.working import Pixels

_TOLERANCE = 0.02  # dB
_TRIES = 10


def strength_at_psnr(psnr_at: Callable[[float], float], target: float) -> float:
    """The strength with a mean PSNR within .02 dB of the target.

    Strength and PSNR move together nearly dB for dB, so each step goes the whole way that is missing.

    Args:
        psnr_at: mean PSNR in dB at a strength in dB.
        target: in dB.

    Raises:
        ValueError: ten steps do not reach it.

    Example:
        >>> round(strength_at_psnr(lambda strength: strength - 1.5, 42.0), 3)
        43.5
    """
    strength = target
    for _ in range(_TRIES):
        missing = target - psnr_at(strength)
        if abs(missing) <= _TOLERANCE:
            return strength
        strength += missing
    raise ValueError(f"a mean PSNR of {target} dB was not reached; the last strength was {strength:.2f} dB")


def strength_at_jod(strengths: Sequence[float], jods: Sequence[float], target: float) -> float | None:
    """The strength at a mean JOD, between those measured: log(10 - JOD) is taken as linear in dB between neighbours.

    Args:
        strengths: in dB, rising.
        jods: mean JOD at each, below 10.
        target: JOD.

    Returns:
        Strength in dB; ``None`` where the target lies outside of what was measured, or JOD does not rise.

    Example:
        >>> round(strength_at_jod([42.0, 46.0], [9.2, 9.8], 9.6), 2)
        44.0
    """
    losses = -np.log(10 - np.array(jods))
    wanted = -np.log(10 - target)
    if (np.diff(losses) <= 0).any() or not losses[0] <= wanted <= losses[-1]:
        return None
    return float(np.interp(wanted, losses, strengths))


def mean_jod(python: Path, hosts: Sequence[Path], marked: Sequence[Pixels], folder: Path) -> float:
    """Mean JOD of marked pictures by ``benchmarks/jod.py`` in an environment of its own.

    Args:
        python: interpreter of an environment made by ``benchmarks/jod_environment.sh``.
        hosts: files of the unmarked pictures.
        marked: their marked pixels.
        folder: where the pictures are written; made if it is missing.

    Raises:
        subprocess.CalledProcessError: the script failed; it has said why on stderr.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pairs = []
    for host, pixels in zip(hosts, marked, strict=True):
        file = folder / f"{host.stem}.png"
        Image.fromarray(pixels).save(file, compress_level=1)
        pairs.append([str(host), str(file)])
    listed = folder / "pairs.json"
    listed.write_text(json.dumps(pairs))
    command = [str(python), str(jod_script.__file__), str(listed)]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return fmean(json.loads(line)["jod"] for line in lines)
