"""Pictures and metadata the imaging tests make for themselves."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, PngImagePlugin

from watermark.imaging.exif import EXIF_LABEL

HEIGHT, WIDTH = 40, 56
CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF/>\xc3\xa9</x:xmpmeta>'


def make_exif(orientation: int = 6) -> bytes:
    """An EXIF block from its TIFF header on, with tags in the main, Exif and GPS directories."""
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010F] = "Maker"
    tags[0x8298] = "Copyright holder"
    tags.get_ifd(0x8769)[0x9003] = "2024:05:06 07:08:09"
    tags.get_ifd(0x8769)[0x927C] = b"maker note \x00\x01\x02"
    tags.get_ifd(0x8825)[1] = "N"
    return tags.tobytes().removeprefix(EXIF_LABEL)


def flat_exif(exif: bytes) -> dict[int, Any]:
    """All tags of an EXIF block, those of its sub-directories included, resolution and offsets left out."""
    tags = Image.Exif()
    tags.load(EXIF_LABEL + exif)
    flat = {tag: value for tag, value in tags.items() if tag not in (0x8769, 0x8825, 282, 283, 296)}
    return flat | tags.get_ifd(0x8769) | tags.get_ifd(0x8825)


def smooth(mode: str = "RGB", dtype: type = np.uint8) -> NDArray[Any]:
    """A picture without hard edges of shape (40, 56[, channels]), using the whole range of values."""
    down, across = np.mgrid[0:HEIGHT, 0:WIDTH] / 10
    waves = [np.sin(down * (1 + 0.3 * k) + k) * np.cos(across * (1 - 0.1 * k)) for k in range(CHANNELS[mode])]
    top = np.iinfo(dtype).max
    pixels: NDArray[Any] = np.rint((np.stack(waves, axis=2) + 1) / 2 * top).astype(dtype)
    return pixels[..., 0] if mode == "L" else pixels


def noise(mode: str = "RGB", dtype: type = np.uint8, seed: int = 0) -> NDArray[Any]:
    """White noise over the whole range of values, of shape (40, 56[, channels])."""
    shape = (HEIGHT, WIDTH) if mode == "L" else (HEIGHT, WIDTH, CHANNELS[mode])
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)


def saved(image: Image.Image | NDArray[Any], format: str, **options: object) -> bytes:
    """The picture as a file of the format, written by Pillow."""
    file = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(file, format, **options)
    return file.getvalue()


def with_metadata(pixels: NDArray[Any], format: str, exif: bytes | None = None, **options: object) -> bytes:
    """The picture as a file with EXIF (orientation 6), ICC, XMP and 300 dpi, written by Pillow."""
    exif = make_exif() if exif is None else exif
    options |= {"exif": EXIF_LABEL + exif, "icc_profile": ICC, "dpi": (300, 300)}
    if format == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", XMP.decode())
        text.add_text("Title", "a title")
        text.add(b"gAMA", struct.pack(">I", 45455))
        options["pnginfo"] = text
    elif format == "TIFF":
        tags = Image.Exif()
        tags.load(EXIF_LABEL + exif)
        tags[700] = XMP
        options["exif"] = tags
    else:
        options["xmp"] = XMP
    return saved(pixels, format, **options)
