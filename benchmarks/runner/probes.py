"""What is read in one job: marked copies, and pictures that hold no mark of the key, or a forged one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attacks import Attack, Averaging, Copy, InformedAttack, Knowledge, Overwrite
from benchmarks.envelope import to_pixels, to_tensor
from benchmarks.methods.base import Method, Pixels
from benchmarks.runner import draws
from benchmarks.runner.plan import PARTNERS, Job
from benchmarks.runner.scene import Refused, Scene
from benchmarks.runner.settings import IDENTITY, Setting
from benchmarks.runner.tiers import Kind, Tier

LEVELS = (0, 128, 255)  # of constant pictures
DOUBLE, AVERAGE, COPY = Setting(Overwrite()), Setting(Averaging(PARTNERS)), Setting(Copy())
_INFORMED: dict[Kind, Setting] = {"double": DOUBLE, "average": AVERAGE, "copy": COPY}


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """One picture to be read; known before there is a scene, so that a lost job has the rows that it should have had.

    Attributes:
        kind: what the reading is for.
        attack: id of what was done to the picture, as in the result's list of attacks.
        source: makes the picture before the attack; may raise.
        keys: keys to read it under, each with the message of the job's picture.
        strangers: keys of nobody whose messages are claimed of every reading; nothing is decoded for them.
        apply: the attack itself, if there is one.
        knowledge: makes what the attack must know.
    """

    kind: Kind
    attack: str
    source: Callable[[Scene], Pixels]
    keys: tuple[bytes, ...]
    strangers: tuple[bytes, ...] = ()
    apply: Attack | None = None
    knowledge: Callable[[Scene], Knowledge] | None = None

    def attacked(self, scene: Scene, pixels: Pixels) -> Pixels:
        """The picture after the attack, rounded to 8 bits."""
        if self.apply is None:
            return pixels
        image = to_tensor(pixels)
        if isinstance(self.apply, InformedAttack) and self.knowledge is not None:
            return to_pixels(self.apply.apply(image, self.knowledge(scene)))
        return to_pixels(self.apply.apply(image))


def probes(job: Job) -> Iterator[Probe]:
    """All probes of a job, kind by kind."""
    for kind in job.tier.kinds:
        yield from _MAKERS[kind](job)


def _attacked(
    job: Job,
    kind: Kind,
    settings: tuple[Setting, ...],
    source: Callable[[Scene], Pixels],
    keys: tuple[bytes, ...],
    strangers: tuple[bytes, ...] = (),
) -> Iterator[Probe]:
    for setting in settings:
        apply = setting.for_image(job.seed, job.picture.sha256, job.repeat)
        yield Probe(kind, setting.id, source, keys, strangers, apply)


def _readers(job: Job) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Keys and strangers of a picture without a mark.

    A stranger's key is one more reading, or, where keys do not matter, his message one more claim; a blind method
    without keys reads the same whoever asks.
    """
    if job.facts.keyed:
        return (job.key, *job.strangers), ()
    return (job.key,), () if job.facts.blind else job.strangers


def _marked(job: Job) -> Iterator[Probe]:
    return _attacked(job, "marked", job.tier.settings, _marked_picture, (job.key,))


def _unmarked(job: Job) -> Iterator[Probe]:
    return _attacked(job, "unmarked", job.tier.null_settings, lambda scene: scene.host, *_readers(job))


def _wrong_key(job: Job) -> Iterator[Probe]:
    if job.facts.keyed:
        return _attacked(job, "wrong_key", job.tier.null_settings, _marked_picture, job.strangers)
    return iter([Probe("wrong_key", IDENTITY.id, _refuse, (job.key,))])


def _other_method(job: Job) -> Iterator[Probe]:
    for name, label in job.others:
        yield Probe("other_method", f"marked by {label}", partial(_marked_by, name), (job.key,))


def _constant(job: Job) -> Iterator[Probe]:
    for level in LEVELS:
        yield Probe("constant", f"constant {level}", partial(_plain, level), *_readers(job))


def _random(job: Job) -> Iterator[Probe]:
    yield Probe("random", "random", _noise, *_readers(job))


def _double(job: Job) -> Iterator[Probe]:
    yield Probe("double", DOUBLE.id, _marked_picture, (job.key,), apply=DOUBLE.attack, knowledge=_second_mark)


def _average(job: Job) -> Iterator[Probe]:
    yield Probe("average", AVERAGE.id, _marked_picture, (job.key,), apply=AVERAGE.attack, knowledge=_others_marked)


def _copy(job: Job) -> Iterator[Probe]:
    def original(scene: Scene) -> Knowledge:
        return Knowledge(marked=to_tensor(scene.marked()))

    yield Probe(
        "copy", COPY.id, lambda scene: next(_partners(scene)), (job.key,), apply=COPY.attack, knowledge=original
    )


_MAKERS: dict[Kind, Callable[[Job], Iterator[Probe]]] = {
    "marked": _marked,
    "unmarked": _unmarked,
    "wrong_key": _wrong_key,
    "other_method": _other_method,
    "constant": _constant,
    "random": _random,
    "double": _double,
    "average": _average,
    "copy": _copy,
}


def embed(method: Method, image: Pixels, message: NDArray[np.uint8], key: bytes) -> Pixels:
    """Mark a picture.

    Raises:
        ImageTooSmall: it is smaller than the method takes.
        ValueError: what came back has another form than the picture.
    """
    marked = method.embed(image, message, key)
    if marked.shape != image.shape or marked.dtype != np.uint8:
        raise ValueError(
            f"a marked picture is uint8 of shape {image.shape}, not {marked.dtype} of shape {marked.shape}"
        )
    return marked


def _marked_picture(scene: Scene) -> Pixels:
    return scene.marked()


def _marked_by(name: str, scene: Scene) -> Pixels:
    """The host with the mark of another method, same key and message."""
    other = scene.resolve(name)
    return embed(other, scene.host, scene.message(other.message_bits), scene.job.key)


def _plain(level: int, scene: Scene) -> Pixels:
    return np.full_like(scene.host, level)


def _noise(scene: Scene) -> Pixels:
    number = draws.number(scene.job.seed, "random picture", scene.job.picture.sha256, scene.job.repeat)
    return np.random.default_rng(number).integers(0, 256, scene.host.shape, dtype=np.uint8)


def _second_mark(scene: Scene) -> Knowledge:
    """Marks again under another key, with the opposite message."""
    job, method = scene.job, scene.method
    key = draws.draw(job.seed, "second key", job.picture.sha256, job.repeat)
    second = 1 - scene.message(method.message_bits)

    def again(image: Tensor) -> Tensor:
        twice: Tensor = to_tensor(embed(method, to_pixels(image), second, key))
        return twice

    return Knowledge(embed=again)


def _others_marked(scene: Scene) -> Knowledge:
    """Other pictures with the same key and message: what suits the enemy best."""
    if len(scene.job.partners) < PARTNERS:
        raise Refused(f"averaging takes {PARTNERS} other pictures, and the run has {len(scene.job.partners)}")
    message = scene.message(scene.method.message_bits)
    marked = [embed(scene.method, partner, message, scene.job.key) for partner in _partners(scene)]
    return Knowledge(marked=torch.cat([to_tensor(picture) for picture in marked]))


def _partners(scene: Scene) -> Iterator[Pixels]:
    """The job's other pictures at the size of this one."""
    if not scene.job.partners:
        raise Refused("there is no other picture in the run")
    height, width = scene.host.shape[:2]
    for partner in scene.job.partners:
        resized = cv2.resize(partner.pixels(), (width, height), interpolation=cv2.INTER_AREA)
        yield np.asarray(resized, dtype=np.uint8)


def _refuse(scene: Scene) -> Pixels:
    raise Refused("the method has no key")


def extra_attacks(tier: Tier, methods: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of the result's list of attacks for what is no setting of the tier."""
    rows = [setting.row() for kind, setting in _INFORMED.items() if kind in tier.kinds]
    made = [
        *(("constant", f"constant {level}", {"level": level}, "grey level of 255") for level in LEVELS),
        ("random", "random", {}, "uniform noise of all grey levels"),
        *(("other_method", f"marked by {name}", {"method": name}, "name of the method") for name in methods),
    ]
    rows += [
        {"id": id, "name": kind, "family": "null", "parameters": values, "unit": unit, "changes_size": False}
        for kind, id, values, unit in made
        if kind in tier.kinds
    ]
    return rows
