"""The attacks of :mod:`benchmarks.enemies`: what enemies know, and what they do with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property, partial
from operator import attrgetter
from pathlib import Path

import cv2
import torch
from torch import Tensor

import watermark as wm
from attacks import (
    Attack,
    Autoencoder,
    Averaging,
    BilateralDenoise,
    Chain,
    Copy,
    GradientAttack,
    Knowledge,
    NonLocalMeans,
    Overwrite,
    TotalVariationDenoise,
    WaveletDenoise,
)
from benchmarks.enemy import embedding, estimate_correlation
from benchmarks.envelope import name_seed, rgb_pixels, to_tensor

Secrets = tuple[wm.Key, wm.Payload]
Pair = tuple[Tensor, Tensor]
_SECOND, _THIRD = "second ", "third "


def secrets(name: str, purpose: str = "") -> Secrets:
    """Key and payload drawn from a name; without a purpose those of :mod:`benchmarks.envelope`."""
    return wm.Key(name_seed(name, f"{purpose}key")), wm.Payload(name_seed(name, f"{purpose}payload")[:8])


def _shared_secrets(_: str = "") -> Secrets:
    return secrets("one key and payload for all")


def fitted(path: Path, height: int, width: int) -> Tensor:
    """A picture brought to a size, (1, 3, height, width) in [0, 1]."""
    tensor: Tensor = to_tensor(cv2.resize(rgb_pixels(path), (width, height), interpolation=cv2.INTER_AREA))
    return tensor


@cache
def _pairs(paths: tuple[Path, ...], height: int, width: int) -> Pair:
    """Pictures of one size, marked with one key and payload, and their originals; slow, so once."""
    hosts = torch.cat([fitted(path, height, width) for path in paths])
    return embedding(*_shared_secrets())(hosts), hosts


@cache
def _denoised(paths: tuple[Path, ...], height: int, width: int) -> Tensor:
    """The originals of the marked pictures as :class:`Averaging` estimates them, but once."""
    return Averaging().denoiser.apply(_pairs(paths, height, width)[0])


@dataclass(frozen=True, eq=False)
class Scene:
    """One picture, and what its enemies have. Images have shape (1, 3, H, W), values in [0, 1].

    Attributes:
        name: of the picture; its keys and payloads are drawn from it.
        host: before marking.
        unmarked: another picture, which marks are forged into.
        partners: files of other pictures.
    """

    name: str
    host: Tensor
    unmarked: Tensor
    partners: tuple[Path, ...]

    @cached_property
    def marked(self) -> Tensor:
        """With its own key and payload."""
        return embedding(*secrets(self.name))(self.host)

    @cached_property
    def second(self) -> Tensor:
        """Marked twice."""
        return _overwritten(self.marked, self.name, _SECOND)

    @cached_property
    def shared(self) -> Tensor:
        """With the key and payload that the partners have too."""
        return embedding(*_shared_secrets())(self.host)

    @cached_property
    def grey(self) -> Tensor:
        """A grey picture with the key and payload of the marked one."""
        return embedding(*secrets(self.name))(torch.full_like(self.host, 0.5))

    @property
    def pairs(self) -> Knowledge:
        """The partners, marked with one key and payload, and their originals."""
        marked, hosts = _pairs(self.partners, *self.host.shape[2:])
        return Knowledge(marked=marked, host=hosts)

    @property
    def estimated(self) -> Knowledge:
        """The marked partners, and their originals as denoising estimates them."""
        return Knowledge(marked=self.pairs.marked, host=_denoised(self.partners, *self.host.shape[2:]))


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table.

    Attributes:
        name: as printed.
        apply: gives the picture before the attack and after it.
        reader: gives the reader's key and payload from the picture's name.
        forged: whether the picture before was never marked.
    """

    name: str
    apply: Callable[[Scene], Pair]
    reader: Callable[[str], Secrets] = secrets
    forged: bool = False


def _attacked(attack: Attack) -> Callable[[Scene], Pair]:
    return lambda scene: (scene.marked, attack.apply(scene.marked))


def _overwritten(image: Tensor, name: str, purpose: str) -> Tensor:
    return Overwrite().apply(image, Knowledge(embed=embedding(*secrets(name, purpose))))


def _averaged(count: int, gain: float, knowledge: Callable[[Scene], Knowledge]) -> Callable[[Scene], Pair]:
    return lambda scene: (scene.shared, Averaging(count, gain).apply(scene.shared, knowledge(scene)))


def _copied(gain: float, pair: bool) -> Callable[[Scene], Pair]:
    def apply(scene: Scene) -> Pair:
        knowledge = Knowledge(marked=scene.marked, host=scene.host if pair else None)
        return scene.unmarked, Copy(gain).apply(scene.unmarked, knowledge)

    return apply


def _gradients(
    name: str,
    epsilons: tuple[int, ...],
    before: Callable[[Scene], Tensor],
    known: Callable[[Scene], Tensor],
    reader: Callable[[str], Secrets] = secrets,
    forged: bool = False,
) -> list[Row]:
    """Gradient attacks away from what the public decoder hears in known pictures; a forgery goes towards it."""

    def apply(epsilon: int, scene: Scene) -> Pair:
        heard, sign = estimate_correlation(known(scene)), -1 if forged else 1
        knowledge = Knowledge(score=lambda images: sign * heard(images))
        return before(scene), GradientAttack(epsilon, 10, epsilon / 4).apply(before(scene), knowledge)

    return [
        Row(f"gradient, {epsilon} grey level{'s' * (epsilon > 1)}{name}", partial(apply, epsilon), reader, forged)
        for epsilon in epsilons
    ]


ROWS = (
    Row("none", _attacked(Chain(()))),
    Row("none; 16 others known", lambda scene: (scene.shared, scene.shared), _shared_secrets),
    *(Row(f"non-local means, strength {strength}", _attacked(NonLocalMeans(strength))) for strength in (6, 11)),
    Row("wavelet denoising, sigma 0.035", _attacked(WaveletDenoise(0.035))),
    Row("total variation, weight 0.03", _attacked(TotalVariationDenoise(0.03))),
    Row("bilateral filter, sigmas 40 and 3", _attacked(BilateralDenoise(40.0, 3.0))),
    Row("autoencoder, 32 levels", _attacked(Autoencoder(32))),
    Row("autoencoder, 32 levels, twice", _attacked(Chain((Autoencoder(32),) * 2))),
    *_gradients("", (1, 2, 4), attrgetter("marked"), attrgetter("marked")),
    *_gradients("; 16 others known", (1, 2), attrgetter("shared"), attrgetter("pairs.marked"), _shared_secrets),
    *_gradients("; key and payload known", (1, 2, 4), attrgetter("marked"), attrgetter("grey")),
    Row("mean of 4 others, x 8", _averaged(4, 8, attrgetter("estimated")), _shared_secrets),
    Row("mean of 16 others, x 8", _averaged(16, 8, attrgetter("estimated")), _shared_secrets),
    Row("mean of 16 others, originals known", _averaged(16, 1, attrgetter("pairs")), _shared_secrets),
    Row("second mark, another key", attrgetter("marked", "second")),
    Row("the same, the second read", attrgetter("marked", "second"), partial(secrets, purpose=_SECOND)),
    Row("two more marks", lambda scene: (scene.marked, _overwritten(scene.second, scene.name, _THIRD))),
    Row("copied, original known", _copied(1.0, pair=True), forged=True),
    Row("copied, original estimated", _copied(1.0, pair=False), forged=True),
    Row("copied, original estimated, x 4", _copied(4.0, pair=False), forged=True),
    *_gradients("; 1 marked known", (1, 2, 4), attrgetter("unmarked"), attrgetter("marked"), forged=True),
    *_gradients(
        "; 16 marked known", (1, 2), attrgetter("unmarked"), attrgetter("pairs.marked"), _shared_secrets, forged=True
    ),
)
