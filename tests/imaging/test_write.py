"""Round trips: what is read can be written again, with everything around the pixels."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from image_samples import (
    CHANNELS,
    ICC,
    XMP,
    flat_exif,
    make_exif,
    noise,
    saved,
    smooth,
    with_metadata,
)
from PIL import Image, JpegImagePlugin
from PIL.TiffImagePlugin import IFDRational

from watermark.errors import UnsupportedImage
from watermark.imaging import ImageFile, decode_image, encode_image, format_of

LOSSLESS = ["PNG", "TIFF"]
WRITTEN = ["JPEG", "PNG", "WEBP", "TIFF"]


def image_of(pixels: np.ndarray, mode: str, format: str = "PNG") -> ImageFile:
    """An image file as if read from the format, grey with alpha spread to RGBA."""
    if mode == "LA":
        pixels = pixels[..., [0, 0, 0, 1]]
    return ImageFile(pixels, format, mode)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("mode", list(CHANNELS))
@pytest.mark.parametrize("format", LOSSLESS)
def test_lossless_round_trip_of_every_mode_and_depth(format: str, mode: str, dtype: type) -> None:
    source = image_of(noise(mode, dtype), mode)
    data = encode_image(source, source.pixels, format)
    if format == "TIFF" and mode == "LA" and dtype is np.uint16:
        with pytest.raises(UnsupportedImage):  # written whole, but Pillow does not open it
            decode_image(data)
        return
    again = decode_image(data)
    assert again.pixels.dtype == dtype
    np.testing.assert_array_equal(again.pixels, source.pixels)
    assert again.mode == ("RGBA" if (format, mode, dtype) == ("PNG", "LA", np.uint16) else mode)


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("mode", list(CHANNELS))
def test_tiff_opens_in_tifffile(mode: str, dtype: type, compress: bool) -> None:
    source = dataclasses.replace(image_of(noise(mode, dtype), mode, "TIFF"), tiff_compressed=compress, icc=ICC)
    with tifffile.TiffFile(io.BytesIO(encode_image(source, source.pixels, "TIFF"))) as file:
        page = file.pages.first.aspage()
        np.testing.assert_array_equal(page.asarray(), noise(mode, dtype))
        assert page.compression == (tifffile.COMPRESSION.ADOBE_DEFLATE if compress else tifffile.COMPRESSION.NONE)
        assert page.iccprofile == ICC
        assert [int(kind) for kind in page.extrasamples] == ([2] if mode in ("LA", "RGBA") else [])


def test_tiff_of_many_strips() -> None:
    pixels = np.random.default_rng(1).integers(0, 65536, (700, 900, 3), dtype=np.uint16)
    data = encode_image(ImageFile(pixels, "PNG", "RGB"), pixels, "TIFF")
    np.testing.assert_array_equal(tifffile.imread(io.BytesIO(data)), pixels)
    np.testing.assert_array_equal(decode_image(data).pixels, pixels)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_png_opens_in_opencv(mode: str, dtype: type) -> None:
    source = image_of(noise(mode, dtype), mode)
    data = encode_image(dataclasses.replace(source, icc=ICC, exif=make_exif()), source.pixels, "PNG")
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert decoded is not None
    if mode != "L":
        decoded = decoded[..., [2, 1, 0, 3][: decoded.shape[2]]]
    np.testing.assert_array_equal(decoded, source.pixels)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_lossless_webp_stays_lossless(mode: str) -> None:
    source = decode_image(saved(noise(mode), "WEBP", lossless=True, exact=True))
    assert source.webp_lossless
    again = decode_image(encode_image(source, source.pixels, "WEBP"))
    np.testing.assert_array_equal(again.pixels, noise(mode))  # colours under zero alpha included
    assert again.webp_lossless


def test_lossy_webp_stays_lossy_at_quality_95() -> None:
    source = decode_image(saved(smooth(), "WEBP", quality=80))
    assert not source.webp_lossless
    again = decode_image(encode_image(source, source.pixels, "WEBP"))
    assert not again.webp_lossless
    assert 0 < np.abs(again.pixels.astype(int) - source.pixels).mean() < 4
    small = encode_image(source, source.pixels, "WEBP", quality=20)
    assert len(small) < len(encode_image(source, source.pixels, "WEBP"))


@pytest.mark.parametrize("target", WRITTEN)
@pytest.mark.parametrize("origin", WRITTEN)
def test_metadata_survives_in_every_direction(origin: str, target: str) -> None:
    source = decode_image(with_metadata(smooth(), origin))
    assert flat_exif(source.exif) == flat_exif(make_exif())
    assert (source.icc, source.xmp) == (ICC, XMP)
    again = decode_image(encode_image(source, source.pixels, target))
    assert again.pixels.shape == source.pixels.shape
    assert (again.icc, again.xmp) == (ICC, XMP)
    assert flat_exif(again.exif) == flat_exif(make_exif())
    if target != "TIFF":
        assert again.exif == source.exif
    if "WEBP" not in (origin, target):
        assert again.dpi == pytest.approx((300, 300), abs=0.01)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("format", LOSSLESS)
def test_metadata_survives_at_both_depths(format: str, mode: str, dtype: type) -> None:
    made = dataclasses.replace(image_of(noise(mode, dtype), mode), exif=make_exif(), icc=ICC, xmp=XMP, dpi=(72, 96))
    first = decode_image(encode_image(made, made.pixels, format))
    second = decode_image(encode_image(first, first.pixels, format))
    for image in (first, second):
        np.testing.assert_array_equal(image.pixels, made.pixels)
        assert flat_exif(image.exif) == flat_exif(make_exif())
        assert (image.icc, image.xmp) == (ICC, XMP)
        assert image.dpi == pytest.approx((72, 96), abs=0.02)
    assert first.exif == second.exif


def test_png_text_and_gamma_are_carried_verbatim() -> None:
    source = decode_image(with_metadata(smooth(), "PNG"))
    again = decode_image(encode_image(source, source.pixels, "PNG"))
    assert again.blocks == source.blocks
    assert {name for name, _ in source.blocks} == {"tEXt chunk", "gAMA chunk"}
    with Image.open(io.BytesIO(encode_image(source, source.pixels, "PNG"))) as opened:
        assert opened.info["Title"] == "a title"
        assert opened.info["gamma"] == pytest.approx(0.45455)
    assert source.losses("PNG") == ()
    assert source.losses("TIFF") == ("PNG tEXt chunk", "PNG gAMA chunk")


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_jpeg_is_coded_as_it_was(mode: str, subsampling: int, progressive: bool) -> None:
    data = with_metadata(smooth(mode), "JPEG", quality=83, subsampling=subsampling, progressive=progressive)
    source = decode_image(data)
    again = encode_image(source, source.pixels, "JPEG")
    assert decode_image(again).jpeg == source.jpeg
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(again)) as after:
        assert isinstance(before, JpegImagePlugin.JpegImageFile)
        assert isinstance(after, JpegImagePlugin.JpegImageFile)
        assert after.quantization == before.quantization
        assert after.mode == mode
        assert JpegImagePlugin.get_sampling(after) == JpegImagePlugin.get_sampling(before)
        assert bool(after.info.get("progressive")) is progressive
        for field in ("exif", "icc_profile", "xmp", "dpi"):
            assert after.info[field] == before.info[field]


def test_jpeg_of_three_or_one_table() -> None:
    for tables in ([[3] * 64, [5] * 64, [7] * 64], [[4] * 64]):
        source = decode_image(saved(smooth(), "JPEG", qtables=tables))
        assert source.jpeg is not None
        assert [list(table) for table in source.jpeg.tables] == tables
        assert decode_image(encode_image(source, source.pixels, "JPEG")).jpeg == source.jpeg


def test_jpeg_from_another_format_is_quality_95_without_subsampling() -> None:
    source = image_of(smooth(), "RGB")
    with Image.open(io.BytesIO(saved(smooth(), "JPEG", quality=95))) as reference:
        assert isinstance(reference, JpegImagePlugin.JpegImageFile)
        tables = tuple(tuple(table) for table in reference.quantization.values())
    coding = decode_image(encode_image(source, source.pixels, "JPEG")).jpeg
    assert coding is not None
    assert (coding.tables, coding.subsampling, coding.progressive) == (tables, 0, False)
    lower = decode_image(encode_image(source, source.pixels, "JPEG", quality=50)).jpeg
    assert lower is not None
    assert lower.tables != tables


@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_of_noise_at_full_quality(progressive: bool) -> None:
    """Pillow's buffer overflows here when asked for optimal codes."""
    pixels = np.random.default_rng(2).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    source = decode_image(saved(pixels, "JPEG", quality=100, subsampling=0))
    assert source.jpeg is not None
    source = dataclasses.replace(source, jpeg=dataclasses.replace(source.jpeg, progressive=progressive), icc=ICC)
    again = decode_image(encode_image(source, source.pixels, "JPEG"))
    assert again.jpeg is not None
    assert source.jpeg is not None
    assert again.jpeg.tables == source.jpeg.tables
    assert again.icc == ICC


def test_jpeg_segments_and_comment_are_carried_verbatim() -> None:
    plain = with_metadata(smooth(), "JPEG", comment=b"a comment")
    iptc = b"\xff\xed\x00\x12Photoshop 3.0\x00ab"
    extended = b"\xff\xe1\x00\x2bhttp://ns.adobe.com/xmp/extension/\x00guid.."
    source = decode_image(plain[:2] + iptc + extended + plain[2:])
    assert [name for name, _ in source.blocks] == ["APP13 segment", "APP1 segment", "comment"]
    data = encode_image(source, source.pixels, "JPEG")
    assert decode_image(data).blocks == source.blocks
    assert source.losses("JPEG") == ()
    assert source.losses("PNG") == ("JPEG APP13 segment", "JPEG APP1 segment", "JPEG comment")
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) is not None


def test_icc_profile_of_many_segments() -> None:
    profile = bytes(range(256)) * 1000
    source = decode_image(saved(smooth(), "JPEG", icc_profile=profile))
    for format in WRITTEN:
        assert decode_image(encode_image(source, source.pixels, format)).icc == profile


def test_losses_of_further_pictures_and_trailing_data() -> None:
    plain = saved(smooth(), "JPEG")
    motion = decode_image(plain + b"\0\0ftypmp42" + bytes(range(1, 100)))
    assert "motion photo" in motion.losses("JPEG")[0]
    assert decode_image(plain + b"\0" * 16).losses("JPEG") == ()
    file = io.BytesIO()
    Image.fromarray(smooth()).save(file, "MPO", save_all=True, append_images=[Image.fromarray(noise())])
    stereo = decode_image(file.getvalue())
    assert stereo.format == "JPEG"
    np.testing.assert_array_equal(stereo.pixels, decode_image(plain).pixels)
    assert "MPF" in stereo.losses("JPEG")[0]
    again = decode_image(encode_image(stereo, stereo.pixels, "JPEG"))
    assert again.losses("JPEG") == ()


def test_metadata_too_long_for_jpeg_is_announced_and_left_out() -> None:
    long_exif, long_xmp = make_exif() + bytes(70_000), XMP + b" " * 70_000
    source = dataclasses.replace(image_of(smooth(), "RGB"), exif=long_exif, xmp=long_xmp)
    assert [loss.split()[0] for loss in source.losses("JPEG")] == ["EXIF", "XMP"]
    again = decode_image(encode_image(source, source.pixels, "JPEG"))
    assert (again.exif, again.xmp) == (b"", b"")
    for format in ("PNG", "WEBP"):
        assert source.losses(format) == ()
        assert decode_image(encode_image(source, source.pixels, format)).xmp == long_xmp


@pytest.mark.parametrize("excess", [0, 1])
def test_longest_metadata_a_jpeg_holds(excess: int) -> None:
    exif = make_exif()
    exif += bytes(65_527 - len(exif) + excess)
    xmp = XMP + b" " * (65_504 - len(XMP) + excess)
    source = dataclasses.replace(image_of(smooth(), "RGB"), exif=exif, xmp=xmp)
    again = decode_image(encode_image(source, source.pixels, "JPEG"))
    assert (again.exif, again.xmp) == ((b"", b"") if excess else (exif, xmp))
    assert len(source.losses("JPEG")) == 2 * excess


def test_grey_with_alpha_that_took_on_colour_is_written_as_rgba() -> None:
    source = image_of(smooth("LA"), "LA")
    coloured = source.pixels.copy()
    coloured[0, 0, 0] ^= 1
    again = decode_image(encode_image(source, coloured, "PNG"))
    assert again.mode == "RGBA"
    np.testing.assert_array_equal(again.pixels, coloured)


def test_losses_tell_of_palette_depth_and_resolution() -> None:
    palette = decode_image(saved(Image.fromarray(smooth()).convert("P"), "PNG"))
    assert palette.losses("PNG") == ("the palette (becomes RGB)",)
    bilevel = decode_image(saved(Image.fromarray(smooth("L")).convert("1"), "PNG"))
    assert bilevel.losses("PNG") == ("1 bit a pixel (becomes 8-bit grey)",)
    deep = dataclasses.replace(image_of(smooth("LA", np.uint16), "LA"), dpi=(300, 300))
    assert "RGBA" in deep.losses("PNG")[0]
    assert deep.losses("TIFF") == ()
    assert "resolution" in deep.losses("WEBP")[0]


@pytest.mark.parametrize("exif", [b"nonsense", b"II*\0\x08\0\0\0\x09\0", make_exif()[:60], make_exif()[:-30]])
def test_damaged_exif_is_carried_verbatim_and_hurts_no_tiff(exif: bytes) -> None:
    source = decode_image(with_metadata(smooth(), "JPEG", exif=b""))
    source = dataclasses.replace(source, exif=exif)
    for format in ("JPEG", "PNG", "WEBP"):
        assert decode_image(encode_image(source, source.pixels, format)).exif == exif
        source.losses(format)
    source.losses("TIFF")
    np.testing.assert_array_equal(decode_image(encode_image(source, source.pixels, "TIFF")).pixels, source.pixels)


def test_nonsense_for_exif_is_announced() -> None:
    source = dataclasses.replace(image_of(smooth(), "RGB"), exif=b"nonsense")
    assert "EXIF" in source.losses("TIFF")[0]
    assert source.losses("PNG") == ()


@pytest.mark.parametrize("dpi", [(0, 0), (1, 1), (1e-3, 300), (300, 1e6), (IFDRational(0, 0), 72)])
def test_impossible_resolution_counts_as_none(dpi: tuple[float, float]) -> None:
    tags = Image.Exif()
    tags[0x0128], tags[0x011A], tags[0x011B] = 2, *dpi
    source = decode_image(saved(smooth(), "TIFF", exif=tags))
    assert source.dpi is None
    for format in WRITTEN:
        assert decode_image(encode_image(source, source.pixels, format)).pixels.shape == source.pixels.shape


def test_refuses_what_the_format_cannot_hold() -> None:
    cases = [
        (image_of(noise("RGBA"), "RGBA"), "JPEG", "PNG, WebP or TIFF"),
        (image_of(noise("LA"), "LA"), "JPEG", "transparency"),
        (image_of(noise("RGB", np.uint16), "RGB"), "JPEG", "8 bits"),
        (image_of(noise("RGB", np.uint16), "RGB"), "WEBP", "PNG or TIFF"),
        (image_of(np.zeros((1, 16_384), np.uint8), "L"), "WEBP", "16383"),
        (image_of(np.zeros((65_501, 1), np.uint8), "L"), "JPEG", "65500"),
        (image_of(noise(), "RGB"), "GIF", "GIF"),
        (image_of(noise(), "CMYK", "JPEG"), "PNG", "colour management"),
        (image_of(noise(), "CMYK", "JPEG"), "JPEG", "CMYK"),
    ]
    for source, format, message in cases:
        with pytest.raises(UnsupportedImage, match=message):
            encode_image(source, source.pixels, format)


def test_refuses_pixels_unlike_the_source_and_impossible_quality() -> None:
    source = image_of(noise(), "RGB")
    with pytest.raises(ValueError, match="like the source"):
        encode_image(source, source.pixels[1:], "PNG")
    with pytest.raises(ValueError, match="like the source"):
        encode_image(source, source.pixels.astype(np.uint16), "PNG")
    for quality in (0, 101):
        with pytest.raises(ValueError, match="quality"):
            encode_image(source, source.pixels, "JPEG", quality=quality)


def test_pixels_need_not_be_contiguous() -> None:
    source = image_of(noise(), "RGB")
    flipped = source.pixels[::-1, ::-1]
    for format in LOSSLESS:
        np.testing.assert_array_equal(decode_image(encode_image(source, flipped, format)).pixels, flipped)


def test_format_of_suffix() -> None:
    suffixes = {
        "a.jpg": "JPEG",
        "a.JPEG": "JPEG",
        "b/a.png": "PNG",
        "a.WebP": "WEBP",
        "a.tif": "TIFF",
        "a.x.tiff": "TIFF",
    }
    for path, format in suffixes.items():
        assert format_of(path) == format_of(Path(path)) == format
    for path in ("a.gif", "a", "a.", ".png"):
        with pytest.raises(UnsupportedImage, match=r"\.jpg, \.jpeg, \.png, \.webp, \.tif, \.tiff"):
            format_of(path)
