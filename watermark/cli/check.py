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
    parse_payload,
    payload_options,
    search_option,
)


@click.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@payload_options
@key_option
@search_option
@json_option
def command(
    file: Path,
    payload: str | None,
    text: str | None,
    uuid: str | None,
    key_file: Path | None,
    search: str,
    as_json: bool,
) -> None:
    """Compare FILE with a claimed payload; finds marks far too weak to read blind.

    Exits with 0 if the p-value is at most 1e-6, 1 if not, 3 if FILE could not be examined.
    """
    claim = parse_payload(payload, text, uuid)
    key = load_key(key_file)

    from watermark.detect import Detector
    from watermark.imaging import read_image

    compute_on_one_thread()
    started = time.perf_counter()
    found = Detector(key).check(read_image(file).pixels, claim, search)  # type: ignore[arg-type]
    milliseconds = round(1000 * (time.perf_counter() - started), 1)
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
        click.echo(f"{click.format_filename(file)}: {verdict} payload {claim.hex}, p-value at most {found.p_value:.1e}")
    sys.exit(0 if found.matches else 1)
