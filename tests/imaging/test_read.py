"""Reading: every kind of pixel users meet, as stored, and a clear refusal of the rest."""

from __future__ import annotations

import io
import struct
import sys
import threading
import types
import warnings
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from image_samples import HEIGHT, WIDTH, flat_exif, make_exif, noise, saved, smooth, with_metadata
from PIL import Image
from skimage.io import imread

from watermark.errors import ImageError, UnreadableImage, UnsupportedImage
from watermark.imaging import decode_image, encode_image, read_bytes, read_image
from watermark.imaging.containers import PNG_SIGNATURE, png_chunk


def opencv_file(suffix: str, pixels: np.ndarray, *parameters: int) -> bytes:
    """The picture (RGB or RGBA order) as a file written by OpenCV."""
    if pixels.ndim == 3:
        pixels = pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
    written, data = cv2.imencode(suffix, pixels, parameters)
    assert written
    return data.tobytes()


def tiff_file(pixels: np.ndarray, **options: Any) -> bytes:
    """The picture as a file written by tifffile."""
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **options)
    return file.getvalue()


def png_file(pixels: np.ndarray, colour: int, *chunks: bytes) -> bytes:
    """The 16-bit picture as a PNG of the colour type, for what no library writes."""
    rows = pixels.reshape(len(pixels), -1).astype(">u2")
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 16, colour, 0, 0, 0)
    image = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    parts = [png_chunk(b"IHDR", header), *chunks, png_chunk(b"IDAT", image), png_chunk(b"IEND", b"")]
    return PNG_SIGNATURE + b"".join(parts)


@pytest.mark.parametrize(
    ("format", "mode"),
    [
        *(("PNG", mode) for mode in ("L", "LA", "RGB", "RGBA")),
        *(("TIFF", mode) for mode in ("L", "LA", "RGB", "RGBA")),
        *((format, mode) for format in ("BMP", "PPM") for mode in ("L", "RGB")),
        *(("WEBP", mode) for mode in ("RGB", "RGBA")),
        *(("JPEG2000", mode) for mode in ("L", "RGB")),
    ],
)
def test_pixels_come_as_stored(format: str, mode: str) -> None:
    options: dict[str, Any] = {"lossless": True, "exact": True} if format == "WEBP" else {}
    pixels = noise(mode)
    image = decode_image(saved(pixels, format, **options))
    expected = pixels[..., [0, 0, 0, 1]] if mode == "LA" else pixels
    assert (image.format, image.mode) == (format, mode)
    assert image.pixels.dtype == np.uint8
    np.testing.assert_array_equal(image.pixels, expected)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_jpeg_decodes_as_opencv_does(mode: str) -> None:
    data = saved(smooth(mode), "JPEG", quality=90)
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert decoded is not None
    expected = decoded if mode == "L" else decoded[..., ::-1]
    np.testing.assert_array_equal(decode_image(data).pixels, expected)


def test_avif_is_read() -> None:
    image = decode_image(saved(smooth(), "AVIF", quality=100))
    assert image.format == "AVIF"
    assert np.abs(image.pixels.astype(int) - smooth()).mean() < 4


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_orientation_is_kept_and_not_applied(format: str, orientation: int) -> None:
    data = with_metadata(smooth(), format, exif=make_exif(orientation))
    image = decode_image(data)
    assert image.pixels.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(image.pixels.astype(int) - smooth()).mean() < 6  # not even mirrored
    again = decode_image(encode_image(image, image.pixels, format))
    assert flat_exif(again.exif)[0x0112] == orientation


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_16_bits_from_opencv(suffix: str, mode: str) -> None:
    pixels = noise(mode, np.uint16)
    image = decode_image(opencv_file(suffix, pixels))
    assert image.pixels.dtype == np.uint16
    np.testing.assert_array_equal(image.pixels, pixels)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zlib"},
        {"compression": "zlib", "predictor": True},
        {"tile": (16, 16)},
        {"extratags": [(274, 3, 1, 6, True)]},
        {"extratags": [(274, 3, 1, 2, True)], "rowsperstrip": 7},
    ],
)
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_16_bit_tiff_from_tifffile(mode: str, options: dict[str, Any], byteorder: Any) -> None:
    pixels = noise(mode, np.uint16)
    meaning: dict[str, Any] = {"photometric": "minisblack" if mode == "L" else "rgb"}
    if mode == "RGBA":
        meaning["extrasamples"] = ["unassalpha"]
    image = decode_image(tiff_file(pixels, byteorder=byteorder, **meaning, **options))
    assert image.pixels.dtype == np.dtype(np.uint16)
    np.testing.assert_array_equal(image.pixels, pixels)


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_16_bit_lzw_tiff_is_not_turned(orientation: int) -> None:
    pixels = noise("RGB", np.uint16)
    data = bytearray(opencv_file(".tiff", pixels, cv2.IMWRITE_TIFF_COMPRESSION, 5))
    (directory,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, directory)
    # Planar configuration, contiguous by default, gives way to orientation.
    entry = next(at for at in range(directory + 2, directory + 2 + 12 * count, 12) if data[at : at + 2] == b"\x1c\x01")
    struct.pack_into("<HHII", data, entry, 274, 3, 1, orientation)
    np.testing.assert_array_equal(decode_image(bytes(data)).pixels, pixels)


def test_16_bit_tiff_in_planes() -> None:
    pixels = noise("RGB", np.uint16)
    planes = np.ascontiguousarray(np.moveaxis(pixels, 2, 0))
    np.testing.assert_array_equal(
        decode_image(tiff_file(planes, photometric="rgb", planarconfig="separate")).pixels, pixels
    )


def test_bigtiff_keeps_its_tags() -> None:
    data = tiff_file(noise(), photometric="rgb", bigtiff=True, extratags=[(315, "s", 0, "Artist", True)])
    image = decode_image(data)
    assert flat_exif(image.exif)[315] == "Artist"
    assert flat_exif(decode_image(encode_image(image, image.pixels, "TIFF")).exif)[315] == "Artist"


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_tiff_where_zero_is_white(dtype: type) -> None:
    pixels = noise("L", dtype)
    image = decode_image(tiff_file(pixels, photometric="miniswhite"))
    np.testing.assert_array_equal(image.pixels, ~pixels)
    again = tifffile.imread(io.BytesIO(encode_image(image, image.pixels, "TIFF")))
    np.testing.assert_array_equal(again, ~pixels)


@pytest.mark.parametrize("magic", ["P5", "P6"])
@pytest.mark.parametrize("maximum", [1023, 65535])
def test_16_bit_ppm(magic: str, maximum: int) -> None:
    pixels = noise("L" if magic == "P5" else "RGB", np.uint16) & maximum
    header = f"{magic}\n# a comment\n{WIDTH} {HEIGHT}\n{maximum}\n".encode()
    image = decode_image(header + pixels.astype(">u2").tobytes())
    assert image.pixels.dtype == np.uint16
    assert np.abs(image.pixels - pixels * (65535 / maximum)).max() < 1


def test_16_bit_png_of_rare_kinds() -> None:
    pixels = noise("LA", np.uint16)
    image = decode_image(png_file(pixels, 4))
    assert image.mode == "LA"
    np.testing.assert_array_equal(image.pixels, pixels[..., [0, 0, 0, 1]])
    pixels = noise("RGB", np.uint16)
    image = decode_image(png_file(pixels, 2, png_chunk(b"tRNS", pixels[3, 4].astype(">u2").tobytes())))
    np.testing.assert_array_equal(image.pixels[..., :3], pixels)
    assert np.argwhere(image.pixels[..., 3] == 0).tolist() == [[3, 4]]
    grey = noise("L", np.uint16)
    with pytest.raises(UnsupportedImage, match="alpha channel"):
        decode_image(png_file(grey, 0, png_chunk(b"tRNS", grey[0, :1].astype(">u2").tobytes())))


def test_faults_in_text_of_16_bit_png_are_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    pixels = noise("RGB", np.uint16)
    data = png_file(pixels, 2, png_chunk(b"sRGB", b"\xff\xff"), png_chunk(b"gAMA", bytes(4)))
    np.testing.assert_array_equal(decode_image(data).pixels, pixels)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("format", ["PNG", "GIF", "BMP", "TIFF"])
def test_palette_becomes_rgb(format: str) -> None:
    palette = Image.fromarray(smooth()).quantize(16)
    image = decode_image(saved(palette, format))
    assert image.mode == "P"
    np.testing.assert_array_equal(image.pixels, np.asarray(palette.convert("RGB")))


def test_transparency_without_an_alpha_channel() -> None:
    palette = decode_image(saved(Image.fromarray(smooth()).quantize(16), "PNG", transparency=3))
    assert (palette.pixels.shape, palette.mode) == ((HEIGHT, WIDTH, 4), "P")
    grey = decode_image(saved(smooth("L"), "PNG", transparency=int(smooth("L")[0, 0])))
    assert (grey.mode, grey.pixels.shape, grey.pixels[0, 0, 3]) == ("LA", (HEIGHT, WIDTH, 4), 0)
    colour = decode_image(saved(smooth(), "PNG", transparency=tuple(smooth()[0, 0].tolist())))
    assert (colour.mode, colour.pixels[0, 0, 3]) == ("RGBA", 0)
    np.testing.assert_array_equal(colour.pixels[..., :3], smooth())
    bilevel = decode_image(saved(Image.fromarray(smooth("L")).convert("1"), "PNG", transparency=0))
    assert set(np.unique(bilevel.pixels)) == {0, 255}
    for image in (palette, grey, colour, bilevel):
        np.testing.assert_array_equal(decode_image(encode_image(image, image.pixels, "PNG")).pixels, image.pixels)


@pytest.mark.parametrize("format", ["PNG", "TIFF", "PPM", "BMP"])
def test_one_bit_becomes_grey(format: str) -> None:
    bilevel = Image.fromarray(smooth("L")).convert("1")
    image = decode_image(saved(bilevel, format))
    np.testing.assert_array_equal(image.pixels, np.where(np.asarray(bilevel), 255, 0))


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk_is_read_but_not_written(format: str) -> None:
    image = decode_image(saved(Image.fromarray(smooth()).convert("CMYK"), format))
    assert (image.mode, image.pixels.shape) == ("CMYK", (HEIGHT, WIDTH, 3))
    assert np.abs(image.pixels.astype(int) - smooth()).mean() < 20
    with pytest.raises(UnsupportedImage, match="CMYK"):
        encode_image(image, image.pixels, format)


def test_format_is_told_from_content(tmp_path: Path) -> None:
    path = tmp_path / "picture.jpg"
    path.write_bytes(saved(noise(), "PNG"))
    assert read_image(path).format == read_image(str(path)).format == "PNG"
    assert read_bytes(path) == path.read_bytes()
    np.testing.assert_array_equal(read_image(path).pixels, imread(path))


def test_pixels_may_be_written_to() -> None:
    for data in (saved(noise(), "PNG"), opencv_file(".png", noise("RGB", np.uint16))):
        decode_image(data).pixels[0, 0] = 0


def test_unknown_channel_is_left_out_and_announced() -> None:
    image = decode_image(tiff_file(noise("RGBA"), photometric="rgb", extrasamples=["unspecified"]))
    np.testing.assert_array_equal(image.pixels, noise("RGBA")[..., :3])
    assert "further channel" in image.losses("TIFF")[0]


def animation(format: str) -> bytes:
    frames = [Image.fromarray(noise(seed=seed)) for seed in range(3)]
    return saved(frames[0], format, save_all=True, append_images=frames[1:])


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "AVIF", "TIFF"])
def test_refuses_several_frames_or_pages(format: str) -> None:
    with pytest.raises(UnsupportedImage, match="single picture"):
        decode_image(animation(format))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (tiff_file(noise().astype(np.float32), photometric="rgb"), "8 or 16 bits"),
        (tiff_file(noise("L").astype(np.float32)), "floating point"),
        (tiff_file(noise("L").astype(np.int32)), "32 bits"),
        (tiff_file(noise("RGBA", np.uint16), photometric="rgb", extrasamples=["unspecified"]), "straight alpha"),
        (tiff_file(noise("RGBA", np.uint16), photometric="rgb", extrasamples=["assocalpha"]), "straight alpha"),
        (saved(Image.new("LAB", (9, 9)), "TIFF"), "LAB"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100), "pip install pillow-heif"),
    ],
)
def test_refuses_other_pixels(data: bytes, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(UnsupportedImage, match=message):
        decode_image(data, "picture")


def test_heic_with_its_plug_in(monkeypatch: pytest.MonkeyPatch) -> None:
    class Opener(Image.Image):
        """Stands for what the plug-in registers."""

        is_animated = False

        def __init__(self, *_: object) -> None:
            super().__init__()
            made = Image.fromarray(smooth())
            self._mode, self._size, self.im = made.mode, made.size, made.im

    plug_in = types.SimpleNamespace(
        register_heif_opener=lambda: monkeypatch.setitem(Image.OPEN, "HEIF", (Opener, None))
    )
    monkeypatch.setitem(sys.modules, "pillow_heif", plug_in)
    image = decode_image(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    assert image.format == "HEIF"
    np.testing.assert_array_equal(image.pixels, smooth())


def test_refuses_what_is_no_image(tmp_path: Path) -> None:
    cases: list[tuple[Any, str]] = [
        (tmp_path / "missing.png", "there is none"),
        (tmp_path, "folder"),
        (str(tmp_path / "a\0b"), "cannot be opened"),
    ]
    for path, message in cases:
        with pytest.raises(UnreadableImage, match=message):
            read_image(path)
    (tmp_path / "empty.png").write_bytes(b"")
    with pytest.raises(UnreadableImage, match=r"empty.png: .* is empty"):
        read_image(tmp_path / "empty.png")
    for data in (b"x", b"%PDF-1.7 hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", bytes(1000)):
        with pytest.raises(UnreadableImage, match="none of these"):
            decode_image(data)


def test_refuses_a_bomb_before_decoding() -> None:
    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    data = PNG_SIGNATURE + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(bytes(10**6)))
    limit = Image.MAX_IMAGE_PIXELS
    with pytest.raises(UnreadableImage, match=r"400 megapixels.*40000 x 40000"):
        decode_image(data)
    assert limit == Image.MAX_IMAGE_PIXELS


def test_the_limit_is_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    for format in ("PNG", "JPEG"):
        assert decode_image(saved(noise(), format)).pixels.shape == (HEIGHT, WIDTH, 3)


FORMATS = ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "AVIF", "JPEG2000"]
FORMATS += ["PNG16", "TIFF16", "TIFFLZW16", "PPM16"]


def sample(kind: str) -> bytes:
    deep = noise("RGB", np.uint16)
    if kind == "PNG16":
        return opencv_file(".png", deep)
    if kind == "TIFF16":
        return tiff_file(deep, photometric="rgb", compression="zlib")
    if kind == "TIFFLZW16":
        return opencv_file(".tiff", deep)
    if kind == "PPM16":
        return f"P6 {WIDTH} {HEIGHT} 65535\n".encode() + deep.astype(">u2").tobytes()
    if kind in ("JPEG", "PNG", "WEBP", "TIFF"):
        return with_metadata(smooth(), kind)
    return saved(smooth(), kind)


@pytest.mark.parametrize("kind", FORMATS)
def test_truncated_files_raise_image_errors_alone(kind: str) -> None:
    data = sample(kind)
    refused = 0
    for length in [*range(64), *range(64, len(data), max(1, len(data) // 150))]:
        try:
            decode_image(data[:length])
        except ImageError:
            refused += 1
    assert refused > 64
    with pytest.raises(UnreadableImage):
        decode_image(data[: len(data) // 2])


@pytest.mark.parametrize("kind", FORMATS)
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), flips=st.integers(1, 20))
def test_damaged_files_raise_image_errors_alone(kind: str, seed: int, flips: int) -> None:
    data = bytearray(sample(kind))
    rng = np.random.default_rng(seed)
    for at in rng.integers(0, len(data), flips):
        data[min(at, int(rng.integers(1, len(data))))] = rng.integers(0, 256)  # more of them near the start
    try:
        image = decode_image(bytes(data))
    except ImageError:
        return
    for format in {image.format, "TIFF"} & {"JPEG", "PNG", "WEBP", "TIFF"}:
        image.losses(format)
        if image.mode != "CMYK":
            decode_image(encode_image(image, image.pixels, format))


def test_warnings_of_decoders_stay_inside_and_filters_are_restored() -> None:
    data = with_metadata(smooth(), "JPEG")
    damaged = data.replace(make_exif()[:60], make_exif()[:20] + b"\xff" * 40)
    filters = list(warnings.filters)
    threads = [threading.Thread(target=lambda: [decode_image(damaged) for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(warnings.filters) == filters
