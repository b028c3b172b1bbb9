"""Finding C2PA manifests in the containers, and not elsewhere."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from image_samples import noise, saved, with_metadata

from watermark.errors import UnsupportedImage
from watermark.imaging import decode_image, encode_image, has_credential
from watermark.imaging.containers import png_chunk


def box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload) + 8) + kind + payload


JUMBF = box(b"jumb", box(b"jumd", b"c2pa\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71\x03c2pa\0") + box(b"cbor", bytes(8)))
MANIFEST_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


def jpeg_with(payload: bytes, marker: int = 0xEB) -> bytes:
    data = with_metadata(noise(), "JPEG")
    return data[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload + data[2:]


def png_with(kind: bytes, payload: bytes) -> bytes:
    data = with_metadata(noise(), "PNG")
    return data[:-12] + png_chunk(kind, payload) + data[-12:]


def webp_with(kind: bytes, payload: bytes) -> bytes:
    data = with_metadata(noise(), "WEBP") + kind + struct.pack("<I", len(payload)) + payload + bytes(len(payload) % 2)
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


def tiff_with(tag: int, path: str, **options: object) -> bytes:
    tifffile.imwrite(path, noise(), photometric="rgb", extratags=[(tag, 7, len(JUMBF), JUMBF, True)], **options)
    with open(path, "rb") as file:
        return file.read()


def jpeg2000_with(part: bytes) -> bytes:
    data = saved(noise(), "JPEG2000")
    return data[:32] + part + data[32:]  # after the boxes "jP  " and "ftyp"


def carriers() -> dict[str, bytes]:
    """Files that carry a manifest, by format."""
    return {
        "JPEG": jpeg_with(b"JP\0\1\0\0\0\1" + JUMBF),
        "PNG": png_with(b"caBX", JUMBF),
        "WEBP": webp_with(b"C2PA", JUMBF),
        "AVIF": saved(noise(), "AVIF") + box(b"uuid", MANIFEST_UUID + bytes(4) + b"manifest\0" + JUMBF),
        "JPEG2000": jpeg2000_with(JUMBF),
    }


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "JPEG2000"])
def test_finds_manifest_and_announces_its_loss(format: str) -> None:
    data = carriers()[format]
    assert has_credential(data)
    image = decode_image(data)
    assert image.format == format
    target = format if format in ("JPEG", "PNG", "WEBP") else "PNG"
    assert any("C2PA" in loss for loss in image.losses(target))
    assert not has_credential(encode_image(image, image.pixels, target))


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("bigtiff", [False, True])
def test_finds_manifest_in_tiff(tmp_path: object, byteorder: str, bigtiff: bool) -> None:
    data = tiff_with(0xCD41, f"{tmp_path}/signed.tif", byteorder=byteorder, bigtiff=bigtiff)
    assert has_credential(data)
    if bigtiff and byteorder == ">":
        with pytest.raises(UnsupportedImage, match="BigTIFF"):
            decode_image(data)
        return
    image = decode_image(data)
    np.testing.assert_array_equal(image.pixels, noise())
    assert any("C2PA" in loss for loss in image.losses("TIFF"))
    assert not has_credential(encode_image(image, image.pixels, "TIFF"))
    assert not has_credential(tiff_with(0xCD42, f"{tmp_path}/plain.tif", byteorder=byteorder, bigtiff=bigtiff))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "JPEG2000", "GIF", "BMP"])
def test_none_in_plain_files(format: str) -> None:
    assert not has_credential(saved(noise(), format))


def test_none_where_the_letters_mean_something_else() -> None:
    assert not has_credential(jpeg_with(b"JP\0\1\0\0\0\1" + JUMBF.replace(b"c2pa", b"j360")))
    assert not has_credential(jpeg_with(b"about c2pa", marker=0xFE))
    assert not has_credential(png_with(b"tEXt", b"Comment\0c2pa caBX"))
    assert not has_credential(webp_with(b"XMP ", b"C2PA c2pa"))
    assert not has_credential(saved(noise(), "AVIF") + box(b"uuid", bytes(16) + b"c2pa"))
    assert not has_credential(saved(noise(), "JPEG") + jpeg_with(b"JP" + JUMBF))  # another picture's, after the end
    assert not has_credential(b"")
    assert not has_credential(b"c2pa caBX C2PA")


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "JPEG2000"])
def test_truncated_files_are_safe(format: str) -> None:
    data = carriers()[format]
    for length in range(0, len(data), 7):
        assert has_credential(data[:length]) in (False, True)


@given(
    head=st.sampled_from(
        [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b""]
    ),
    tail=st.binary(max_size=200),
)
def test_arbitrary_bytes_are_safe(head: bytes, tail: bytes) -> None:
    assert has_credential(head + tail) in (False, True)
