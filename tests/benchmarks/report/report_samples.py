"""A result as the runner writes it, with outcomes drawn by chance, and a reader of the page's tables."""

from __future__ import annotations

from collections import defaultdict
from html.parser import HTMLParser
from typing import Any

import numpy as np

from attacks import Chain, Crop, Flip, GaussianNoise, RealJpeg
from benchmarks.metrics.registry import QUALITY
from benchmarks.runner.probes import AVERAGE, COPY, DOUBLE
from benchmarks.runner.settings import IDENTITY, Setting

SETTINGS = (
    IDENTITY,
    *map(Setting, (RealJpeg(70), RealJpeg(50), RealJpeg(30), Crop(0.5), Flip("horizontal"), GaussianNoise(0.04))),
    Setting(Chain((RealJpeg(60), Crop(0.71)))),
)
NASTY = '<b>x</b> & "y" | z'
KEYS = ("0000000a", "0000000b", "0000000c")


def method(name: str, **changes: Any) -> dict[str, Any]:
    facts = {"version": "1", "message_bits": 32, "keyed": True, "blind": True, "licence": "MIT", "note": "for tests"}
    return {"name": name, **facts, "status": "ok", "reason": None, **changes}


def missing(name: str) -> dict[str, Any]:
    facts = dict.fromkeys(("version", "message_bits", "keyed", "blind", "licence", "note"))
    return {"name": name, **facts, "status": "missing", "reason": "MethodMissing: pip install <it>"}


def sample(
    pictures: int = 4, kinds: tuple[str, ...] = ("marked",), points: tuple[str, ...] = ("default",), seed: int = 0
) -> dict[str, Any]:
    """Two methods that run, one of an unpleasant name and blind, one that is asked, and one that is missing."""
    generator = np.random.default_rng(seed)
    methods = [method(NASTY), method("asked", blind=False, keyed=False), missing("absent")]
    images = [
        {"name": f"photo{index}.png", "sha256": f"{index:064x}", "width": 64, "height": 60, "kind": "photo"}
        for index in range(pictures)
    ]
    embeds, reads = [], []
    for made in methods[:2]:
        for point in points:
            for image in images:
                where = {"method": made["name"], "point": point, "image": image["name"]}
                embeds.append({**where, "key": KEYS[0], "status": "ok", "reason": None, **_quality(generator)})
                for kind in kinds:
                    reads += [{**where, **_reading(generator, kind, attack, key)} for attack, key in _cells(kind)]
    rows = [setting.row() for setting in (*SETTINGS, DOUBLE, AVERAGE, COPY)]
    nulls = [("constant", "constant 128", {"level": 128}), ("random", "random", {})]
    rows += [
        {"id": id, "name": name, "family": "null", "parameters": values, "unit": "grey level", "changes_size": False}
        for name, id, values in nulls
    ]
    return {
        "schema": 1,
        "tier": "tiny",
        "seed": 7,
        "versions": {"python": "3.11.7", "watermark-toolkit": "0.1.0"},
        "source_sha256": "ab" * 32,
        "hardware": {"cores": 2, "architecture": "x86_64", "processor": None, "system": "Linux"},
        "data": {"images": images},
        "methods": methods,
        "attacks": rows,
        "attempts": {kind: sum(row["kind"] == kind for row in reads) for kind in sorted(kinds)},
        "embeds": embeds,
        "reads": reads,
    }


def _cells(kind: str) -> list[tuple[str, str]]:
    informed = {"double": DOUBLE.id, "average": AVERAGE.id, "copy": COPY.id, "constant": "constant 128"}
    if kind == "marked":
        return [(setting.id, KEYS[0]) for setting in SETTINGS]
    if kind in {"unmarked", "wrong_key"}:
        return [(setting.id, key) for setting in SETTINGS[:3] for key in KEYS]
    return [(informed.get(kind, kind), KEYS[0])]


def _quality(generator: np.random.Generator) -> dict[str, Any]:
    values = {name: round(float(generator.uniform(0.1, 0.9)), 6) for name in QUALITY}
    return {**values, "psnr": round(float(generator.uniform(38, 48)), 6), "jod": None, "ms": 12.5, "peak_bytes": 2**28}


def _reading(generator: np.random.Generator, kind: str, attack: str, key: str) -> dict[str, Any]:
    row = {"key": key, "attack": attack, "kind": kind, "status": "ok", "reason": None}
    present = bool(generator.random() < (0.8 if kind == "marked" else 0.1))
    exact = present and kind == "marked" and bool(generator.random() < 0.8)
    right = 32 if exact else int(generator.integers(10, 32))
    psnr, shown = (None, 1.0) if attack == IDENTITY.id else (round(float(generator.uniform(20, 40)), 6), 0.75)
    return row | {
        "present": present,
        "exact": exact,
        "wrong": present and not exact,
        "bit_accuracy": right / 32,
        "score": right / 32,
        "p": round(float(generator.random()), 6),
        "psnr": psnr,
        "shown": shown,
        "ms": round(float(generator.uniform(5, 50)), 1),
    }


class Tables(HTMLParser):
    """Texts of all cells, ``tables[section][row][column]``, and whether all tags are closed in order."""

    VOID = frozenset({"meta", "img", "br", "link", "input", "hr"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = defaultdict(list)
        self.under: dict[tuple[str, str], list[list[str]]] = defaultdict(list)  # section and heading
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.texts: dict[str, str] = defaultdict(str)
        self._section = self._heading = ""
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        self.addresses += [named[name] or "" for name in ("src", "href", "srcset", "data") if name in named]
        if tag not in self.VOID:
            self.open.append(tag)
        if tag in {"section", "header"}:
            self._section, self._heading = named["id"] or "", ""
        elif tag == "h3":
            self._heading = ""
        elif tag == "tr":
            self.tables[self._section].append([])
            self.under[self._section, self._heading].append(self.tables[self._section][-1])
        elif tag in {"td", "th"}:
            self.tables[self._section][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts[self._section] += data
        if "h3" in self.open:
            self._heading += data
        if {"td", "th"} & set(self.open):
            cells = self.tables[self._section][-1]
            cells[-1] += ("\n" if "span" in self.open and cells[-1] else "") + data
