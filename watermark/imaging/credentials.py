"""Whether a file carries a C2PA manifest (signed Content Credentials), which changing its pixels would invalidate.

Where manifests live follows the C2PA specification 2.x, section "Embedding manifests into various file formats".
"""

from __future__ import annotations

from watermark.imaging.containers import (
    JPEG_START,
    PNG_SIGNATURE,
    iso_boxes,
    jpeg_segments,
    png_chunks,
    riff_chunks,
    tiff_tags,
)
from watermark.imaging.exif import TIFF_MANIFEST_TAG

_APP11 = 0xEB
_ISO_MANIFEST = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


def has_credential(data: bytes) -> bool:
    """Whether the file carries a C2PA manifest.

    Only the container's blocks are looked at, never pixel data. Handles JPEG, PNG, WebP, TIFF and ISO files
    (AVIF, HEIC, JPEG 2000); truncated or unknown data has no manifest as far as it can be walked. A manifest
    kept elsewhere and merely pointed to from XMP does not count.

    Args:
        data: the whole file.
    """
    if data.startswith(JPEG_START):
        return any(part.marker == _APP11 and b"c2pa" in bytes(part.payload) for part in jpeg_segments(data))
    if data.startswith(PNG_SIGNATURE):
        return any(kind == b"caBX" for kind, _ in png_chunks(data))
    if data.startswith(b"RIFF"):
        return any(kind == b"C2PA" for kind, _ in riff_chunks(data))
    if data[:2] in (b"II", b"MM"):
        return any(tag == TIFF_MANIFEST_TAG for tag, _ in tiff_tags(data))
    return any(
        (kind == b"uuid" and bytes(payload[:16]) == _ISO_MANIFEST) or (kind == b"jumb" and b"c2pa" in bytes(payload))
        for kind, payload in iso_boxes(data)
    )
