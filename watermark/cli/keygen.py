"""``watermark keygen``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("keygen")
@click.argument("file", type=click.Path(path_type=Path))
def command(file: Path) -> None:
    """Write a fresh secret key to FILE, readable by you alone; never overwrites."""
    from watermark.payload.keys import Key

    key = Key.generate()
    key.save(file)
    click.echo(f"wrote {file}, fingerprint {key.fingerprint}; keep it secret and keep a copy", err=True)
