"""The page: all sections in one file of HTML that needs nothing from outside."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from benchmarks.methods.base import Method
from benchmarks.report.cost import attack_table, cost
from benchmarks.report.gallery import gallery
from benchmarks.report.head import head, limits, methods, pictures, problems
from benchmarks.report.markup import node, render
from benchmarks.report.nulls import calibration, false_positives, tampering
from benchmarks.report.payload import payload
from benchmarks.report.quality import quality, speed
from benchmarks.report.results import Result
from benchmarks.report.robustness import curves, overview, robustness
from benchmarks.report.trade_off import trade_off
from benchmarks.report.versus import versus

_SECTIONS = (
    methods,
    problems,
    overview,
    robustness,
    versus,
    curves,
    payload,
    trade_off,
    cost,
    false_positives,
    calibration,
    tampering,
    quality,
    speed,
)
_CLOSING = (attack_table, pictures, limits)


def page(result: Result, resolve: Callable[[str], Method], folder: Path | None = None) -> str:
    """The page as HTML.

    Args:
        result: the result.
        resolve: gives a method by its name; for the gallery.
        folder: in which the run's pictures lie; no gallery if ``None``.
    """
    sections = [
        *(make(result) for make in _SECTIONS),
        gallery(result, folder, resolve),
        *(make(result) for make in _CLOSING),
    ]
    links = [node("a", made.findtext("h2", ""), href=f"#{made.get('id')}") for made in sections]
    style = files("benchmarks.report").joinpath("report.css").read_text(encoding="utf-8")
    document = node(
        "html",
        node(
            "head",
            node("meta", charset="utf-8"),
            node("meta", name="viewport", content="width=device-width, initial-scale=1"),
            node("title", f"Watermark benchmark, {result.values['tier']} tier"),
            node("style", style),
        ),
        node(
            "body",
            head(result),
            node("nav", *links, aria_label="Sections"),
            node("main", *sections),
            node("footer", "Made by watermark bench report from one result file; docs/metrics.md defines the numbers."),
        ),
        lang="en",
    )
    return f"<!doctype html>\n{render(document)}\n"
