"""``watermark detect``."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from watermark.cli.options import (
    compute_on_one_thread,
    geometry_json,
    json_option,
    key_option,
    load_key,
    naming,
    print_unexamined,
    search_option,
    weights_option,
)
from watermark.errors import ImageError

if TYPE_CHECKING:
    from watermark.detect import Detection


@click.command("detect")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@key_option
@search_option
@weights_option
@json_option
def command(files: tuple[Path, ...], key_file: Path | None, search: str, weights: Path | None, as_json: bool) -> None:
    """Read the mark of each FILE, without the original.

    Exits with 0 if all are marked, 1 if some are not, 3 if some could not be examined.
    """
    key = load_key(key_file)

    from watermark.detect import Detector
    from watermark.imaging import read_image
    from watermark.nets.model import RELEASE

    compute_on_one_thread()
    detector = Detector(key, weights=weights or RELEASE)
    code = 0
    for file in files:
        started = time.perf_counter()
        try:
            with naming(file):
                found = detector.detect(read_image(file).pixels, search)  # type: ignore[arg-type]
        except ImageError as error:
            code = 3
            print_unexamined(file, error, "present", as_json)
            continue
        milliseconds = round(1000 * (time.perf_counter() - started), 1)
        if not found.present:
            code = max(code, 1)
        line = as_object(str(file), found, milliseconds)
        whose = "this key" if key_file else "the open key (give --key for one of your own)"
        click.echo(json.dumps(line) if as_json else _sentence(click.format_filename(file), found, whose))
    sys.exit(code)


def as_object(file: str, found: Detection, milliseconds: float) -> dict[str, Any]:
    """A detection as plain values, schema 1."""
    payload = found.payload
    return {
        "schema": 1,
        "file": file,
        "present": found.present,
        "payload": payload.hex if payload else None,
        "format": payload.format if payload else None,
        "text": payload.text if payload else None,
        "false_positive_bound": found.false_positive_bound,
        "bit_errors": found.bit_errors,
        "score": round(found.score, 3),
        "geometry": geometry_json(found.geometry),
        "search": found.search,
        "ms": milliseconds,
    }


def _sentence(file: str, found: Detection, whose: str) -> str:
    if found.payload is None:
        return f"{file}: no mark of {whose} found ({found.search} search)"
    text = f" {found.payload.text!r}" if found.payload.text else ""
    return (
        f"{file}: payload {found.payload.hex}{text}, {found.bit_errors} of 256 bits wrong, "
        f"by chance at most {found.false_positive_bound:.1e}"
    )
