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
from benchmarks.runner.settings import IDENTITY, Setting
from benchmarks.runner.tiers import Kind, Tier

LEVELS = (0, 128, 255)  # of constant pictures
DOUBLE, AVERAGE, COPY = Setting(Overwrite()), Setting(Averaging(PARTNERS)), Setting(Copy())
_INFORMED: dict[Kind, Setting] = {"double": DOUBLE, "average": AVERAGE, "copy": COPY}


class Refused(Exception):
    """A reading that makes no sense for this method or run: nobody's failure."""


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """One picture to be read.

    Attributes:
        kind: what the reading is for.
        attack: id of what was done to the picture, as in the result's list of attacks.
        source: makes the picture before the attack; may raise.
        keys: keys to read it under.
        apply: the attack itself, if there is one.
        knowledge: makes what the attack must know.
    """

    kind: Kind
    attack: str
    source: Callable[[], Pixels]
    keys: tuple[bytes, ...]
    apply: Attack | None = None
    knowledge: Callable[[], Knowledge] | None = None

    def attacked(self, pixels: Pixels) -> Pixels:
        """The picture after the attack, rounded to 8 bits."""
        if self.apply is None:
            return pixels
        image = to_tensor(pixels)
        if isinstance(self.apply, InformedAttack) and self.knowledge is not None:
            return to_pixels(self.apply.apply(image, self.knowledge()))
        return to_pixels(self.apply.apply(image))


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What the probes of a job are made of.

    Attributes:
        job: the job.
        method: its method, at its operating point.
        host: the picture before it was marked, RGB, uint8, shape (H, W, 3).
        marked: gives the marked picture, or raises why there is none.
        resolve: gives another method by its name.
    """

    job: Job
    method: Method
    host: Pixels
    marked: Callable[[], Pixels]
    resolve: Callable[[str], Method]

    def message(self, bits: int) -> NDArray[np.uint8]:
        """The picture's message, cut to what a method carries."""
        return draws.message(self.job.seed, self.job.picture.sha256, self.job.repeat, bits)

    def strangers(self) -> tuple[bytes, ...]:
        """Keys of nobody, the same for all pictures, so that a bad key shows; none for a method without keys."""
        count = self.job.tier.strangers if self.method.keyed else 0
        return tuple(draws.draw(self.job.seed, "stranger", index) for index in range(count))


def probes(scene: Scene) -> Iterator[Probe]:
    """All probes of a job, kind by kind."""
    for kind in scene.job.tier.kinds:
        yield from _MAKERS[kind](scene)


def _attacked(
    scene: Scene, kind: Kind, settings: tuple[Setting, ...], source: Callable[[], Pixels], keys: tuple[bytes, ...]
) -> Iterator[Probe]:
    job = scene.job
    for setting in settings:
        yield Probe(kind, setting.id, source, keys, setting.for_image(job.seed, job.picture.sha256, job.repeat))


def _marked(scene: Scene) -> Iterator[Probe]:
    return _attacked(scene, "marked", scene.job.tier.settings, scene.marked, (scene.job.key,))


def _unmarked(scene: Scene) -> Iterator[Probe]:
    keys = (scene.job.key, *scene.strangers())
    return _attacked(scene, "unmarked", scene.job.tier.null_settings, lambda: scene.host, keys)


def _wrong_key(scene: Scene) -> Iterator[Probe]:
    if scene.method.keyed:
        return _attacked(scene, "wrong_key", scene.job.tier.null_settings, scene.marked, scene.strangers())
    return iter([Probe("wrong_key", IDENTITY.id, _refuse("the method has no key"), (scene.job.key,))])


def _other_method(scene: Scene) -> Iterator[Probe]:
    for other in map(scene.resolve, scene.job.others):
        make = partial(embed, other, scene.host, scene.message(other.message_bits), scene.job.key)
        yield Probe("other_method", f"marked by {other.name}", make, (scene.job.key,))


def _constant(scene: Scene) -> Iterator[Probe]:
    keys = (scene.job.key, *scene.strangers())
    for level in LEVELS:
        yield Probe("constant", f"constant {level}", partial(np.full_like, scene.host, level), keys)


def _random(scene: Scene) -> Iterator[Probe]:
    number = draws.number(scene.job.seed, "random picture", scene.job.picture.sha256, scene.job.repeat)
    generator = np.random.default_rng(number)
    noise = generator.integers(0, 256, scene.host.shape, dtype=np.uint8)
    yield Probe("random", "random", lambda: noise, (scene.job.key, *scene.strangers()))


def _double(scene: Scene) -> Iterator[Probe]:
    job, method = scene.job, scene.method
    key = draws.draw(job.seed, "second key", job.picture.sha256, job.repeat)
    second = 1 - scene.message(method.message_bits)

    def again(image: Tensor) -> Tensor:
        twice: Tensor = to_tensor(embed(method, to_pixels(image), second, key))
        return twice

    yield Probe("double", DOUBLE.id, scene.marked, (job.key,), DOUBLE.attack, lambda: Knowledge(embed=again))


def _average(scene: Scene) -> Iterator[Probe]:
    def others() -> Knowledge:
        return Knowledge(marked=torch.cat([to_tensor(picture) for picture in _marked_partners(scene)]))

    yield Probe("average", AVERAGE.id, scene.marked, (scene.job.key,), AVERAGE.attack, others)


def _copy(scene: Scene) -> Iterator[Probe]:
    def elsewhere() -> Pixels:
        return next(_partners(scene))

    yield Probe(
        "copy", COPY.id, elsewhere, (scene.job.key,), COPY.attack, lambda: Knowledge(marked=to_tensor(scene.marked()))
    )


_MAKERS: dict[Kind, Callable[[Scene], Iterator[Probe]]] = {
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


def _partners(scene: Scene) -> Iterator[Pixels]:
    """The job's other pictures at the size of this one."""
    if not scene.job.partners:
        raise Refused("there is no other picture in the run")
    height, width = scene.host.shape[:2]
    for partner in scene.job.partners:
        resized = cv2.resize(partner.pixels(), (width, height), interpolation=cv2.INTER_AREA)
        yield np.asarray(resized, dtype=np.uint8)


def _marked_partners(scene: Scene) -> Iterator[Pixels]:
    """The same with the same key and message: what suits the enemy best."""
    if len(scene.job.partners) < PARTNERS:
        raise Refused(f"averaging takes {PARTNERS} other pictures, and the run has {len(scene.job.partners)}")
    message = scene.message(scene.method.message_bits)
    for partner in _partners(scene):
        yield embed(scene.method, partner, message, scene.job.key)


def _refuse(reason: str) -> Callable[[], Pixels]:
    def refuse() -> Pixels:
        raise Refused(reason)

    return refuse


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
