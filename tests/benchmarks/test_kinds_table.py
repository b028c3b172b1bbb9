"""The page of the kinds of pictures, from results made by hand, and the stored page from the stored results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.envelope_results import load_kinds
from benchmarks.grid import ENVELOPE
from benchmarks.kinds_table import attack_rows, kind_rows, page


def image(name: str, kind: str, characters: list[str], missed: tuple[str, ...] = (), **changes: Any) -> dict[str, Any]:
    """A result in which the first copy of some rows was not read."""
    attacks = {
        row.name: [
            {"recovered": bool(copy) or row.name not in missed, "wrong": False} for copy in range(len(row.attacks))
        ]
        for row in ENVELOPE
    }
    return {
        "image": name,
        "kind": kind,
        "characters": characters,
        "psnr": 46.0,
        "jod": 9.8,
        "read_back": True,
        "attacks": attacks,
        "found_where_nothing_is": {"unmarked": False, "wrong key": False},
        **changes,
    }


@pytest.fixture
def images() -> list[dict[str, Any]]:
    return [
        image("a.png", "photo", ["dark"]),
        image("b.png", "photo", [], ("WebP 50",), psnr=44.0),
        image("c.png", "text", ["dark", "flat"], ("WebP 50", "flip"), jod=9.6, read_back=False),
    ]


def test_kind_rows(images: list[dict[str, Any]]) -> None:
    rows = {row[0]: row[1:] for row in kind_rows(images)}
    assert list(rows) == ["*dark*", "*flat*", "photo", "text"]  # characters in their order, then kinds
    assert rows["photo"][:3] == ["2", "45.0", "9.80 (9.80)"]
    assert rows["*dark*"][:3] == ["2", "46.0", "9.70 (9.60)"]
    assert rows["photo"][4] == "WebP 50: 1"
    assert rows["text"][4] == "flip: 1; WebP 50: 1"
    copies = sum(len(row.attacks) for row in ENVELOPE)
    assert rows["text"][3] == f"{100 * (1 - 2 / copies):.1f}"  # of one picture there is no interval
    assert "(" in rows["photo"][3]


def test_attack_rows(images: list[dict[str, Any]]) -> None:
    (webp,) = [row for row in attack_rows(images) if row[0] == "WebP 50"]
    assert [cell.split(" ")[0] for cell in webp[1:]] == ["98", "50.0", "0.0", "33.3"]
    images[2]["attacks"]["WebP 50"] = [{"refused": True}]
    (webp,) = [row for row in attack_rows(images) if row[0] == "WebP 50"]
    assert webp[3] == ""  # nothing was read
    assert webp[4].endswith("of 2, 1 refused")
    rows = {row[0]: row[1:] for row in kind_rows(images)}
    assert rows["text"][3].endswith(", 1 refused")
    assert rows["text"][4] == "flip: 1"  # refused is not lost


def test_page_says_what_was_refused(images: list[dict[str, Any]]) -> None:
    text = page(images, {"film.gif": "film.gif: not a single picture"})
    assert "* film.gif: not a single picture" in text
    assert "refuses them: c.png." in text


def test_stored_page_is_that_of_the_stored_results() -> None:
    root = Path(__file__).parents[2]
    assert page(*load_kinds(root / "benchmarks" / "results")) == (root / "docs" / "kinds.md").read_text(
        encoding="utf-8"
    )


def test_load_joins_by_name(tmp_path: Path) -> None:
    for part, name in (("standard", "a.png"), ("others", "c.png")):
        value = {"images": [{"image": name}], **({"refused": {"film.gif": "no"}} if part == "others" else {})}
        (tmp_path / f"envelope-{part}.json").write_text(json.dumps(value))
        test = f"build/{name[0]}.standard.marked.png"
        (tmp_path / f"jod-{part}.jsonl").write_text(json.dumps({"test": test, "jod": 9.5}) + "\n")
    known = {name: {"kind": "photo", "characters": ["dark"]} for name in ("a.png", "c.png", "unused.png")}
    (tmp_path / "characters.json").write_text(json.dumps(known))
    images, refused = load_kinds(tmp_path)
    assert images[1] == {"image": "c.png", "kind": "photo", "characters": ["dark"], "jod": 9.5}
    assert refused == {"film.gif": "no"}
