"""``watermark demo``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from watermark.cli.options import compute_on_one_thread, json_option


@click.command("demo")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("watermark-demo"),
    show_default=True,
    help="Folder for the marked picture and the contact sheet.",
)
@json_option
def command(out: Path, as_json: bool) -> None:
    """Mark a bundled photograph, attack it in ten ways, read each copy and draw a contact sheet.

    Exits with 1 if a copy could not be read.
    """
    from io import BytesIO

    from rich.console import Console

    from watermark.demo import PHOTOGRAPH, contact_sheet, run_demonstration
    from watermark.files import write_atomically
    from watermark.imaging import encode_image, read_image
    from watermark.payload.frame import Payload
    from watermark.payload.keys import Key

    compute_on_one_thread()
    out.mkdir(parents=True, exist_ok=True)
    image = read_image(PHOTOGRAPH)
    payload = Payload.from_text("demo 1")
    with Console(stderr=True, quiet=not sys.stderr.isatty()).status("marking") as status:
        marked, copies = run_demonstration(
            image.pixels,  # type: ignore[arg-type]
            payload,
            Key.open(),
            lambda name: status.update(f"reading: {name}"),
        )
    write_atomically(out / "marked.jpg", encode_image(image, marked.pixels, "JPEG"))
    buffer = BytesIO()
    contact_sheet(image.pixels, marked, copies).save(buffer, "PNG")  # type: ignore[arg-type]
    write_atomically(out / "contact-sheet.png", buffer.getvalue())
    if not as_json:
        click.echo(f"{'copy':34} {'read':10} {'wrong bits':>10} {'ms':>6}")
    for copy in copies:
        read = copy.found.payload == payload
        if as_json:
            line = {
                "schema": 1,
                "copy": copy.name,
                "recovered": read,
                "bit_errors": copy.found.bit_errors,
                "ms": round(copy.milliseconds, 1),
            }
            click.echo(json.dumps(line))
        else:
            text = copy.found.payload.text if copy.found.payload else "nothing"
            errors = "-" if copy.found.bit_errors is None else copy.found.bit_errors
            click.echo(f"{copy.name:34} {text!s:10} {errors:>10} {copy.milliseconds:6.0f}")
    click.echo(f"PSNR {marked.psnr:.1f} dB; pictures in {out}", err=True)
    sys.exit(0 if all(copy.found.payload == payload for copy in copies) else 1)
