"""``watermark embed``."""

from __future__ import annotations

import json
import math
from pathlib import Path

import click
from click.core import ParameterSource

from watermark.cli.options import (
    compute_on_one_thread,
    json_option,
    key_option,
    load_key,
    naming,
    open_source,
    parse_payload,
    payload_options,
    weights_option,
)
from watermark.errors import NotReadBack, UsageError


@click.command("embed")
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@payload_options
@key_option
@click.option(
    "--robustness",
    type=click.Choice(["low", "standard", "high"]),
    default="standard",
    show_default=True,
    help="How much the mark shall withstand; the strength is chosen for each picture, within what the eye forgives.",
)
@click.option(
    "--strength",
    type=click.FloatRange(30, 60),
    help="Fixed strength instead, in dB: the mean PSNR over photographs; that of one picture may be far from it.",
)
@click.option("--quality", type=click.IntRange(1, 100), help="Of JPEG or lossy WebP; else as the source was coded.")
@click.option("--force", is_flag=True, help="Overwrite OUT; drop a C2PA manifest.")
@weights_option
@json_option
@click.pass_context
def command(
    context: click.Context,
    source: Path,
    target: Path,
    payload: str | None,
    text: str | None,
    uuid: str | None,
    key_file: Path | None,
    robustness: str,
    strength: float | None,
    quality: int | None,
    force: bool,
    weights: Path | None,
    as_json: bool,
) -> None:
    """Mark the picture IN and write it to OUT (JPEG, PNG, WebP or TIFF, by its suffix).

    Metadata, alpha, depth and JPEG tables stay as they are. What is to be written is read back first; if
    the mark does not read, nothing is written.
    """
    if strength is not None and context.get_parameter_source("robustness") is ParameterSource.COMMANDLINE:
        raise UsageError("--strength stands instead of --robustness; give one of them")
    message = parse_payload(payload, text, uuid)
    key = load_key(key_file)
    image, kind = open_source(source, target, force)
    if quality is not None and kind not in ("JPEG", "WEBP"):
        raise UsageError(f"--quality is for JPEG and WebP, but {target} is {kind}, which loses nothing; leave it out")

    from watermark.detect import Detector
    from watermark.embed import Embedder
    from watermark.files import write_atomically
    from watermark.imaging import check_holds, decode_image, encode_image
    from watermark.nets.model import RELEASE

    with naming(source):
        check_holds(image, kind)
    for loss in image.losses(kind):
        click.echo(f"watermark: {source}: {loss} will not be in {target}", err=True)
    compute_on_one_thread()
    weights = weights or RELEASE
    detector = Detector(key, weights=weights)
    with naming(source):
        if detector.detect(image.pixels, search="none").present:
            click.echo(f"watermark: {source} carries a mark of this key already; a second one weakens both", err=True)
        embedder = Embedder(key, robustness, strength, weights)  # type: ignore[arg-type]
        marked = embedder.embed(image.pixels, message)
        coded = encode_image(image, marked.pixels, kind, quality=quality)
        written = detector.detect(decode_image(coded, str(target)).pixels, search="none")
    if written.payload != message:
        raise NotReadBack(
            f"{source}: the mark could not be read back from what would have been {target}, so nothing was written; "
            "a flat picture may carry none; try a shorter payload, --robustness high, a lower --strength or, for lossy "
            "formats, a higher --quality"
        )
    write_atomically(target, coded)
    if not marked.reached:
        louder = "a --strength" if robustness == "high" else "--robustness high or a --strength"
        click.echo(
            f"watermark: {source}: {robustness} robustness was not reached: strong JPEG compression leaves less of "
            f"this mark than asked for, and a louder one would show more than {robustness} allows; {louder} below "
            f"{marked.strength:g} marks louder",
            err=True,
        )
    result = {
        "schema": 1,
        "file": str(target),
        "payload": message.hex,
        "format": message.format,
        "psnr": round(marked.psnr, 2) if math.isfinite(marked.psnr) else None,  # JSON knows no infinity
        "ssim": round(marked.ssim, 5),
        "strength": marked.strength,
        "reached": marked.reached,
        "bit_errors": written.bit_errors,
        "read_back": True,
        "key": key.fingerprint,
    }
    if as_json:
        click.echo(json.dumps(result))
    else:
        click.echo(
            f"{click.format_filename(target)}: payload {message.hex}, PSNR {marked.psnr:.1f} dB, "
            f"SSIM {marked.ssim:.4f}, strength {marked.strength:g} dB, "
            f"read back with {written.bit_errors} of 256 bits wrong"
        )
