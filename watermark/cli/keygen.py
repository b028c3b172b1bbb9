"""``watermark keygen``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from watermark.cli.options import json_option


@click.command("keygen")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def command(file: Path, as_json: bool) -> None:
    """Write a fresh secret key to FILE, readable by you alone; never overwrites."""
    from watermark.payload.keys import Key

    key = Key.generate()
    key.save(file)
    if as_json:
        click.echo(json.dumps({"schema": 1, "file": str(file), "fingerprint": key.fingerprint}))
    click.echo(f"wrote {file}, fingerprint {key.fingerprint}; keep it secret and keep a copy", err=True)
