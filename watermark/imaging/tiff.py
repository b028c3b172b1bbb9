"""TIFF where Pillow falls short: reading 16 bits a channel in colour, and writing at every depth with all tags.

Pillow reads colour at 16 bits as 8, and its own writer does not know 16-bit colour. Its directory writer does know
everything needed, so a TIFF is written as a directory and strips.
"""

from __future__ import annotations

import io
import zlib
from typing import TYPE_CHECKING

import cv2
import numpy as np
import tifffile
from PIL import TiffImagePlugin, TiffTags

from watermark.errors import UnsupportedImage
from watermark.imaging.containers import tiff_tags
from watermark.imaging.exif import TIFF_ICC_TAG, TIFF_XMP_TAG, parse_exif

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from watermark.imaging.image_file import Pixels

_LZW = 5
_RGB = 2
_CONTIGUOUS = 1
_STRAIGHT_ALPHA = 2
_LAYOUTS = ((_RGB, 3, ()), (_RGB, 4, (_STRAIGHT_ALPHA,)), (_RGB, 4, ()))  # the last as OpenCV writes RGBA
_ORIENTATION_TAG = 274
_STRIP_BYTES = 1 << 20
_DEFLATE, _UNCOMPRESSED = 8, 1
_INCH = 2


def upright(data: bytes) -> bytes:
    """The same TIFF with orientation 1, as both Pillow and OpenCV would turn its pixels otherwise."""
    patched = bytearray(data)
    for tag, value in tiff_tags(data):
        if tag == _ORIENTATION_TAG and value + 2 <= len(data):
            patched[value : value + 2] = (1).to_bytes(2, "little" if data[:2] == b"II" else "big")
    return bytes(patched)


def read_colour16(data: bytes, name: str) -> NDArray[np.uint16]:
    """Pixels of a TIFF with 16 bits a channel.

    Args:
        data: the whole file, made :func:`upright` to get pixels as stored.
        name: what to call it in messages.

    Returns:
        uint16 of shape (height, width, 3) for RGB or (height, width, 4) for RGBA with straight alpha.

    Raises:
        UnsupportedImage: not RGB, premultiplied alpha, or a compression that needs a further package.
        Exception: whatever tifffile makes of a damaged file.
    """
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages.first.aspage()
        layout = (int(page.photometric), page.samplesperpixel, tuple(int(value) for value in page.extrasamples))
        if layout not in _LAYOUTS:
            raise UnsupportedImage(
                f"{name}: of TIFF at 16 bits a channel, RGB with or without straight alpha is read, but this one has "
                f"{page.samplesperpixel} samples of another meaning; save it as plain RGB first"
            )
        contiguous = page.planarconfig == _CONTIGUOUS
        if page.compression != _LZW:
            try:
                pixels = page.asarray()
            except ValueError as error:
                if "imagecodecs" not in str(error):
                    raise
                raise UnsupportedImage(
                    f"{name}: TIFF at 16 bits is read uncompressed, or with Deflate, PackBits or LZW, but "
                    f"{error}; save it with one of those, or install that"
                ) from error
            return np.asarray(pixels if contiguous else np.moveaxis(pixels, 0, 2), dtype=np.uint16)
    if not contiguous:
        raise UnsupportedImage(f"{name}: TIFF with LZW in separate planes is not read; save it with Deflate instead")
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.dtype != np.uint16:
        raise ValueError("OpenCV cannot decode the LZW strips")
    return np.asarray(decoded[..., [2, 1, 0, 3][: decoded.shape[2]]], dtype=np.uint16)


def write_tiff(
    pixels: Pixels, *, compress: bool, exif: bytes, icc: bytes, xmp: bytes, dpi: tuple[float, float] | None
) -> bytes:
    """A TIFF with its metadata.

    Args:
        pixels: uint8 or uint16 of shape (height, width, channels), channels being grey, grey and alpha, RGB or RGBA.
        compress: whether to use Deflate with horizontal differences; else uncompressed.
        exif: EXIF block from its TIFF header on; its tags go into the first directory, none if it is damaged.
        icc: ICC profile, empty for none.
        xmp: XMP packet, empty for none.
        dpi: horizontal and vertical resolution, overriding that of ``exif``; None to leave it.
    """
    height, width, channels = pixels.shape
    rows = max(1, _STRIP_BYTES // (width * channels * pixels.itemsize))
    strips = [_strip(pixels[top : top + rows], compress) for top in range(0, height, rows)]
    lengths = [len(strip) for strip in strips]

    directory = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in (parse_exif(exif) or {}).items():
        directory[tag] = value
    if dpi is not None:
        directory[TiffImagePlugin.RESOLUTION_UNIT] = _INCH
        directory[TiffImagePlugin.X_RESOLUTION], directory[TiffImagePlugin.Y_RESOLUTION] = dpi
    if icc:
        directory[TIFF_ICC_TAG] = icc
    if xmp:
        directory[TIFF_XMP_TAG] = xmp
    directory[TiffImagePlugin.IMAGEWIDTH] = width
    directory[TiffImagePlugin.IMAGELENGTH] = height
    directory[TiffImagePlugin.BITSPERSAMPLE] = (8 * pixels.itemsize,) * channels
    directory[TiffImagePlugin.SAMPLESPERPIXEL] = channels
    directory[TiffImagePlugin.PHOTOMETRIC_INTERPRETATION] = _RGB if channels > 2 else 1  # 1: zero is black
    directory[TiffImagePlugin.PLANAR_CONFIGURATION] = _CONTIGUOUS
    directory[TiffImagePlugin.COMPRESSION] = _DEFLATE if compress else _UNCOMPRESSED
    if compress:
        directory[TiffImagePlugin.PREDICTOR] = 2
    if channels in (2, 4):
        directory[TiffImagePlugin.EXTRASAMPLES] = _STRAIGHT_ALPHA
    directory[TiffImagePlugin.ROWSPERSTRIP] = rows
    for tag, values in (
        (TiffImagePlugin.STRIPBYTECOUNTS, lengths),
        (TiffImagePlugin.STRIPOFFSETS, np.cumsum([0, *lengths[:-1]]).tolist()),  # the directory's length is added
    ):
        directory.tagtype[tag] = TiffTags.LONG
        directory[tag] = tuple(values)

    file = io.BytesIO()
    directory.save(file)
    file.write(b"".join(strips))
    return file.getvalue()


def _strip(rows: Pixels, compress: bool) -> bytes:
    little = rows.astype(rows.dtype.newbyteorder("<"), copy=False)
    if not compress:
        return little.tobytes()
    # Wraps around at the depth, as the format has it.
    differences = np.diff(little, axis=1, prepend=np.zeros_like(little[:, :1]))
    return zlib.compress(differences.astype(little.dtype).tobytes())
