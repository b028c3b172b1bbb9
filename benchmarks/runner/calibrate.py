"""Operating points: the strength at which a method has a mean PSNR, or a mean JOD, on the pictures of the run."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.optimize import brentq

from benchmarks import jod
from benchmarks.methods.base import Method
from benchmarks.metrics.quality import psnr
from benchmarks.runner import draws
from benchmarks.runner.pictures import Picture
from benchmarks.runner.probes import embed
from watermark.errors import ImageTooSmall, UnsupportedImage

JOD_STRENGTHS = (30.0, 34.0, 38.0, 41.0, 44.0, 47.0, 50.0)
_REACH = 6.0  # dB either side of the target in which the strength is sought
_TOLERANCE = 0.02  # dB of strength


class Uncalibrated(Exception):
    """A method has no strength with the quality asked for; the message says why."""


@dataclass(frozen=True, slots=True)
class Marking:
    """Mark one picture at a strength, as a job of the run does.

    Attributes:
        method: name of the method.
        strength: in dB; the method's default if ``None``.
        picture: the picture.
        seed: of the run.
        pairs: folder in which host and marked picture are left as PNG, if wanted.
        repeat: which of the picture's keys.
    """

    method: str
    strength: float | None
    picture: Picture
    seed: int
    pairs: Path | None = None
    repeat: int = 0


def mark(marking: Marking, resolve: Callable[[str], Method]) -> tuple[float, list[str]] | None:
    """PSNR in dB of one marked picture, and the paths of host and marked picture if they were wanted.

    ``None`` if the picture is of a kind that is not read, or smaller than the method takes.
    """
    method = resolve(marking.method)
    if marking.strength is not None:
        method = method.with_strength(marking.strength)
    sha256, seed, repeat = marking.picture.sha256, marking.seed, marking.repeat
    message, key = draws.message(seed, sha256, repeat, method.message_bits), draws.draw(seed, "key", sha256, repeat)
    try:
        host = marking.picture.pixels()
        marked = embed(method, host, message, key)
    except (ImageTooSmall, UnsupportedImage):
        return None
    paths = []
    if marking.pairs is not None:
        for kind, image in (("host", host), ("marked", marked)):
            path = marking.pairs / f"{sha256}.{repeat}.{kind}.png"
            Image.fromarray(image).save(path, compress_level=1)
            paths.append(str(path))
    return psnr(host, marked), paths


def strength_for_psnr(mean_psnr: Callable[[float], float], target: float) -> float:
    """The strength whose mean PSNR is ``target``, by Brent's method (1973), a bisection that takes short cuts.

    Args:
        mean_psnr: mean PSNR in dB over pictures at a strength in dB; rises with it.
        target: in dB.

    Raises:
        Uncalibrated: no strength within 6 dB of the target has it.

    Example:
        >>> round(strength_for_psnr(lambda strength: strength + 1, 42.0), 2)
        41.0
    """
    low, high = target - _REACH, target + _REACH
    excess = cache(lambda strength: mean_psnr(strength) - target)
    if not excess(low) <= 0 <= excess(high):
        raise Uncalibrated(
            f"no strength between {low:g} and {high:g} dB gives a mean PSNR of {target:g} dB: "
            f"those give {excess(low) + target:.2f} and {excess(high) + target:.2f}"
        )
    return float(brentq(excess, low, high, xtol=_TOLERANCE))


def strength_for_jod(table: Mapping[float, float], target: float) -> float:
    """The strength whose mean JOD is ``target``; between those measured log(10 - JOD) is taken as linear in dB.

    Args:
        table: mean JOD by strength in dB; below 10 where the target is passed, which happens once.
        target: in JOD.

    Raises:
        Uncalibrated: the table does not reach the target, falls below it again, or jumps to 10.

    Example:
        >>> round(strength_for_jod({42.0: 9.2, 46.0: 9.8}, 9.6), 2)
        44.0
    """
    strengths = sorted(table)
    place = next((place for place, strength in enumerate(strengths) if table[strength] >= target), None)
    if place is None or (place == 0 and table[strengths[0]] > target):
        reach = f"strengths from {strengths[0]:g} to {strengths[-1]:g} dB do not reach JOD {target:g}"
        raise Uncalibrated(f"{reach}: {_spelled(table)}")
    if any(table[strength] < target for strength in strengths[place:]):
        raise Uncalibrated(f"JOD does not rise with strength: {_spelled(table)}")
    if table[strengths[place]] >= 10:
        raise Uncalibrated(f"a JOD of 10 is no difference at all: {_spelled(table)}")
    around = strengths[max(place - 1, 0) : place + 1]
    jods = np.array([table[strength] for strength in around])
    return float(np.interp(-np.log(10 - target), -np.log(10 - jods), around))


def measure_jod(pairs: Sequence[Sequence[str]], python: Path) -> list[float]:
    """JOD of each pair of host and marked picture, by ``benchmarks/jod.py`` in an environment of its own.

    Args:
        pairs: paths of host and marked picture.
        python: interpreter of the environment that ``benchmarks/jod_environment.sh`` makes.

    Raises:
        Uncalibrated: the script failed, or did not answer for every pair.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(pairs, file)
        file.flush()
        try:
            done = subprocess.run([python, str(jod.__file__), file.name], capture_output=True, text=True, check=False)
        except OSError as error:
            raise Uncalibrated(f"JOD: cannot run {python.name}: {error.strerror}") from error
    if done.returncode:
        raise Uncalibrated(f"JOD: {(done.stderr.strip() or f'exit code {done.returncode}').splitlines()[-1]}")
    jods = [float(json.loads(line)["jod"]) for line in done.stdout.splitlines()]
    if len(jods) != len(pairs):
        raise Uncalibrated(f"JOD: {len(pairs)} pairs were asked for, and {len(jods)} answers came")
    return jods


def _spelled(table: Mapping[float, float]) -> str:
    return ", ".join(f"{table[strength]:.3f} at {strength:g} dB" for strength in sorted(table))
