"""Stored measurements of the envelope: written, and joined for the page, the README and the release card."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.grid import ENVELOPE, EQUAL_BYTES, Row
from watermark.files import write_atomically

Image = dict[str, Any]
LEVELS = ("standard", "low", "high")


def load(folder: Path) -> dict[str, Any]:
    """All results in a folder: envelopes and JOD by level, what a reader must know of them, false positives, speed.

    What was read at equal bytes becomes one more row of its envelope.
    """
    results: dict[str, Any] = {"envelope": {}, "jod": {}, "notes": []}
    for level in LEVELS:
        if (path := folder / f"envelope-{level}.json").exists():
            stored = json.loads(path.read_text())
            results["envelope"][level] = stored["images"]
            results["notes"] += [f"`{level}`: {stored['note']}"] if "note" in stored else []
        if (path := folder / f"jod-{level}.jsonl").exists():
            results["jod"][level] = [json.loads(line) for line in path.read_text().splitlines()]
    if (path := folder / "equal-bytes.json").exists():
        stored = json.loads(path.read_text())
        results["equal_bytes"] = stored["total"]
        for image in results["envelope"].get(stored["robustness"], []):
            read = [copy for copy in stored["images"] if copy["image"] == image["image"]]
            image["attacks"][EQUAL_BYTES.name] = read
    if (path := folder / "nothing.json").exists():
        results["nothing"] = json.loads(path.read_text())
    if (path := folder / "speed-suite.json").exists():
        results["speed"] = json.loads(path.read_text())["parts"].get("decoded")
    return results


def write_images(path: Path, head: dict[str, Any], images: list[Image]) -> None:
    """Write a result with an image a line, by name: JSON, ``head`` and then ``images``.

    Raises:
        OSError: the folder is missing or not writable.
    """
    lines = ",\n".join(json.dumps(image) for image in sorted(images, key=lambda image: str(image["image"])))
    write_atomically(path, (json.dumps(head)[:-1] + f', "images": [\n{lines}\n]}}\n').encode())


def outcomes(images: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """What was read from the copies of a row; copies under 128 pixels, which a detector refuses, are left out."""
    return [outcome for image in images for outcome in copies(image, name) if "refused" not in outcome]


def copies(image: Image, name: str) -> list[dict[str, Any]]:
    """The copies of a row, refused ones too; none where the row of equal bytes was not measured."""
    read: list[dict[str, Any]] = image["attacks"].get(name, []) if name == EQUAL_BYTES.name else image["attacks"][name]
    return read


def measured_rows(images: list[dict[str, Any]]) -> list[Row]:
    """The rows that were measured, the one of equal bytes last."""
    return [*ENVELOPE, *([EQUAL_BYTES] if outcomes(images, EQUAL_BYTES.name) else [])]


def measured_quality(results: dict[str, Any], level: str) -> dict[str, float | None]:
    """What :data:`benchmarks.grid.QUALITY_TARGETS` asks for, as measured at a robustness; ``None`` if it was not."""
    jods = [line["jod"] for line in results["jod"].get(level, [])]
    return {
        "mean_psnr_db": fmean(image["psnr"] for image in results["envelope"][level]),
        "mean_jod": fmean(jods) if jods else None,
        "worst_jod": min(jods) if jods else None,
    }


def load_kinds(folder: Path) -> tuple[list[Image], dict[str, str]]:
    """Images of the envelopes of photographs and of other pictures, and why some were refused.

    The images have ``kind``, ``characters`` and ``jod`` beside what was measured.
    """
    known = json.loads((folder / "characters.json").read_text())
    images: list[Image] = []
    refused: dict[str, str] = {}
    for part in ("standard", "others"):
        stored = json.loads((folder / f"envelope-{part}.json").read_text())
        lines = map(json.loads, (folder / f"jod-{part}.jsonl").read_text().splitlines())
        jods = {Path(line["test"]).name.removesuffix(".standard.marked.png"): line["jod"] for line in lines}
        refused |= stored.get("refused", {})
        images += [
            {**image, **known[image["image"]], "jod": jods[Path(image["image"]).stem]} for image in stored["images"]
        ]
    return images, refused
