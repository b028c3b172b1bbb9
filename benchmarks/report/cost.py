"""What attacks are, what they cost the picture, and how much of that an attacker must accept."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import fmean
from xml.etree.ElementTree import Element

from attacks import ATTACKS
from benchmarks.metrics.damage import damage, damage_at
from benchmarks.report.markup import Content, node, section, small, table
from benchmarks.report.results import UNATTACKED, Result, Row, Series, done, percent

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
            "strength tried brought it so low, and gives the damage of the strongest.",
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


def q_at_p(result: Result, series: Series, attacks: Sequence[str], share: float) -> tuple[float | None, float | None]:
    """Q@P of an attack at several strengths.

    Returns:
        The damage, ``None`` if the share never falls so low; and the most damage tried, ``None`` if none was measured.
    """
    points = list(_points(result, series, attacks))
    if not points:
        return None, None
    start = _points(result, series, result.families.get(UNATTACKED, ()))
    return damage_at([*start, *points], share), max(found for found, _ in points)


def _points(result: Result, series: Series, attacks: Sequence[str]) -> Iterator[tuple[float, float]]:
    """Mean damage and share of exact messages, as far as both were measured."""
    for attack in attacks:
        rows = result.reads(series, "marked", [attack])
        read = result.share(rows, "exact")
        damages = [found for row in done(rows) if (found := damage_of(row)) is not None]
        if read is not None and damages:
            yield fmean(damages), read.value


def _least(result: Result, series: Series, attacks: Sequence[str]) -> Element:
    rows = result.reads(series, "marked", attacks)
    if rows and not result.counted(rows):
        return node("td", "-", small("refused"), class_="gap")
    spelled = []
    for share in SHARES:
        least, most = q_at_p(result, series, attacks, share)
        if most is None:
            return node("td", "-", small("damage not measured"), class_="gap")
        spelled.append(f"> {most:.2f}" if least is None else f"{least:.2f}")
    return node("td", " / ".join(spelled))


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
    return [
        attack["id"],
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
