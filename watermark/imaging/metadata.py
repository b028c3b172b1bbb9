"""Metadata out of an opened file: EXIF, ICC, XMP, resolution, and blocks carried verbatim."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

from PIL import JpegImagePlugin

from watermark.imaging.containers import COMMENT, END_OF_IMAGE, jpeg_segments, png_chunk, png_chunks, riff_chunks
from watermark.imaging.credentials import has_credential
from watermark.imaging.exif import EXIF_LABEL, tiff_exif
from watermark.imaging.image_file import JpegCoding

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile as OpenedImage

XMP_LABEL = b"http://ns.adobe.com/xap/1.0/\0"
_ICC_LABEL = b"ICC_PROFILE\0"
_GAIN_MAP_LABELS = (b"MPF\0", b"urn:iso:std:iso:ts:21496:-1\0")
_PNG_XMP_KEYWORD = b"XML:com.adobe.xmp\0"
# Colour and time stay true when pixels change a little; of other chunks, PNG marks those that may be copied then.
_PNG_CARRIED = {b"gAMA", b"cHRM", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"tIME"}
_EXTRA_SAMPLES_TAG = 338
_PNG_SAFE_TO_COPY = 0x20  # in the fourth letter


class Metadata(NamedTuple):
    """The fields of :class:`~watermark.imaging.ImageFile` that are not pixels; see there."""

    exif: bytes = b""
    icc: bytes = b""
    xmp: bytes = b""
    dpi: tuple[float, float] | None = None
    jpeg: JpegCoding | None = None
    webp_lossless: bool = False
    tiff_compressed: bool = True
    blocks: tuple[tuple[str, bytes], ...] = ()
    dropped: tuple[str, ...] = ()


def extract_metadata(image: OpenedImage, format: str, data: bytes) -> Metadata:
    """Everything to be carried over from an opened file.

    Args:
        image: the file as opened and loaded by Pillow.
        format: its format, as in :class:`~watermark.imaging.ImageFile`.
        data: the whole file.

    Raises:
        Exception: whatever Pillow makes of a damaged file.
    """
    exif = tiff_exif(data) if format == "TIFF" else image.info.get("exif") or b""
    xmp = image.info.get("xmp") or b""
    metadata = Metadata(
        exif=(exif or b"").removeprefix(EXIF_LABEL),
        icc=image.info.get("icc_profile") or b"",
        xmp=xmp.encode() if isinstance(xmp, str) else xmp,
        dpi=_resolution(image),
    )
    dropped = ["the tags, being damaged,"] if exif is None else []
    if image.mode in ("P", "PA"):
        dropped.append("the palette (becomes RGB)")
    elif image.mode == "1":
        dropped.append("1 bit a pixel (becomes 8-bit grey)")
    elif image.mode in ("L", "RGB") and _EXTRA_SAMPLES_TAG in getattr(image, "tag_v2", {}):
        dropped.append("the further channel, which is not said to be alpha,")
    if has_credential(data):
        dropped.append("the C2PA manifest (Content Credentials)")
    if format == "JPEG":
        metadata = metadata._replace(jpeg=_jpeg_coding(image), blocks=_jpeg_blocks(data))
        dropped += _jpeg_dropped(image, data)
    elif format == "PNG":
        metadata = metadata._replace(blocks=_png_blocks(data))
    elif format == "WEBP":
        metadata = metadata._replace(webp_lossless=any(kind == b"VP8L" for kind, _ in riff_chunks(data)))
    elif format == "TIFF":
        metadata = metadata._replace(tiff_compressed=image.info.get("compression") != "raw")
    return metadata._replace(dropped=tuple(dropped))


def _resolution(image: OpenedImage) -> tuple[float, float] | None:
    across, down = (float(value) for value in image.info.get("dpi", (0, 0)))
    # Pillow says 1 for a TIFF that has none; 65535 is the most a JPEG can say. NaN is outside too.
    return (across, down) if 1 < across <= 65_535 and 1 < down <= 65_535 else None


def _jpeg_coding(image: OpenedImage) -> JpegCoding | None:
    if not isinstance(image, JpegImagePlugin.JpegImageFile):
        return None
    used = [component[3] for component in image.layer]
    while used[-2:-1] == used[-1:]:  # Pillow writes table i for component i and the last table for the rest
        used.pop()
    return JpegCoding(
        tables=tuple(tuple(image.quantization[number]) for number in used),
        subsampling=max(JpegImagePlugin.get_sampling(image), 0),
        progressive=bool(image.info.get("progressive")),
    )


def _jpeg_blocks(data: bytes) -> tuple[tuple[str, bytes], ...]:
    """Segments of applications and comments that are not fields of ImageFile.

    Left out are JFIF and Adobe (APP0, APP14), which the encoder writes to suit itself, and JUMBF (APP11), which
    holds signatures and residuals of the old pixels.
    """
    blocks = []
    for part in jpeg_segments(data):
        application = part.marker - 0xE0
        fields = (EXIF_LABEL, XMP_LABEL, _ICC_LABEL, *_GAIN_MAP_LABELS)
        if bytes(part.payload[:32]).startswith(fields):
            continue
        if part.marker == COMMENT:
            blocks.append(("comment", data[part.start : part.end]))
        elif application in range(16) and application not in (0, 11, 14):
            blocks.append((f"APP{application} segment", data[part.start : part.end]))
    return tuple(blocks)


def _jpeg_dropped(image: OpenedImage, data: bytes) -> list[str]:
    end = next((part.end for part in jpeg_segments(data) if part.marker == END_OF_IMAGE), len(data))
    after = len(data[end:].strip(b"\0\r\n "))  # some writers pad
    dropped = []
    if "mp" in image.info:
        dropped.append("the gain map or other further pictures (MPF)")
    elif after:
        dropped.append(f"{after} bytes after the picture (such as a gain map or a motion photo)")
    if isinstance(image, JpegImagePlugin.JpegImageFile) and _unusual_sampling(image):
        dropped.append("the unusual chroma subsampling (becomes 4:4:4)")
    return dropped


def _unusual_sampling(image: JpegImagePlugin.JpegImageFile) -> bool:
    return len(image.layer) == 3 and JpegImagePlugin.get_sampling(image) < 0


def _png_blocks(data: bytes) -> tuple[tuple[str, bytes], ...]:
    """Chunks that may outlive a change of pixels and are not fields of ImageFile."""
    blocks = []
    for kind, payload in png_chunks(data):
        may_stay = kind in _PNG_CARRIED or kind[3] & _PNG_SAFE_TO_COPY
        resolution = kind == b"pHYs" and bytes(payload[8:]) == b"\1"  # in metres; else a mere aspect ratio
        xmp = kind == b"iTXt" and bytes(payload[: len(_PNG_XMP_KEYWORD)]) == _PNG_XMP_KEYWORD
        if may_stay and kind != b"eXIf" and not resolution and not xmp:
            blocks.append((f"{kind.decode('latin-1')} chunk", png_chunk(kind, payload)))
    return tuple(blocks)


def png_metadata_chunks(exif: bytes, icc: bytes, xmp: bytes, dpi: tuple[float, float] | None) -> bytes:
    """The PNG chunks iCCP, pHYs, eXIf and iTXt for what is given, to go right after IHDR."""
    chunks = b""
    if icc:
        chunks += png_chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(icc))
    if dpi is not None:
        chunks += png_chunk(b"pHYs", struct.pack(">IIB", *(round(value / 0.0254) for value in dpi), 1))
    if exif:
        chunks += png_chunk(b"eXIf", exif)
    if xmp:
        chunks += png_chunk(b"iTXt", _PNG_XMP_KEYWORD + bytes(4) + xmp)
    return chunks
