"""How the command line's tests call it, and the pictures they call it with."""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from PIL import Image, ImageCms
from skimage import data

from watermark.cli.main import main

ROOT = Path(__file__).parent.parent.parent
PAYLOAD = "0123456789abcdef"
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF/>\xc3\xa9</x:xmpmeta>'
_MANIFEST = b"jumb\0\0\0\x27jumdc2pa\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71\x03c2pa\0"


def run(*arguments: object, code: int = 0) -> Result:
    """Call the command line in this process and expect an exit code."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="watermark")
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert result.exit_code == code, result.output
    return result


def run_process(*arguments: object, folder: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Call the command line in a process of its own, warnings being errors."""
    command = [sys.executable, "-W", "error", "-m", "watermark.cli.main", *(str(argument) for argument in arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment, **options}
    return subprocess.run(command, cwd=folder, text=True, check=False, **options)


def refused(code: int, *arguments: object) -> str:
    """Call the command line; expect a refusal of one line, which is returned, and no data."""
    result = run(*arguments, code=code)
    assert result.stdout == ""
    assert result.stderr.startswith("watermark: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def json_lines(result: Result | subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """Everything on standard output, each line an object."""
    return [json.loads(line) for line in result.stdout.splitlines()]


def kinds(values: dict[str, Any]) -> dict[str, type]:
    """Names and types of an object."""
    return {name: type(value) for name, value in values.items()}


def astronaut() -> NDArray[np.uint8]:
    """Colour, 320 x 384."""
    return np.ascontiguousarray(data.astronaut()[:320, :384])


def coffee() -> NDArray[np.uint8]:
    """Colour, 300 x 400."""
    return np.ascontiguousarray(data.coffee()[50:350, 100:500])


def camera() -> NDArray[np.uint8]:
    """Grey, 300 x 300."""
    return np.ascontiguousarray(data.camera()[100:400, 100:400])


def save(path: Path, pixels: NDArray[Any], **options: Any) -> Path:
    """Write a picture by Pillow, in the format of the suffix."""
    Image.fromarray(pixels).save(path, **options)
    return path


def exif(orientation: int = 6) -> bytes:
    """An EXIF block with an orientation and tags in three directories."""
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x8298] = "Copyright holder"
    tags.get_ifd(0x8769)[0x9003] = "2024:05:06 07:08:09"
    tags.get_ifd(0x8825)[1] = "N"
    return tags.tobytes()


def psnr(before: NDArray[Any], after: NDArray[Any]) -> float:
    """PSNR in dB of 8-bit pixels."""
    return float(10 * np.log10(255**2 / np.square(before.astype(float) - after).mean()))


def save_signed(path: Path) -> Path:
    """A JPEG with a C2PA manifest, as far as a program can tell that does not check signatures."""
    file = io.BytesIO()
    Image.fromarray(astronaut()).save(file, "JPEG", quality=90)
    payload = b"JP\0\1\0\0\0\1" + struct.pack(">I", len(_MANIFEST) + 4) + _MANIFEST
    segment = b"\xff\xeb" + struct.pack(">H", len(payload) + 2) + payload
    path.write_bytes(file.getvalue()[:2] + segment + file.getvalue()[2:])
    return path
