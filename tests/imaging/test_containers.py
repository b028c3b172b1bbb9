"""Walking containers: what the walkers yield, and that they stop quietly on nonsense."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from image_samples import noise, saved, with_metadata
from PIL import Image

from watermark.imaging.containers import (
    END_OF_IMAGE,
    START_OF_SCAN,
    iso_boxes,
    jpeg_segments,
    png_chunks,
    riff_chunks,
    tiff_tags,
)

WALKERS: list[Callable[[bytes], Iterator[Any]]] = [jpeg_segments, png_chunks, riff_chunks, iso_boxes, tiff_tags]


@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_segments_tile_the_file_up_to_its_end(progressive: bool) -> None:
    data = saved(noise(), "JPEG", progressive=progressive, restart_marker_blocks=2)
    parts = list(jpeg_segments(data + b"trailer \xff\xd9"))
    assert parts[0].start == 2
    assert parts[-1].marker == END_OF_IMAGE
    assert parts[-1].end == len(data)
    scans = [part for part in parts if part.marker == START_OF_SCAN]
    assert (len(scans) > 1) is progressive
    for before, after in pairwise(parts):
        assert before.end == after.start or before.marker == START_OF_SCAN
        assert data[after.start] == 0xFF


def test_chunks_and_boxes_tile_the_file() -> None:
    png = with_metadata(noise(), "PNG")
    assert 8 + sum(12 + len(payload) for _, payload in png_chunks(png)) == len(png)
    webp = with_metadata(noise(), "WEBP")
    assert 12 + sum(8 + len(payload) + len(payload) % 2 for _, payload in riff_chunks(webp)) == len(webp)
    avif = saved(noise(), "AVIF")
    assert sum(8 + len(payload) for _, payload in iso_boxes(avif)) == len(avif)


def test_iso_boxes_of_all_three_lengths() -> None:
    data = b"\0\0\0\x0aaaaaXY" + b"\0\0\0\x01bbbb\0\0\0\0\0\0\0\x12ZZ" + b"\0\0\0\0ccccrest"
    assert [(kind, bytes(payload)) for kind, payload in iso_boxes(data)] == [
        (b"aaaa", b"XY"),
        (b"bbbb", b"ZZ"),
        (b"cccc", b"rest"),
    ]


def test_tiff_tags_are_those_pillow_sees() -> None:
    data = with_metadata(noise(), "TIFF")
    with Image.open(io.BytesIO(data)) as image:
        expected = sorted(image.tag_v2)  # type: ignore[attr-defined]
    assert [tag for tag, _ in tiff_tags(data)] == expected
    offset = dict(tiff_tags(data))[274]
    assert data[offset : offset + 2] == b"\x06\x00"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_truncation_shortens_the_walk(format: str) -> None:
    data = saved(noise(), format)
    for walk in WALKERS:
        whole = len(list(walk(data)))
        assert all(len(list(walk(data[:length]))) <= whole for length in range(0, len(data), 97))


@given(
    head=st.sampled_from(
        [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"II*\0", b"MM\0+\0\x08\0\0", b"\0\0\0\1abcd", b""]
    ),
    tail=st.binary(max_size=200),
)
def test_walks_of_arbitrary_bytes_end(head: bytes, tail: bytes) -> None:
    for walk in WALKERS:
        assert len(list(walk(head + tail))) <= len(head + tail)
