"""A radar of shares as SVG: one axis a family, the centre is 0 and the rim 1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.etree.ElementTree import Element

from benchmarks.report.chart import COLOURS, marker
from benchmarks.report.markup import node

_WIDTH, _HEIGHT, _RADIUS = 460, 330, 118
FEWEST = 3  # axes that make an area


def radar(name: str, axes: Sequence[str], lines: Sequence[Sequence[float | None]]) -> Element:
    """Shares around a centre.

    Args:
        name: what it shows, for those who hear it.
        axes: names, at least 3, clockwise from the top.
        lines: of each line a share for each axis, 0 to 1; a line with a gap is not closed there.
    """
    made = node("svg", node("title", name), viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", class_="radar")
    for share in (0.25, 0.5, 0.75, 1.0):
        rim = " ".join(f"{x},{y}" for x, y in (_at(index, len(axes), share) for index in range(len(axes))))
        made.append(node("polygon", points=rim, class_="gridline"))
    for index, axis in enumerate(axes):
        x, y = _at(index, len(axes), 1.0)
        made.append(node("line", x1=_WIDTH / 2, y1=_HEIGHT / 2, x2=x, y2=y, class_="gridline"))
        x, y = _at(index, len(axes), 1.14)
        sideways = x - _WIDTH / 2
        anchor = "middle" if abs(sideways) < 5 else "start" if sideways > 0 else "end"
        made.append(node("text", axis, x=x, y=y + 4, text_anchor=anchor))
    for style, line in enumerate(lines):
        made.append(_line(style, line))
    return made


def _line(style: int, shares: Sequence[float | None]) -> Element:
    made = node("g", class_=f"s{style % COLOURS}")
    places = [None if share is None else _at(index, len(shares), share) for index, share in enumerate(shares)]
    for first, second in zip(places, places[1:] + places[:1], strict=True):
        if first and second:
            made.append(node("line", x1=first[0], y1=first[1], x2=second[0], y2=second[1]))
        if first:
            made.append(marker(style, *first))
    return made


def _at(index: int, count: int, share: float) -> tuple[float, float]:
    angle = 2 * math.pi * index / count
    radius = _RADIUS * share
    return round(_WIDTH / 2 + radius * math.sin(angle), 1), round(_HEIGHT / 2 - radius * math.cos(angle), 1)
