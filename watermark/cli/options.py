"""Options that several commands share, and how results become JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from watermark.errors import CredentialPresent, ImageError, OutputExists, UnsupportedImage, UsageError

if TYPE_CHECKING:
    from watermark.imaging import ImageFile
    from watermark.payload.frame import Payload
    from watermark.payload.keys import Key
    from watermark.registration.geometry import Geometry

Function = TypeVar("Function", bound=Callable[..., Any])

key_option = click.option(
    "--key",
    "key_file",
    type=click.Path(path_type=Path),
    help="Key file made by keygen; without it the published open key, which anyone can read and forge.",
)
weights_option = click.option(
    "--weights",
    type=click.Path(path_type=Path),
    help="Weights of a training run of your own, RUN/model.safetensors; the released ones by default.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
search_option = click.option(
    "--search",
    type=click.Choice(["none", "fast", "full"]),
    default="full",
    show_default=True,
    help="none: as marked but for its size; fast: also flips, quarter turns, crops and padding; "
    "full: any rotation and stretching too.",
)


def payload_options(function: Function) -> Function:
    """Add ``--payload``, ``--text`` and ``--uuid``; read them with :func:`parse_payload`."""
    for name, text in (
        ("uuid", "Payload as a UUID (128 bits)."),
        ("text", "Payload as text, up to 16 bytes of UTF-8."),
        ("payload", "Payload as 8, 16 or 32 hexadecimal digits."),
    ):
        function = click.option(f"--{name}", help=text)(function)
    return function


def parse_payload(payload: str | None, text: str | None, uuid: str | None) -> Payload:
    """The payload given by exactly one of three options.

    Raises:
        UsageError: none or several were given.
        PayloadError: the one given is malformed.
    """
    from watermark.payload.frame import Payload

    if sum(value is not None for value in (payload, text, uuid)) != 1:
        raise UsageError("give the payload by exactly one of --payload HEX, --text STR and --uuid UUID")
    if payload is not None:
        return Payload.from_hex(payload)
    if text is not None:
        return Payload.from_text(text)
    return Payload.from_uuid(str(uuid))


def compute_on_one_thread() -> None:
    """Keep torch to one thread.

    A search is thousands of small steps. Where other programs keep the cores busy, threads that wait for each other
    at every step made it twenty times slower.
    """
    import torch

    torch.set_num_threads(1)


def load_key(path: Path | None) -> Key:
    """The key in a file, or the open key if no file is named."""
    from watermark.payload.keys import Key

    return Key.open() if path is None else Key.load(path)


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """Let errors about a picture begin with the name of its file, which those about pixels do not know.

    Raises:
        ImageError: instead of any other of its kind, and of a lack of memory.
    """
    try:
        yield
    except ImageError as error:
        raise ImageError(f"{file}: {str(error).removeprefix(f'{file}: ')}") from error
    except MemoryError as error:
        raise ImageError(f"{file}: not enough memory for this picture") from error


def print_unexamined(file: Path, error: ImageError, answer: str, as_json: bool) -> None:
    """Say that a file could not be examined, before going on to the next.

    Args:
        file: the file.
        error: as :func:`naming` raises it.
        answer: the field that is ``null`` then.
        as_json: whether to print an object too.
    """
    click.echo(f"watermark: {error}", err=True)
    if as_json:
        reason = str(error).removeprefix(f"{file}: ")
        click.echo(json.dumps({"schema": 1, "file": str(file), answer: None, "error": reason}))


def open_source(source: Path, target: Path, force: bool) -> tuple[ImageFile, str]:
    """Read the picture that a command changes, once it may be written to ``target``.

    Args:
        source: the picture.
        target: where it is to go; its suffix is the format.
        force: whether to overwrite ``target`` and to drop a C2PA manifest.

    Returns:
        The picture, and the format of ``target`` as :func:`watermark.imaging.format_of` names it.

    Raises:
        OutputExists: ``target`` exists.
        UsageError: its folder does not, or its suffix names no format that can be written.
        CredentialPresent: the picture carries a signed C2PA manifest.
        ImageError: it cannot be read.
    """
    if target.exists() and not force:
        raise OutputExists(f"{target} exists; give --force to overwrite it")
    if not target.parent.is_dir():
        raise UsageError(f"the folder {target.parent} is not there; make it, or write elsewhere")

    from watermark.imaging import decode_image, format_of, has_credential, read_bytes

    try:
        kind = format_of(target)
    except UnsupportedImage as error:
        raise UsageError(str(error)) from error
    data = read_bytes(source)
    if has_credential(data) and not force:
        raise CredentialPresent(
            f"{source} carries a signed C2PA manifest, which other pixels would invalidate; "
            "change them before signing, or give --force to drop the manifest"
        )
    return decode_image(data, str(source)), kind


def geometry_json(geometry: Geometry | None) -> dict[str, Any] | None:
    """A geometry as plain values, rounded to what is known of it."""
    if geometry is None:
        return None
    return {
        "rotation_degrees": round(geometry.rotation_degrees, 2),
        "flipped": geometry.flipped,
        "scale": round(geometry.scale, 4),
        "aspect": round(geometry.aspect, 4),
        "shift": [round(geometry.shift_x, 4), round(geometry.shift_y, 4)],
        "matrix": [[round(value, 9) for value in row] for row in geometry.matrix],
    }
