"""One job from picture to rows: mark, attack, read, judge. Whatever raises becomes a row with its reason."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch

from attacks import KnowledgeMissing
from benchmarks.methods.base import Bits, Method, Pixels, Reading
from benchmarks.methods.claims import compared
from benchmarks.metrics.decoding import outcome
from benchmarks.metrics.perceptual import MetricMissing
from benchmarks.metrics.quality import psnr
from benchmarks.metrics.registered import registered_psnr
from benchmarks.metrics.registry import QUALITY
from benchmarks.runner import draws
from benchmarks.runner.execute import one_line
from benchmarks.runner.peak import with_peak
from benchmarks.runner.plan import Job
from benchmarks.runner.probes import Probe, embed, probes
from benchmarks.runner.scene import Refused, Scene
from watermark.errors import ImageTooSmall, UnsupportedImage

Row = dict[str, Any]
_READ_VALUES = ("present", "exact", "wrong", "bit_accuracy", "score", "p", "psnr", "shown", "ms")


def measure(job: Job, resolve: Callable[[str], Method]) -> dict[str, Any]:
    """Do a job.

    Args:
        job: what to do.
        resolve: gives a method by its name.

    Returns:
        ``embed``, a row, and ``reads``, a list of rows, as the result file holds them.
    """
    try:
        method = resolve(job.method)
        if job.strength is not None:
            method = method.with_strength(job.strength)
        host = job.picture.pixels()
    except Exception as error:
        return lost(job, _status(error), _reason(error, job))
    embedded, marked = _embed(job, method, host)
    scene = Scene(job, method, host, partial(_present, embedded, marked), resolve)
    reads = [row for probe in probes(job) for row in _read(scene, probe)]
    return {"embed": embedded, "reads": reads}


def lost(job: Job, status: str, reason: str) -> dict[str, Any]:
    """The rows of a job that could not be done: one for the marking, and one for each reading it should have had."""
    reads = [
        row for probe in probes(job) for row in _unread(job, probe, (*probe.keys, *probe.strangers), status, reason)
    ]
    return {"embed": _embed_row(job, status, reason), "reads": reads}


def _embed(job: Job, method: Method, host: Pixels) -> tuple[Row, Pixels | None]:
    message = draws.message(job.seed, job.picture.sha256, job.repeat, method.message_bits)
    began = time.perf_counter()
    try:
        marked, peak = with_peak(lambda: embed(method, host, message, job.key))
        row = _embed_row(job, "ok", None)
        row["ms"] = round(1000 * (time.perf_counter() - began), 1)
        row["peak_bytes"] = peak
    except Exception as error:
        return _embed_row(job, _status(error), _reason(error, job)), None
    for name, metric in QUALITY.items():
        try:
            row[name] = _finite(metric.measure(host, marked))
        except (ValueError, MetricMissing) as error:  # too small for it, or its package is missing
            row["reason"] = "; ".join(filter(None, [row["reason"], f"{name}: {one_line(error)}"]))
    return row, marked


def _present(embedded: Row, marked: Pixels | None) -> Pixels:
    """The marked picture, or why there is none."""
    if marked is not None:
        return marked
    raise (Refused if embedded["status"] == "refused" else ValueError)(f"not marked: {embedded['reason']}")


def _read(scene: Scene, probe: Probe) -> Iterator[Row]:
    job = scene.job
    try:
        source = probe.source(scene)
        attacked = probe.attacked(scene, source)
        quality = _damage(probe, source, attacked)
    except Exception as error:
        yield from _unread(job, probe, (*probe.keys, *probe.strangers), _status(error), _reason(error, job))
        return
    bits = scene.method.message_bits
    sent = scene.message(bits)
    for key in probe.keys:
        began = time.perf_counter()
        try:
            reading = scene.method.detect(attacked, key, sent)
            milliseconds = round(1000 * (time.perf_counter() - began), 1)
            rows = [_judged(job, probe, key, reading, sent, quality) | {"ms": milliseconds}]
            for stranger in probe.strangers:
                claimed = draws.message(job.seed, stranger.hex(), 0, bits)
                rows.append(_judged(job, probe, stranger, _claimed(reading, claimed), claimed, quality))
        except Exception as error:
            yield from _unread(job, probe, (key, *probe.strangers), _status(error), _reason(error, job))
            continue
        yield from rows


def _claimed(reading: Reading, claimed: Bits) -> Reading:
    """What a method that is not blind says of another claim, by the bits that it has read already, if any."""
    return reading if reading.bits is None else compared(reading.bits, claimed)


def _judged(job: Job, probe: Probe, key: bytes, reading: Reading, sent: Bits, quality: dict[str, float | None]) -> Row:
    """The row of a reading, judged against a message."""
    judged = outcome(sent, reading.present, reading.bits)
    row = _read_row(job, probe.kind, probe.attack, key, "ok", None)
    row |= {"present": bool(reading.present), "exact": judged.exact, "wrong": judged.wrong, **quality}
    row["bit_accuracy"] = _finite(judged.bit_accuracy)
    row["score"] = _finite(reading.score)
    row["p"] = reading.p if reading.p is None else float(reading.p)
    return row


def _unread(job: Job, probe: Probe, keys: tuple[bytes, ...], status: str, reason: str) -> Iterator[Row]:
    for key in keys:
        yield _read_row(job, probe.kind, probe.attack, key, status, reason)


def _damage(probe: Probe, source: Pixels, attacked: Pixels) -> dict[str, float | None]:
    """PSNR of the attacked picture, put back in place first, and the share of it that is still shown.

    Neither is known without an attack, or where pixels move as no matrix says.
    """
    matrix = None if probe.apply is None else probe.apply.matrix(*source.shape[:2])
    if matrix is None:
        return {"psnr": None, "shown": None}
    if source.shape == attacked.shape and torch.equal(matrix, torch.eye(3, dtype=matrix.dtype)):
        return {"psnr": _finite(psnr(source, attacked)), "shown": 1.0}
    placed = registered_psnr(source, attacked, matrix.numpy().astype(np.float64))
    return {"psnr": _finite(placed.psnr), "shown": round(placed.shown, 6)}


def _embed_row(job: Job, status: str, reason: str | None) -> Row:
    head = {"method": job.label, "point": job.point, "image": job.picture.name, "key": draws.key_label(job.key)}
    return {**head, "status": status, "reason": reason, **dict.fromkeys((*QUALITY, "jod", "ms", "peak_bytes"))}


def _read_row(job: Job, kind: str, attack: str, key: bytes, status: str, reason: str | None) -> Row:
    return {
        "method": job.label,
        "point": job.point,
        "image": job.picture.name,
        "key": draws.key_label(key),
        "attack": attack,
        "kind": kind,
        "status": status,
        "reason": reason,
        **dict.fromkeys(_READ_VALUES),
    }


def _status(error: Exception) -> str:
    return "refused" if isinstance(error, Refused | ImageTooSmall | UnsupportedImage | KnowledgeMissing) else "failed"


def _reason(error: Exception, job: Job) -> str:
    """One line without the folder of the pictures, which is nobody's business."""
    text = str(error) if isinstance(error, Refused) else one_line(error)
    return text.replace(f"{job.picture.path.parent}/", "")


def _finite(value: float | None) -> float | None:
    """A number as JSON can hold it, to 6 places; infinity (equal pictures) becomes ``None``."""
    return round(float(value), 6) if value is not None and math.isfinite(value) else None
