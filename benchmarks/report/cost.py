"""What attacks are, what they cost the picture, and how much of that an attacker must accept."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from attacks import ATTACKS
from benchmarks.metrics.damage import damage, damage_at
from benchmarks.metrics.intervals import bootstrap_statistic
from benchmarks.report.markup import Content, node, section, small, table
from benchmarks.report.results import UNATTACKED, Result, Row, Series, done, percent, span

SHARES = (0.95, 0.7)  # of WAVES


def damage_of(row: Row) -> float | None:
    """Damage of one attacked picture, 0 to 1; ``None`` where it was not measured.

    A missing PSNR where something is shown means equal pixels; where nothing is shown, all is destroyed.
    """
    if row["shown"] is None:
        return None
    return damage(math.inf if row["psnr"] is None else row["psnr"], row["shown"])


def cost(result: Result) -> Element:
    """The section of Q@P."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for family, attacks in result.families.items():
        if family != UNATTACKED:
            for attack in attacks:
                kinds[_kind(result, attack)].append(attack)
    rows: list[list[Content]] = [
        [kind, *(_least(result, series, attacks) for series in result.series)] for kind, attacks in kinds.items()
    ]
    return section(
        "cost",
        "How much damage must the attacker accept",
        node(
            "p",
            f"Least damage at which the share of exact messages falls to {percent(SHARES[0])} % and to "
            f"{percent(SHARES[1])} % (Q@P), on a fixed scale: PSNR of the attacked against the marked picture, put "
            "back in place first, 41.97 dB being .1 and 12.15 dB .9; a pixel that is not shown counts 1. Through "
            "the strengths of an attack and the unattacked pictures. Higher is more robust; “>” means that no "
            "strength tried brought it so low, and gives the damage of the strongest. Below, the 95 % bootstrap "
            "interval of each over pictures, one line where both are the same.",
        ),
        table(["attack", *map(str, result.series)], rows, "Damage the attacker must accept"),
    )


def attack_table(result: Result) -> Element:
    """The section of all attacks with parameters, unit, implementation and quality."""
    rows = [_described(result, attack) for attack in result.attacks.values()]
    return section(
        "attacks",
        "Attacks: parameters, units, implementation",
        node(
            "p",
            "What the same word means elsewhere may be another thing: a crop or resize of .5 is of each side here, "
            "not of the area; blur is a standard deviation in pixels, not a kernel or radius; noise is of values in "
            "[0, 1]; JPEG states its chroma subsampling; combined attacks are applied in the order written. PSNR, "
            "share shown and damage are means over the marked pictures of all methods.",
        ),
        table(["attack", "family", "unit", "implementation", "PSNR dB", "shown %", "damage"], rows, "Attacks"),
    )


@dataclass(frozen=True, slots=True)
class Accepted:
    """Damage that an attacker must accept.

    Attributes:
        least: Q@P, infinite if the share never falls so low.
        interval: its 95 % bootstrap interval over pictures, with infinite ends likewise; ``None`` for a single picture.
        most: the most damage tried.
    """

    least: float
    interval: tuple[float, float] | None
    most: float

    def spelled(self) -> str:
        """The damage in words."""
        return self._reached(self.least)

    def spelled_interval(self) -> str:
        """The interval in words.

        Example:
            >>> Accepted(0.3, (0.25, math.inf), 0.52).spelled_interval()
            '0.25 to > 0.52'
        """
        if self.interval is None or self.interval[1] < math.inf:
            return span(self.interval, self._reached)
        return " to ".join(map(self._reached, dict.fromkeys(self.interval)))

    def _reached(self, value: float) -> str:
        return f"{value:.2f}" if value < math.inf else f"> {self.most:.2f}"


def q_at_p(result: Result, series: Series, attacks: Sequence[str], share: float) -> Accepted | None:
    """Q@P of an attack at several strengths; ``None`` if no damage was measured."""
    start = result.families.get(UNATTACKED, ())
    tallies = _tallies(result, series, [*start, *attacks])
    points = _points(tallies.sum(axis=0)[len(start) :])
    if not points:
        return None

    def least(drawn: NDArray[np.intp]) -> NDArray[np.float64]:
        curves = map(_points, tallies[drawn].sum(axis=1))
        found = (damage_at(curve, share) if curve else None for curve in curves)
        return np.array([math.inf if value is None else value for value in found])

    pictures = len(tallies)
    (found,) = least(np.arange(pictures)[None])
    interval = bootstrap_statistic(pictures, least) if pictures > 1 else None
    return Accepted(float(found), interval, max(tried for tried, _ in points))


def _tallies(result: Result, series: Series, attacks: Sequence[str]) -> NDArray[np.float64]:
    """Exact messages, readings that count, sum of damages and how many these are: (pictures, attacks, 4)."""
    rows = result.counted(result.reads(series, "marked", attacks))
    pictures = list(dict.fromkeys(row["image"] for row in rows))
    tallies = np.zeros((len(pictures), len(attacks), 4))
    for row in rows:
        found = damage_of(row) if row["status"] == "ok" else None
        where = pictures.index(row["image"]), attacks.index(row["attack"])
        tallies[where] += bool(row["exact"]), 1, found or 0.0, found is not None
    return tallies


def _points(totals: NDArray[np.float64]) -> list[tuple[float, float]]:
    """Mean damage and share of exact messages of each attack, (attacks, 4), as far as both were measured."""
    return [(damages / measured, exact / read) for exact, read, damages, measured in totals.tolist() if measured]


def _least(result: Result, series: Series, attacks: Sequence[str]) -> Element:
    rows = result.reads(series, "marked", attacks)
    if rows and not result.counted(rows):
        return node("td", "-", small("refused"), class_="gap")
    found = [accepted for share in SHARES if (accepted := q_at_p(result, series, attacks, share)) is not None]
    if not found:
        return node("td", "-", small("damage not measured"), class_="gap")
    values = " / ".join(accepted.spelled() for accepted in found)
    return node("td", values, *map(small, dict.fromkeys(accepted.spelled_interval() for accepted in found)))


def _kind(result: Result, attack: str) -> str:
    """Attacks of one name are strengths of one attack, but chains of attacks are each their own."""
    row = result.attacks[attack]
    return attack if "attacks" in row["parameters"] else row["name"]


def _described(result: Result, attack: Row) -> list[Content]:
    rows = [row for series in result.series for row in done(result.reads(series, "marked", [attack["id"]]))]
    damages = [found for row in rows if (found := damage_of(row)) is not None]
    levels = [row["psnr"] for row in rows if row["psnr"] is not None]
    equal = sum(row["psnr"] is None and bool(row["shown"]) for row in rows)
    level = f"{fmean(levels):.1f}" if levels else "∞" if equal else "n/a"
    published = (small(f"published as {row['label']} ({row['setting']})") for row in attack.get("published", ()))
    return [
        node("span", attack["id"], *published),
        attack["family"],
        node("td", attack["unit"], small("may change the size") if attack["changes_size"] else None),
        _implementation(attack["name"]),
        node("td", level, small(f"and {equal} unchanged") if equal and levels else None),
        percent(fmean(row["shown"] for row in rows if row["shown"] is not None)) if damages else "n/a",
        f"{fmean(damages):.2f}" if damages else "n/a",
    ]


def _implementation(name: str) -> str:
    entry = ATTACKS.get(name)
    return "of the benchmark" if entry is None else (entry.__doc__ or "").splitlines()[0].replace("``", "")
