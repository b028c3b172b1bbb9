"""What is known of an image file that was read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from watermark.imaging.exif import parse_exif

JPEG_EXIF_LIMIT = 65_527
"""Longest EXIF block of a JPEG in bytes: one segment, less its length field and its label."""
JPEG_XMP_LIMIT = 65_504
"""Longest XMP packet of a JPEG in bytes: one segment, less its length field and its label."""

Pixels = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True)
class JpegCoding:
    """How a JPEG was coded, enough to code it so again.

    Attributes:
        tables: quantisation tables of luma and chroma (one table for both if there is one), 64 steps each in
            row order, 1 to 65535.
        subsampling: 0 for 4:4:4, 1 for 4:2:2, 2 for 4:2:0; others cannot be written and count as 0.
        progressive: whether it was progressive.
    """

    tables: tuple[tuple[int, ...], ...]
    subsampling: int
    progressive: bool


@dataclass(frozen=True, eq=False)
class ImageFile:
    """A picture and what is needed to write it back as it came.

    Attributes:
        pixels: uint8 or uint16 of shape (height, width) for grey, (height, width, 3) for RGB or
            (height, width, 4) for RGBA; as stored, that is EXIF orientation not applied and alpha straight
            (colours of transparent pixels included).
        format: "JPEG", "PNG", "WEBP" or "TIFF", which can be written, or "AVIF", "BMP", "GIF", "HEIF",
            "JPEG2000" or "PPM", which can only be read.
        mode: the source's mode: "1", "L", "LA", "P", "RGB", "RGBA", "CMYK" and so on, at any depth.
        exif: EXIF block from its TIFF header on (no "Exif" label); empty if there is none. Of a TIFF, all its
            tags but those that describe pixels.
        icc: ICC profile, empty if there is none.
        xmp: XMP packet, empty if there is none.
        dpi: horizontal and vertical resolution in dots an inch, if known.
        jpeg: how a JPEG was coded; None for others.
        webp_lossless: whether a WebP was lossless.
        tiff_compressed: whether a TIFF was compressed.
        blocks: further metadata carried verbatim when written to the same format: name and raw bytes of JPEG
            segments (such as IPTC) or PNG chunks (such as text and gamma).
        dropped: what the file has and no writer keeps, in words.
    """

    pixels: Pixels
    format: str
    mode: str
    exif: bytes = b""
    icc: bytes = b""
    xmp: bytes = b""
    dpi: tuple[float, float] | None = None
    jpeg: JpegCoding | None = None
    webp_lossless: bool = False
    tiff_compressed: bool = True
    blocks: tuple[tuple[str, bytes], ...] = ()
    dropped: tuple[str, ...] = ()

    def losses(self, format: str) -> tuple[str, ...]:
        """What the file has that will not survive being written, in words, for showing to a person.

        Args:
            format: the format it would be written to, as from :func:`~watermark.imaging.format_of`.
        """
        lost = list(self.dropped)
        if format != self.format:
            lost += [f"{self.format} {name}" for name in dict.fromkeys(name for name, _ in self.blocks)]
        if format == "JPEG":
            for label, block, limit in (("EXIF", self.exif, JPEG_EXIF_LIMIT), ("XMP", self.xmp, JPEG_XMP_LIMIT)):
                if len(block) > limit:
                    lost.append(f"{label} of {len(block)} bytes (JPEG holds {limit})")
        if format == "TIFF" and parse_exif(self.exif) is None:
            lost.append("EXIF, being damaged,")
        if format == "WEBP" and self.dpi is not None and not self.exif:
            lost.append("resolution (WebP has it only within EXIF)")
        if format == "PNG" and self.mode == "LA" and self.pixels.dtype == np.uint16:
            lost.append("grey with alpha at 16 bits (becomes RGBA)")
        return tuple(lost)
