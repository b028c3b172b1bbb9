"""What is measured of a trained arm: robustness and detectability at equal PSNR and at equal JOD."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from attacks import Attack, Crop, GaussianBlur, GaussianNoise, RealJpeg, Rotate
from benchmarks.ablation.mark import Marker, key_of, payload_of
from benchmarks.ablation.pieces import detectability
from benchmarks.ablation.results import Outcome, Point
from benchmarks.ablation.steganalysis import Luma8
from benchmarks.envelope import to_pixels, to_tensor
from benchmarks.metrics.quality import psnr
from benchmarks.runner.calibrate import Uncalibrated, measure_jod, strength_for_jod, strength_for_psnr
from benchmarks.runner.pictures import Picture
from watermark import Detector
from watermark.working import Pixels

PSNR = 42.0  # dB
JOD = 9.7
_JOD_STEPS = (-4.0, 0.0, 4.0, 8.0, 12.0)  # dB quieter than at equal PSNR: where JOD is measured to interpolate
ATTACKED: dict[str, Attack] = {
    "JPEG 40": RealJpeg(40),
    "crop, side 0.5": Crop(0.5),
    "rotate 30 degrees": Rotate(30.0),
    "noise, sigma 0.04": GaussianNoise(0.04, seed=7),
    "blur, kernel 17": GaussianBlur.of_kernel(17),
}


@dataclass(frozen=True, slots=True)
class Bench:
    """Pictures and tools, the same for every arm.

    Attributes:
        photographs: files of held-out photographs.
        training_pieces: what steganalysers learn from, shape (N, 256, 256).
        held_out_pieces: what they are judged by, shape (M, 256, 256).
        jod_python: interpreter for ``benchmarks/jod.py``; without it JOD is not measured.
    """

    photographs: Sequence[Path]
    training_pieces: Luma8
    held_out_pieces: Luma8
    jod_python: Path | None


def measure(marker: Marker, bench: Bench, folder: Path) -> list[Point]:
    """Measure an arm.

    Args:
        marker: how it writes its marks.
        bench: pictures and tools.
        folder: for marked pictures.

    Returns:
        The point at equal PSNR and, if JOD is measured and can be reached, that at equal JOD.
    """
    hosts = [Picture.of(path).pixels() for path in bench.photographs]
    names = [path.name for path in bench.photographs]

    def marked(strength: float) -> list[NDArray[np.uint8]]:
        pairs = zip(hosts, names, strict=True)
        return [np.asarray(marker.mark(host, name, strength), dtype=np.uint8) for host, name in pairs]

    def mean_psnr(pictures: list[NDArray[np.uint8]]) -> float:
        return fmean(psnr(host, picture) for host, picture in zip(hosts, pictures, strict=True))

    def jod(strength: float) -> float:
        assert bench.jod_python is not None  # asked for by those who have it
        return _mean_jod(bench.jod_python, bench.photographs, marked(strength), folder / f"{strength:.2f}")

    def point(name: str, strength: float) -> Point:
        started = time.monotonic()
        pictures = marked(strength)
        attacks = {
            label: [_outcome(marker, picture, attack, image) for picture, image in zip(pictures, names, strict=True)]
            for label, attack in ATTACKED.items()
        }
        read = time.monotonic()
        found = detectability(marker, strength, bench.training_pieces, bench.held_out_pieces)
        seconds = f"read in {read - started:.0f} s, steganalysis in {time.monotonic() - read:.0f} s"
        print(f"{name}: strength {strength:.2f} dB, {seconds}", file=sys.stderr)
        seen = None if bench.jod_python is None else round(jod(strength), 4)
        return Point(name, round(strength, 3), round(mean_psnr(pictures), 3), seen, attacks, found)

    loud = strength_for_psnr(lambda strength: mean_psnr(marked(strength)), PSNR)
    points = [point(f"PSNR {PSNR:g} dB", loud)]
    if bench.jod_python is not None:
        strengths = [loud + step for step in _JOD_STEPS]
        try:
            quiet = strength_for_jod({strength: jod(strength) for strength in strengths}, JOD)
        except Uncalibrated as reason:
            print(reason, file=sys.stderr)
        else:
            points.append(point(f"JOD {JOD:g}", quiet))
    return points


def _mean_jod(python: Path, hosts: Sequence[Path], marked: Sequence[NDArray[np.uint8]], folder: Path) -> float:
    """Mean JOD of marked pictures, which are left in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    pairs = []
    for host, pixels in zip(hosts, marked, strict=True):
        file = folder / f"{host.stem}.png"
        Image.fromarray(pixels).save(file, compress_level=1)
        pairs.append((str(host), str(file)))
    return fmean(measure_jod(pairs, python))


def _outcome(marker: Marker, marked: Pixels, attack: Attack, name: str) -> Outcome:
    """Attack a marked picture and read it blindly; bit errors also where the payload is lost."""
    attacked = to_pixels(attack.apply(to_tensor(marked)))
    detector = Detector(key_of(name), weights=marker.weights)
    found = detector.detect(attacked)
    errors = found.bit_errors if found.bit_errors is not None else detector.check(attacked, payload_of(name)).bit_errors
    return Outcome(round(found.score, 4), errors, found.payload == payload_of(name))
