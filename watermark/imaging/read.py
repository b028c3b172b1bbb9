"""Reading image files: pixels as stored, with everything needed to write them back."""

from __future__ import annotations

import importlib
import io
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, TiffImagePlugin

from watermark.errors import ImageError, UnreadableImage, UnsupportedImage
from watermark.imaging.containers import PNG_SIGNATURE, png_chunk, png_chunks
from watermark.imaging.image_file import ImageFile
from watermark.imaging.metadata import extract_metadata
from watermark.imaging.quiet import QUIET
from watermark.imaging.tiff import read_colour16, upright

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray
    from PIL.ImageFile import ImageFile as OpenedImage

    from watermark.imaging.image_file import Pixels

MAXIMUM_PIXELS = 400_000_000
_READABLE = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "JPEG2000", "GIF", "BMP", "PPM")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_READ_AS = {"1": "L", "L": "L", "LA": "LA", "RGB": "RGB", "RGBX": "RGB", "RGBA": "RGBA", "P": "RGB", "PA": "RGBA"}
_READ_AS |= {"CMYK": "RGB", "YCbCr": "RGB"}
_GREY16 = ("I;16", "I;16L", "I;16B", "I;16N")
_ZERO_IS_WHITE = 0
_PPM_HEADER = re.compile(rb"P6" + 3 * rb"(?:\s|#[^\n]*\n)+(\d+)" + rb"\s")
_PNG_PIXEL_CHUNKS = (b"IHDR", b"tRNS", b"IDAT", b"IEND")
_PNG_DEPTH, _PNG_COLOUR = 24, 25  # offsets of two bytes of IHDR, which always comes first


def read_image(path: str | os.PathLike[str]) -> ImageFile:
    """Read an image file; :func:`decode_image` of its :func:`read_bytes`.

    Raises:
        UnreadableImage: there is no such file, it cannot be opened, or it is damaged or no image.
        UnsupportedImage: an image of a kind that is not handled.
    """
    return decode_image(read_bytes(path), str(path))


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a file that should be an image.

    Raises:
        UnreadableImage: there is no such file, it is a folder, or it cannot be opened.
    """
    name = str(path)
    try:
        return Path(path).read_bytes()
    except IsADirectoryError as error:
        raise UnreadableImage(f"{name}: expected an image file, but this is a folder; name a file in it") from error
    except FileNotFoundError as error:
        raise UnreadableImage(f"{name}: expected an image file, but there is none; check the name") from error
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise UnreadableImage(f"{name}: the image file cannot be opened: {error}") from error


def decode_image(data: bytes, name: str = "image") -> ImageFile:
    """Decode an image file held in memory.

    Pixels come as stored: EXIF orientation is not applied, nor the ICC profile. Palettes become RGB or RGBA,
    1 bit becomes 8-bit grey, grey with alpha becomes RGBA of equal colours, CMYK becomes RGB without colour
    management (good for detection; it is refused for writing), and 16 bits a channel stay 16 bits in PNG, TIFF
    and PPM.

    Args:
        data: the whole file; the format is told from its content, not from its name.
        name: what to call it in messages.

    Raises:
        UnreadableImage: empty, truncated, damaged, no image, or over 400 megapixels.
        UnsupportedImage: animated, several pages, HEIC without its plug-in, or a pixel format not handled.
    """
    if not data:
        raise UnreadableImage(f"{name}: expected an image file, but it is empty; get the file again")
    with QUIET:
        format = _identify(data, name)
        try:
            factory, _ = Image.OPEN[format]
            stored = upright(data) if format == "TIFF" else data
            # Not Image.open, whose limit on size is a global setting that belongs to the calling program.
            with factory(io.BytesIO(stored), "") as image:
                _check(image, format, name)
                image.load()
                metadata = extract_metadata(image, format, data)
                pixels, mode = _pixels(image, format, stored, name)
        except ImageError:
            raise
        except (MemoryError, Image.DecompressionBombError) as error:  # some of Pillow's readers ask its limit
            raise UnreadableImage(
                f"{name}: too large to decode here ({error or 'out of memory'}); use a smaller version of it"
            ) from error
        # Damaged files make decoders raise nearly anything, down to AttributeError and ZeroDivisionError.
        except Exception as error:
            if "unknown pixel mode" in str(error):
                raise UnsupportedImage(
                    f"{name}: expected grey, RGB or RGBA at 8 or 16 bits, but this {format} has another pixel format; "
                    "convert it first"
                ) from error
            raise UnreadableImage(
                f"{name}: expected a whole {format} file, but it is truncated or damaged ({error}); get the file again"
            ) from error
    return ImageFile(pixels, format, mode, *metadata)


def _identify(data: bytes, name: str) -> str:
    """The Pillow plug-in for the data, told from its first bytes."""
    Image.init()
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS and b"avif" not in data[8:64]:
        return _heif(name)
    if data.startswith(b"MM\0+"):  # which Pillow takes for damaged
        raise UnsupportedImage(f"{name}: big-endian BigTIFF is not read; save it as common TIFF")
    for format in _READABLE:
        accept = Image.OPEN[format][1] if format in Image.OPEN else None
        if accept is not None and accept(data[:16]) is True:
            return format
    raise UnreadableImage(
        f"{name}: expected an image ({', '.join(_READABLE)}), but the content is none of these; "
        "convert it to PNG if it is a picture"
    )


def _heif(name: str) -> str:
    try:
        importlib.import_module("pillow_heif").register_heif_opener()
    except ImportError as error:
        raise UnsupportedImage(
            f"{name}: HEIC/HEIF needs a plug-in that is not installed; pip install pillow-heif, or convert it to JPEG"
        ) from error
    return "HEIF"


def _check(image: OpenedImage, format: str, name: str) -> None:
    """Refuse by header alone, before pixels take up memory."""
    width, height = image.size
    if width * height > MAXIMUM_PIXELS:
        raise UnreadableImage(
            f"{name}: at most {MAXIMUM_PIXELS // 10**6} megapixels are read, but it declares {width} x {height}; "
            "use a smaller version of it if it is genuine"
        )
    # A JPEG with a gain map or a stereo view is one picture and something beside it.
    if format != "JPEG" and getattr(image, "is_animated", False):
        what = "several pages" if format == "TIFF" else "several frames (an animation)"
        raise UnsupportedImage(f"{name}: expected a single picture, but it has {what}; save them as single files")
    if image.mode not in _READ_AS and image.mode not in _GREY16 and (format, image.mode) != ("PPM", "I"):
        raise UnsupportedImage(
            f"{name}: expected grey, RGB or RGBA at 8 or 16 bits, but its pixels are {image.mode} in Pillow's terms "
            "(F is floating point, I is 32 bits, LAB a colour space); convert it first"
        )
    if isinstance(image, TiffImagePlugin.TiffImageFile) and 12 in image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, ()):
        raise UnsupportedImage(f"{name}: expected a TIFF of 8 or 16 bits a sample, but it has 12; convert it to 16")


def _pixels(image: OpenedImage, format: str, data: bytes, name: str) -> tuple[Pixels, str]:
    """Pixels and mode of a loaded image; that it loaded shows it to be whole, which OpenCV would not notice."""
    tags = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
    if format == "PNG" and data[_PNG_DEPTH] == 16:
        return _png16(image, data, name)
    if image.mode in ("RGB", "RGBA", "RGBX") and 16 in tags.get(TiffImagePlugin.BITSPERSAMPLE, ()):
        return read_colour16(data, name), image.mode
    if format == "PPM" and image.mode == "RGB" and (header := _PPM_HEADER.match(data)) and int(header[3]) > 255:
        return _ppm16(image, data, header), "RGB"
    if image.mode in _GREY16 or image.mode == "I":
        grey = np.asarray(image).astype(np.uint16)
        if tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == _ZERO_IS_WHITE:
            grey = ~grey  # Pillow sees to this at 8 bits only
        return grey, "L"
    return _pixels8(image)


def _pixels8(image: OpenedImage) -> tuple[NDArray[np.uint8], str]:
    mode = image.mode
    layout = _READ_AS[mode]
    if image.has_transparency_data and layout in ("L", "RGB"):  # a transparent colour or palette entry
        layout += "A"
        mode = mode if mode == "P" else layout
    pixels = np.array(image.convert(layout))
    return (pixels[..., [0, 0, 0, 1]] if layout == "LA" else pixels), mode


def _png16(image: OpenedImage, data: bytes, name: str) -> tuple[NDArray[np.uint16], str]:
    mode = {0: "L", 2: "RGB", 4: "LA", 6: "RGBA"}[data[_PNG_COLOUR]]
    if mode == "L" and "transparency" in image.info:
        raise UnsupportedImage(
            f"{name}: grey PNG at 16 bits with a transparent grey level is not read; save it with an alpha channel"
        )
    # OpenCV gets nothing but pixels, as its libpng prints to the terminal about faults in text and profiles.
    needed = (png_chunk(kind, payload) for kind, payload in png_chunks(data) if kind in _PNG_PIXEL_CHUNKS)
    bare = np.frombuffer(PNG_SIGNATURE + b"".join(needed), np.uint8)
    decoded = cv2.imdecode(bare, cv2.IMREAD_UNCHANGED)
    if decoded is None:
        raise ValueError("OpenCV cannot decode it")
    if decoded.ndim == 3:
        decoded = decoded[..., [2, 1, 0, 3][: decoded.shape[2]]]
        mode = "RGBA" if mode == "RGB" and decoded.shape[2] == 4 else mode  # a transparent colour
    return np.asarray(decoded, dtype=np.uint16), mode


def _ppm16(image: OpenedImage, data: bytes, header: re.Match[bytes]) -> NDArray[np.uint16]:
    shape = (image.height, image.width, 3)
    stored = np.frombuffer(data, ">u2", math.prod(shape), header.end()).reshape(shape)
    return np.rint(stored * (65535 / int(header[3]))).astype(np.uint16)
