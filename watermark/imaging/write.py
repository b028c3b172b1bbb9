"""Writing image files: pixels into a format, with the metadata of the file they came from."""

from __future__ import annotations

import io
from pathlib import PurePath
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from watermark.errors import UnsupportedImage
from watermark.imaging.containers import COMMENT, PNG_SIGNATURE, jpeg_segments
from watermark.imaging.exif import EXIF_LABEL
from watermark.imaging.image_file import JPEG_EXIF_LIMIT, JPEG_XMP_LIMIT, ImageFile, JpegCoding
from watermark.imaging.metadata import png_metadata_chunks
from watermark.imaging.tiff import write_tiff

if TYPE_CHECKING:
    import os

    from watermark.imaging.image_file import Pixels

DEFAULT_QUALITY = 95
_SUFFIXES = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF"}
_LONGEST_SIDE = {"JPEG": 65_500, "WEBP": 16_383}
_PNG_OPTIONS = (cv2.IMWRITE_PNG_COMPRESSION, 6)  # as Pillow; the default is made for speed
_IHDR_END = len(PNG_SIGNATURE) + 25


def format_of(path: str | os.PathLike[str]) -> str:
    """The format to write a file in, by its suffix: "JPEG", "PNG", "WEBP" or "TIFF".

    Raises:
        UnsupportedImage: another suffix, or none.
    """
    suffix = PurePath(path).suffix
    try:
        return _SUFFIXES[suffix.lower()]
    except KeyError:
        raise UnsupportedImage(
            f"{path}: files are written as {', '.join(_SUFFIXES)}, but the suffix is {suffix or 'missing'}; "
            "use one of these"
        ) from None


def encode_image(source: ImageFile, pixels: Pixels, format: str, *, quality: int | None = None) -> bytes:
    """Encode pixels with the metadata of the file they came from.

    Pixels go in as they are and the orientation tag stays. What cannot be carried over is listed by
    :meth:`ImageFile.losses`. PNG and TIFF are lossless; TIFF is compressed (by Deflate) if the source was
    or was no TIFF.

    Args:
        source: the file the pixels were read from.
        pixels: same shape and dtype as ``source.pixels``. Grey with alpha is written as such while its
            colours are equal, else as RGBA.
        format: "JPEG", "PNG", "WEBP" or "TIFF".
        quality: 1 to 100, of JPEG or lossy WebP; ignored by others. By default a JPEG from a JPEG has its quantisation
            tables, else the quality is 95, and a WebP is lossless if the source was a lossless WebP. A JPEG from
            a JPEG always has its chroma subsampling, and from others has none (4:4:4).

    Returns:
        The whole file.

    Raises:
        UnsupportedImage: the format cannot hold the pixels (alpha or 16 bits in JPEG, 16 bits in WebP, sides too
            long), the source is CMYK, or the format is none of the four.
        ValueError: pixels of another shape or dtype than the source's, or quality out of range.
    """
    if pixels.shape != source.pixels.shape or pixels.dtype != source.pixels.dtype:
        raise ValueError(
            f"expected pixels like the source's, {source.pixels.shape} of {source.pixels.dtype}, "
            f"but they are {pixels.shape} of {pixels.dtype}"
        )
    if quality is not None and not 1 <= quality <= 100:
        raise ValueError(f"expected a quality of 1 to 100, but it is {quality}")
    check_holds(source, format)
    if format == "JPEG":
        return _encode_jpeg(source, pixels, quality)
    if format == "WEBP":
        return _encode_webp(source, pixels, quality)
    # Grey with alpha was read as RGBA.
    if source.mode == "LA" and not np.ptp(pixels[..., :3], axis=2).any():
        pixels = pixels[..., [0, 3]]
    if format == "PNG":
        return _encode_png(source, pixels)
    return write_tiff(
        pixels if pixels.ndim == 3 else pixels[..., None],
        compress=source.tiff_compressed,
        exif=source.exif,
        icc=source.icc,
        xmp=source.xmp,
        dpi=source.dpi,
    )


def check_holds(source: ImageFile, format: str) -> None:
    """Refuse a format that cannot hold a picture without loss.

    Args:
        source: the picture as read.
        format: "JPEG", "PNG", "WEBP" or "TIFF".

    Raises:
        UnsupportedImage: see :func:`encode_image`.
    """
    pixels = source.pixels
    if format not in _SUFFIXES.values():
        raise UnsupportedImage(f"files are written as JPEG, PNG, WEBP or TIFF, but {format} was asked for")
    if source.mode == "CMYK":
        raise UnsupportedImage(
            "CMYK images are read but not written, as the colours would change; "
            "convert the image to RGB with colour management first"
        )
    if format in ("JPEG", "WEBP") and pixels.dtype == np.uint16:
        raise UnsupportedImage(f"{format} holds 8 bits a channel, but the image has 16; write PNG or TIFF")
    if format == "JPEG" and pixels.ndim == 3 and pixels.shape[2] == 4:
        raise UnsupportedImage("JPEG holds no transparency, but the image has some; write PNG, WebP or TIFF")
    longest = _LONGEST_SIDE.get(format, max(pixels.shape))
    if max(pixels.shape) > longest:
        raise UnsupportedImage(
            f"{format} holds at most {longest} px a side, but the image is {pixels.shape[1]} x {pixels.shape[0]}; "
            "write PNG or TIFF"
        )


def _encode_jpeg(source: ImageFile, pixels: Pixels, quality: int | None) -> bytes:
    coding = source.jpeg or JpegCoding(tables=(), subsampling=0, progressive=False)
    options: dict[str, object] = {
        "subsampling": coding.subsampling,
        "exif": EXIF_LABEL + source.exif if 0 < len(source.exif) <= JPEG_EXIF_LIMIT else b"",
        "xmp": source.xmp if len(source.xmp) <= JPEG_XMP_LIMIT else b"",
        "icc_profile": source.icc,
    }
    if source.dpi is not None:
        options["dpi"] = source.dpi
    if coding.tables and quality is None:
        options["qtables"] = [list(table) for table in coding.tables]
    else:
        options["quality"] = quality or DEFAULT_QUALITY
    try:
        file = _save(pixels, "JPEG", optimize=True, progressive=coding.progressive, **options)
    except OSError:  # Pillow's buffer for these two options is too small for noise at the highest qualities
        file = _save(pixels, "JPEG", **options)
    blocks = b"".join(block for _, block in source.blocks) if source.format == "JPEG" else b""
    # Readers expect JFIF and EXIF first, so the other segments follow those written above.
    end = next(part.start for part in jpeg_segments(file) if part.marker not in (*range(0xE0, 0xF0), COMMENT))
    return file[:end] + blocks + file[end:]


def _encode_webp(source: ImageFile, pixels: Pixels, quality: int | None) -> bytes:
    lossless = source.webp_lossless and quality is None
    return _save(
        pixels,
        "WEBP",
        lossless=lossless,
        quality=100 if lossless else quality or DEFAULT_QUALITY,
        exact=True,  # keeps the colours of transparent pixels
        exif=source.exif,
        xmp=source.xmp,
        icc_profile=source.icc,
    )


def _encode_png(source: ImageFile, pixels: Pixels) -> bytes:
    if pixels.dtype == np.uint8:
        file = _save(pixels, "PNG")
    else:
        if pixels.ndim == 3:  # OpenCV wants BGR, and has no grey with alpha
            order = {2: [0, 0, 0, 1], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[pixels.shape[2]]
            pixels = pixels[..., order]
        file = cv2.imencode(".png", np.ascontiguousarray(pixels), _PNG_OPTIONS)[1].tobytes()
    blocks = b"".join(block for _, block in source.blocks) if source.format == "PNG" else b""
    metadata = png_metadata_chunks(source.exif, source.icc, source.xmp, source.dpi)
    return file[:_IHDR_END] + metadata + blocks + file[_IHDR_END:]


def _save(pixels: Pixels, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, format, **options)
    return file.getvalue()
