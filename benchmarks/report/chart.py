"""A chart of lines as SVG: a pure function of numbers. Colours are classes of the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from xml.etree.ElementTree import Element

from benchmarks.report.markup import node

COLOURS = 8
_WIDTH, _HEIGHT = 380, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 14, 12, 44
_TICKS = 5
_DODGE = 2.5  # pixels between whiskers


class Point(NamedTuple):
    """A point of a line, with the ends of its interval if it has one."""

    x: float
    y: float
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """Points joined from left to right.

    Attributes:
        name: for those who point at it.
        style: which of the colours and dashes, from 0.
        points: in any order.
    """

    name: str
    style: int
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale.

    Attributes:
        title: what it shows, with the unit.
        ticks: values that are printed.
        low, high: ends; both above 0 if ``logarithmic``.
        logarithmic: equal ratios take equal room.
    """

    title: str
    ticks: tuple[float, ...]
    low: float
    high: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Where a value lies, 0 (low) to 1 (high)."""
        low, high, at = (math.log(v) if self.logarithmic else v for v in (self.low, self.high, value))
        return (at - low) / (high - low) if high > low else 0.5


SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


def linear(title: str, values: Sequence[float]) -> Axis:
    """An axis that holds the values, with ticks at round numbers.

    Example:
        >>> linear("PSNR, dB", [40.2, 46.1]).ticks
        (40.0, 42.0, 44.0, 46.0, 48.0)
    """
    low, high = min(values), max(values)
    rough = (high - low) / _TICKS or 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    first, last = math.floor(low / step), math.ceil(high / step)
    ticks = tuple(round(step * index, 10) for index in range(first, last + 1))
    return Axis(title, ticks, ticks[0], ticks[-1])


def chart(name: str, lines: Sequence[Line], x: Axis, y: Axis, diagonal: bool = False) -> Element:
    """Lines over two axes, with whiskers for intervals.

    Args:
        name: what it shows, for those who hear it.
        lines: at least their points are drawn.
        x: axis to the right.
        y: axis upwards.
        diagonal: draw where both are equal.
    """
    across, down = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def at(x_value: float, y_value: float) -> tuple[float, float]:
        return round(_LEFT + across * x.place(x_value), 1), round(_TOP + down * (1 - y.place(y_value)), 1)

    made = node("svg", node("title", name), viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img", class_="chart")
    for tick in y.ticks:
        _, height = at(x.low, tick)
        made.append(_rule(_LEFT, height, _WIDTH - _RIGHT, height, "gridline"))
        made.append(node("text", _spell(tick), x=_LEFT - 6, y=height + 4, text_anchor="end"))
    for tick in x.ticks:
        place, _ = at(tick, y.low)
        made.append(_rule(place, _TOP + down, place, _TOP + down + 4, "axis"))
        made.append(node("text", _spell(tick), x=place, y=_TOP + down + 17, text_anchor="middle"))
    made.append(_rule(_LEFT, _TOP + down, _WIDTH - _RIGHT, _TOP + down, "axis"))
    middle = _TOP + down / 2
    made.append(node("text", x.title, x=_LEFT + across / 2, y=_HEIGHT - 8, text_anchor="middle", class_="title"))
    turned = f"rotate(-90 12 {middle})"
    made.append(node("text", y.title, x=12, y=middle, text_anchor="middle", transform=turned, class_="title"))
    if diagonal:
        low, high = max(x.low, y.low), min(x.high, y.high)
        made.append(_rule(*at(low, low), *at(high, high), "diagonal"))
    last = max((line.style for line in lines), default=0)
    for line in lines:
        made.append(_line(line, _DODGE * (line.style - last / 2), at))
    return made


def marker(style: int, x: float, y: float) -> Element:
    """The mark of a line's points: a circle, square, triangle or diamond."""
    r = 3.5
    shapes = (
        node("circle", cx=x, cy=y, r=r),
        node("rect", x=round(x - r, 1), y=round(y - r, 1), width=2 * r, height=2 * r),
        node("polygon", points=f"{x},{round(y - r - 1, 1)} {round(x - r, 1)},{y + r} {round(x + r, 1)},{y + r}"),
        node("polygon", points=f"{x},{round(y - 5, 1)} {x + 5},{y} {x},{y + 5} {round(x - 5, 1)},{y}"),
    )
    return shapes[style % len(shapes)]


def legend(names: Sequence[str]) -> Element:
    """Names of lines beside their colours, dashes and marks."""
    entries = []
    for style, name in enumerate(names):
        swatch = node("svg", viewBox="0 0 34 12", class_="swatch", aria_hidden="true")
        swatch.append(node("g", _rule(1, 6, 33, 6, None), marker(style, 17, 6), class_=f"s{style % COLOURS}"))
        entries.append(node("li", swatch, name))
    return node("ul", *entries, class_="legend")


def _line(line: Line, aside: float, at: Callable[[float, float], tuple[float, float]]) -> Element:
    """The line; ``aside`` keeps whiskers of several lines apart, in pixels."""
    made = node("g", node("title", line.name), class_=f"s{line.style % COLOURS}")
    points = sorted(line.points, key=lambda point: point.x)
    places = [at(point.x, point.y) for point in points]
    for (x, _), point in zip(places, points, strict=True):
        if point.interval is not None:
            low, high = (at(point.x, end)[1] for end in point.interval)
            made.append(_rule(x + aside, low, x + aside, high, "whisker"))
    made.append(node("polyline", points=" ".join(f"{x},{y}" for x, y in places)))
    for x, y in places:
        made.append(marker(line.style, x, y))
    return made


def _rule(x1: float, y1: float, x2: float, y2: float, class_: str | None) -> Element:
    return node("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def _spell(tick: float) -> str:
    return f"{tick:g}" if tick == 0 or abs(tick) >= 1e-3 else f"{tick:.0e}".replace("e-0", "e-")
