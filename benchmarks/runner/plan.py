"""What a run does: pictures x methods x operating points x keys, each with all attacks and readings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from benchmarks.runner import draws
from benchmarks.runner.pictures import Picture
from benchmarks.runner.tiers import Tier

DEFAULT_POINT = "default"
PARTNERS = 4
Strength = float | str | None  # in dB; why there is none; the method's default


@dataclass(frozen=True, slots=True)
class Facts:
    """What a plan must know of a method that can run.

    Attributes:
        label: how results name it.
        keyed: whether its key matters.
        blind: whether it decides presence without a claimed message.
    """

    label: str
    keyed: bool = True
    blind: bool = True


@dataclass(frozen=True, slots=True)
class Job:
    """One picture marked once, attacked and read in all ways: the unit of work, of failure and of the cache.

    Attributes:
        method: the method, as it is asked for.
        facts: of the method.
        point: operating point as results name it: ``default``, ``psnr 42``, ``jod 9.8``.
        strength: what the method is set to, in dB; its default if ``None``.
        picture: the picture.
        repeat: which of its keys.
        seed: of the run.
        tier: attacks and kinds of readings.
        partners: other pictures, for attacks that need some.
        others: other methods, whose marks are read as well, and how results name them.
        reason: why the job cannot be done at all; ``None`` if it can.
    """

    method: str
    facts: Facts
    point: str
    strength: float | None
    picture: Picture
    repeat: int
    seed: int
    tier: Tier
    partners: tuple[Picture, ...] = ()
    others: tuple[tuple[str, str], ...] = ()
    reason: str | None = None

    @property
    def label(self) -> str:
        """The method, as results name it."""
        return self.facts.label

    @property
    def key(self) -> bytes:
        """The picture's own key, 32 bytes."""
        return draws.draw(self.seed, "key", self.picture.sha256, self.repeat)

    @property
    def strangers(self) -> tuple[bytes, ...]:
        """Keys of nobody, the same for all pictures, so that a bad key or message shows."""
        return tuple(draws.draw(self.seed, "stranger", index) for index in range(self.tier.strangers))

    def causes(self, identities: Mapping[str, Any]) -> dict[str, Any]:
        """All that the job's result depends on, as plain values; ``identities`` says what each method is."""
        kinds = set(self.tier.kinds)
        return {
            "method": identities[self.method],
            "facts": [self.facts.label, self.facts.keyed, self.facts.blind],
            "point": self.point,
            "strength": self.strength,
            "picture": [self.picture.name, self.picture.sha256],
            "repeat": self.repeat,
            "seed": self.seed,
            "settings": [setting.id for setting in self.tier.settings],
            "null_settings": [setting.id for setting in self.tier.null_settings],
            "kinds": self.tier.kinds,
            "strangers": self.tier.strangers,
            "partners": [partner.sha256 for partner in self.partners] if {"average", "copy"} & kinds else [],
            "others": [identities[name] for name, _ in self.others] if "other_method" in kinds else [],
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """A run before it starts.

    Attributes:
        tier: how much is measured.
        pictures: on which.
        methods: the methods, as :func:`benchmarks.methods.method` takes them.
        points: operating points.
        seed: of all that is random.
    """

    tier: Tier
    pictures: tuple[Picture, ...]
    methods: tuple[str, ...]
    points: tuple[str, ...] = (DEFAULT_POINT,)
    seed: int = 0

    @property
    def measured(self) -> tuple[Picture, ...]:
        """The pictures that can be opened and are not too large."""
        return tuple(
            picture for picture in self.pictures if picture.width is not None and self._too_large(picture) is None
        )

    def jobs(self, methods: Mapping[str, Facts], strengths: Mapping[tuple[str, str], Strength]) -> list[Job]:
        """All jobs, in the order in which results hold them.

        Args:
            methods: those that can run.
            strengths: of each of those at each point.
        """
        jobs = []
        for name, point in product(methods, self.points):
            strength = strengths[name, point]
            for picture, repeat in product(self.pictures, range(self.tier.repeats)):
                jobs.append(
                    Job(
                        method=name,
                        facts=methods[name],
                        point=point,
                        strength=None if isinstance(strength, str) else strength,
                        picture=picture,
                        repeat=repeat,
                        seed=self.seed,
                        tier=self.tier,
                        partners=self._partners(picture),
                        others=tuple((other, facts.label) for other, facts in methods.items() if other != name),
                        reason=strength if isinstance(strength, str) else self._too_large(picture),
                    )
                )
        return jobs

    def _partners(self, picture: Picture) -> tuple[Picture, ...]:
        """The pictures that follow in the order of their hashes, so that the order of the list changes nothing."""
        others = [other for other in self.measured if other != picture]
        ring = sorted(others, key=lambda other: (other.sha256 <= picture.sha256, other.sha256))
        return tuple(ring[:PARTNERS])

    def _too_large(self, picture: Picture) -> str | None:
        """Why a picture is too large for the tier; ``None`` if it is not."""
        megapixels = (picture.width or 0) * (picture.height or 0) / 1e6
        if megapixels <= self.tier.megapixels:
            return None
        return f"larger than the tier's {self.tier.megapixels:g} megapixels ({megapixels:g} MP); --megapixels raises it"
