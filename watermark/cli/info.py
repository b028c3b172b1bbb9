"""``watermark info``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from watermark import __version__
from watermark.cli.options import json_option, key_option, load_key


@click.command("info")
@key_option
@json_option
def command(key_file: Path | None, as_json: bool) -> None:
    """Show the version, the key's fingerprint, the weights, and at how much they fail; with --json their whole card."""
    key = load_key(key_file)

    from watermark.nets.model import load_card, load_model

    load_model()  # checks the hash
    information: dict[str, Any] = {
        "schema": 1,
        "version": __version__,
        "key": key.fingerprint,
        "open_key": key_file is None,
        "weights": load_card(),
    }
    if as_json:
        click.echo(json.dumps(information))
        return
    card = information["weights"]
    click.echo(f"watermark {__version__}")
    note = " (the open key: anyone can read and forge its marks)" if key_file is None else ""
    click.echo(f"key {key.fingerprint}{note}")
    name, licence = card.get("name", "unnamed"), card.get("licence", "unknown")
    click.echo(f"weights {name}, SHA-256 {card['sha256']}, licence {licence}")
    if failures := card.get("failures"):
        click.echo(f"{len(failures)} known failures of the weights: --json lists them first; see docs/kinds.md")
