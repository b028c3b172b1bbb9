"""Image files in and out: pixels as stored, and the metadata media people expect to find again.

* :mod:`.image_file`: what is known of a file that was read, and what writing it would lose.
* :mod:`.read` and :mod:`.write`: bytes to :class:`ImageFile` and back.
* :mod:`.metadata`: EXIF, ICC, XMP, resolution and verbatim blocks out of an opened file.
* :mod:`.tiff`: TIFF at 16 bits a channel in, and TIFF of every kind out.
* :mod:`.exif`: EXIF blocks to tags and back.
* :mod:`.containers`: walking JPEG segments, PNG chunks, RIFF chunks and ISO boxes.
* :mod:`.credentials`: whether a file carries a signed C2PA manifest.
"""

from __future__ import annotations

from watermark.imaging.credentials import has_credential
from watermark.imaging.image_file import ImageFile, JpegCoding
from watermark.imaging.read import decode_image, read_bytes, read_image
from watermark.imaging.write import check_holds, encode_image, format_of

__all__ = [
    "ImageFile",
    "JpegCoding",
    "check_holds",
    "decode_image",
    "encode_image",
    "format_of",
    "has_credential",
    "read_bytes",
    "read_image",
]
