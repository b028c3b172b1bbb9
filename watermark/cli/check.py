"""``watermark check``."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import click

from watermark.cli.options import (
    compute_on_one_thread,
    geometry_json,
    json_option,
    key_option,
    load_key,
    naming,
    parse_payload,
    payload_options,
    print_unexamined,
    search_option,
    weights_option,
)
from watermark.errors import ImageError


@click.command("check")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@payload_options
@key_option
@search_option
@weights_option
@json_option
def command(
    files: tuple[Path, ...],
    payload: str | None,
    text: str | None,
    uuid: str | None,
    key_file: Path | None,
    search: str,
    weights: Path | None,
    as_json: bool,
) -> None:
    """Compare each FILE with a claimed payload; finds marks far too weak to read blind.

    Exits with 0 if the p-value of all is at most 1e-6, 1 if that of some is not, 3 if some could not be examined.
    """
    claim = parse_payload(payload, text, uuid)
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
                found = detector.check(read_image(file).pixels, claim, search)  # type: ignore[arg-type]
        except ImageError as error:
            code = 3
            print_unexamined(file, error, "matches", as_json)
            continue
        milliseconds = round(1000 * (time.perf_counter() - started), 1)
        if not found.matches:
            code = max(code, 1)
        if as_json:
            line = {
                "schema": 1,
                "file": str(file),
                "matches": found.matches,
                "payload": claim.hex,
                "p_value": found.p_value,
                "bit_errors": found.bit_errors,
                "geometry": geometry_json(found.geometry) if found.matches else None,
                "search": search,
                "ms": milliseconds,
            }
            click.echo(json.dumps(line))
        else:
            verdict = "matches" if found.matches else "does not match"
            name = click.format_filename(file)
            click.echo(f"{name}: {verdict} payload {claim.hex}, p-value at most {found.p_value:.1e}")
    sys.exit(code)
