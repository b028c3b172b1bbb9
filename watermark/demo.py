"""The demonstration: mark a photograph, attack it in ten ways with real codecs, read each copy."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from attacks import (
    Attack,
    Avif,
    Brightness,
    Chain,
    Crop,
    Flip,
    Greyscale,
    RealJpeg,
    Resize,
    Rotate,
    Screenshot,
    WebP,
)
from watermark.detect import Detection, Detector
from watermark.embed import Embedder, Marked
from watermark.payload.frame import Payload
from watermark.payload.keys import Key

PHOTOGRAPH = Path(__file__).parent / "assets" / "singapore.jpg"
DEMONSTRATION: tuple[tuple[str, Attack], ...] = (
    ("JPEG, quality 40", RealJpeg(40)),
    ("WebP, quality 50", WebP(50)),
    ("AVIF, quality 40", Avif(40)),
    ("resized to a quarter", Resize(0.25)),
    ("cropped to half the area", Crop(0.71, 0.2, 0.7)),
    ("rotated by 30 degrees", Rotate(30)),
    ("mirrored", Flip("horizontal")),
    ("black and white", Greyscale()),
    ("JPEG 60, cropped, half as bright", Chain((RealJpeg(60), Crop(0.71), Brightness(0.5)))),
    ("screenshot", Screenshot()),
)
_CELL = (280, 215)
_MARGIN = 12


@dataclass(frozen=True, slots=True, eq=False)
class Copy:
    """One attacked copy and what was read from it.

    Attributes:
        name: of the attack.
        pixels: uint8, H x W x 3 (RGB).
        found: what was read.
        milliseconds: time of the reading.
    """

    name: str
    pixels: NDArray[np.uint8]
    found: Detection
    milliseconds: float


def run_demonstration(
    pixels: NDArray[np.uint8], payload: Payload, key: Key, report: Callable[[str], None] = lambda name: None
) -> tuple[Marked, list[Copy]]:
    """Mark a picture, attack it, read every copy.

    Args:
        pixels: uint8, H x W x 3 (RGB).
        payload: what the mark says.
        key: of the mark.
        report: called with the name of each copy before it is made.

    Returns:
        The marked picture, and its copies: first untouched, then one for each attack.
    """
    marked = Embedder(key).embed(pixels, payload)
    detector = Detector(key)
    image = torch.from_numpy(marked.pixels).permute(2, 0, 1).unsqueeze(0).float() / 255
    copies = []
    for name, attack in (("marked", Chain(())), *DEMONSTRATION):
        report(name)
        attacked = (attack.apply(image)[0].permute(1, 2, 0) * 255).round().byte().contiguous().numpy()
        started = time.perf_counter()
        found = detector.detect(attacked)
        copies.append(Copy(name, attacked, found, 1000 * (time.perf_counter() - started)))
    return marked, copies


def contact_sheet(host: NDArray[np.uint8], marked: Marked, copies: list[Copy]) -> Image.Image:
    """Host, residual (20 times amplified about grey) and all copies with what was read from them."""
    residual = 128 + 20 * (np.asarray(marked.pixels, dtype=np.int16) - host)
    cells: list[tuple[str, NDArray[np.uint8]]] = [
        ("original", host),
        (f"residual x 20 (PSNR {marked.psnr:.1f} dB)", np.clip(residual, 0, 255).astype(np.uint8)),
    ]
    for copy in copies:
        text = copy.found.payload.text or copy.found.payload.hex if copy.found.payload else "nothing"
        cells.append((f"{copy.name}: {text}", copy.pixels))
    columns = 5
    rows = -(-len(cells) // columns)
    width, height = _CELL
    sheet = Image.new("RGB", (columns * (width + _MARGIN) + _MARGIN, rows * (height + _MARGIN) + _MARGIN), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(13)
    for index, (text, pixels) in enumerate(cells):
        row, column = divmod(index, columns)
        left, top = _MARGIN + column * (width + _MARGIN), _MARGIN + row * (height + _MARGIN)
        picture = Image.fromarray(pixels)
        picture.thumbnail((width, height - 24))
        sheet.paste(picture, (left + (width - picture.width) // 2, top + (height - 24 - picture.height) // 2))
        draw.text((left + width / 2, top + height - 8), text, fill="black", font=font, anchor="ms")
    return sheet
