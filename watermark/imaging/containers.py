"""Walking the blocks of image containers, without decoding pixels.

Every walker takes whatever bytes it is given and stops quietly where they stop making sense, so truncated and
hostile files are safe to walk. Payloads are views, not copies.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_START = b"\xff\xd8"
START_OF_SCAN, END_OF_IMAGE, COMMENT = 0xDA, 0xD9, 0xFE
_NEXT_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # neither stuffing, nor a restart, nor filling


class Segment(NamedTuple):
    """A JPEG segment.

    Attributes:
        marker: its second byte, such as 0xE1 for APP1.
        start: offset of its first byte (0xFF).
        end: offset just past it, entropy-coded data not counted.
        payload: what follows the length field; empty for END_OF_IMAGE.
    """

    marker: int
    start: int
    end: int
    payload: memoryview


def jpeg_segments(data: bytes) -> Iterator[Segment]:
    """Yield the segments of the first picture of a JPEG, END_OF_IMAGE included."""
    view = memoryview(data)
    position = 2 if data.startswith(JPEG_START) else len(data)
    while found := _NEXT_MARKER.search(data, position):
        start, marker = found.start(), data[found.start() + 1]
        if marker == END_OF_IMAGE:
            yield Segment(marker, start, start + 2, view[start + 2 : start + 2])
            return
        length = int.from_bytes(view[start + 2 : start + 4], "big")
        end = start + 2 + length
        if length < 2 or end > len(data):
            return
        yield Segment(marker, start, end, view[start + 4 : end])
        position = end


def png_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Yield type and payload of every whole PNG chunk; checksums are not checked."""
    view = memoryview(data)
    position = 8 if data.startswith(PNG_SIGNATURE) else len(data)
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        if end + 4 > len(data):
            return
        yield kind, view[position + 8 : end]
        position = end + 4


def png_chunk(kind: bytes, payload: bytes | memoryview) -> bytes:
    """A PNG chunk with its length and checksum."""
    body = kind + bytes(payload)
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))


def riff_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Yield type and payload of every whole chunk of a WebP file."""
    view = memoryview(data)
    position = 12 if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else len(data)
    while position + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, position)
        end = position + 8 + length
        if end > len(data):
            return
        yield kind, view[position + 8 : end]
        position = end + length % 2


def iso_boxes(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Yield type and payload of every whole top-level box of an ISO file (AVIF, HEIC, JPEG 2000)."""
    view = memoryview(data)
    position = 0
    while position + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        header = 8
        if length == 1:
            length, header = int.from_bytes(view[position + 8 : position + 16], "big"), 16
        elif length == 0:  # reaches to the end of the file
            length = len(data) - position
        if length < header or position + length > len(data):
            return
        yield kind, view[position + header : position + length]
        position += length


def tiff_tags(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield number and offset of the value field of every tag in the first directory of a TIFF or BigTIFF."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return
    try:
        (version,) = struct.unpack_from(f"{order}H", data, 2)
        if version == 43:  # BigTIFF
            (directory,) = struct.unpack_from(f"{order}Q", data, 8)
            directory = min(directory, len(data))  # larger than an offset can be, it would be another error
            (count,) = struct.unpack_from(f"{order}Q", data, directory)
            first, size, value = directory + 8, 20, 12
        else:
            (directory,) = struct.unpack_from(f"{order}I", data, 4)
            (count,) = struct.unpack_from(f"{order}H", data, directory)
            first, size, value = directory + 2, 12, 8
        for entry in range(first, min(first + count * size, len(data)), size):
            yield struct.unpack_from(f"{order}H", data, entry)[0], entry + value
    except struct.error:  # the file ends before the directory does
        return
