"""``watermark embed``, read back by ``watermark detect``: marks, metadata, JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from cli_samples import (
    ICC,
    PAYLOAD,
    XMP,
    astronaut,
    camera,
    coffee,
    exif,
    json_lines,
    kinds,
    psnr,
    refused,
    run,
    run_process,
    save,
    save_signed,
)
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin, PngImagePlugin

from watermark.nets.model import Model, load_model, save_model
from watermark.payload.keys import Key

EMBED_KINDS = {
    "schema": int,
    "file": str,
    "payload": str,
    "format": int,
    "psnr": float,
    "ssim": float,
    "strength": float,
    "reached": bool,
    "bit_errors": int,
    "read_back": bool,
    "key": str,
}


def embed_and_read(source: Path, target: Path, *options: object) -> dict[str, Any]:
    """Mark a picture loudly, read the copy, and give what ``embed`` printed."""
    options = options or ("--payload", PAYLOAD)
    (written,) = json_lines(run("embed", source, target, "--strength", 42, "--json", *options))
    (read,) = json_lines(run("detect", target, "--search", "none", "--json"))
    assert read["payload"] == written["payload"]
    assert read["bit_errors"] == written["bit_errors"]
    return written


def pixels_of(path: Path) -> NDArray[Any]:
    with Image.open(path) as image:
        return np.array(image)


def test_json_and_figures(tmp_path: Path) -> None:
    source = save(tmp_path / "a.png", astronaut())
    line = embed_and_read(source, tmp_path / "b.png")
    assert kinds(line) == EMBED_KINDS
    assert line | {"psnr": 0, "ssim": 0, "bit_errors": 0} == {
        "schema": 1,
        "file": str(tmp_path / "b.png"),
        "payload": PAYLOAD,
        "format": 64,
        "psnr": 0,
        "ssim": 0,
        "strength": 42.0,
        "reached": True,
        "bit_errors": 0,
        "read_back": True,
        "key": Key.open().fingerprint,
    }
    assert line["psnr"] == pytest.approx(psnr(astronaut(), pixels_of(tmp_path / "b.png")), abs=0.006)
    assert 0.9 < line["ssim"] < 1


def test_jpeg_keeps_tables_subsampling_and_metadata(tmp_path: Path) -> None:
    tables = [[5 + n % 7 for n in range(64)], [9 + n % 5 for n in range(64)]]
    options = {"qtables": tables, "subsampling": 1, "exif": exif(), "icc_profile": ICC, "xmp": XMP, "dpi": (300, 300)}
    source = save(tmp_path / "a.jpg", coffee(), **options)
    embed_and_read(source, tmp_path / "b.jpeg")
    with Image.open(source) as before, Image.open(tmp_path / "b.jpeg") as after:
        assert after.size == before.size == (400, 300)  # orientation 6 is kept, not applied
        assert after.getexif()[0x0112] == 6
        assert after.quantization == before.quantization
        assert JpegImagePlugin.get_sampling(after) == JpegImagePlugin.get_sampling(before) == 1
        for name, value in (("exif", exif()), ("icc_profile", ICC), ("xmp", XMP), ("dpi", (300, 300))):
            assert after.info[name] == before.info[name] == value
        assert psnr(np.array(before), np.array(after)) > 36


def test_png_keeps_alpha_and_metadata(tmp_path: Path) -> None:
    alpha = np.full((300, 400), 255, np.uint8)
    alpha[:60], alpha[60:100] = 0, 130
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", "a cup")
    options = {"exif": exif(), "icc_profile": ICC, "pnginfo": text}
    source = save(tmp_path / "a.png", np.dstack([coffee(), alpha]), **options)
    embed_and_read(source, tmp_path / "b.png")
    with Image.open(source) as before, Image.open(tmp_path / "b.png") as after:
        for name in ("exif", "icc_profile", "Title"):
            assert after.info[name] == before.info[name]
    pixels = pixels_of(tmp_path / "b.png")
    np.testing.assert_array_equal(pixels[..., 3], alpha)
    np.testing.assert_array_equal(pixels[:60, :, :3], coffee()[:60])  # transparent
    assert np.any(pixels[100:, :, :3] != coffee()[100:])


def test_webp(tmp_path: Path) -> None:
    source = save(tmp_path / "a.webp", coffee(), lossless=True, icc_profile=ICC, exif=exif(), xmp=XMP)
    line = embed_and_read(source, tmp_path / "b.webp")
    with Image.open(tmp_path / "b.webp") as after:
        assert (after.format, after.info["icc_profile"], after.info["xmp"]) == ("WEBP", ICC, XMP)
        assert after.getexif()[0x0112] == 6
    assert psnr(coffee(), pixels_of(tmp_path / "b.webp")) == pytest.approx(line["psnr"], abs=0.006)  # still lossless


def test_tiff_of_greys(tmp_path: Path) -> None:
    source = save(tmp_path / "a.tiff", camera(), compression="tiff_lzw", icc_profile=ICC, dpi=(300, 300))
    line = embed_and_read(source, tmp_path / "b.tif")
    with Image.open(tmp_path / "b.tif") as after:
        assert (after.format, after.mode, after.info["icc_profile"]) == ("TIFF", "L", ICC)
        assert after.info["dpi"] == (300, 300)
    assert psnr(camera(), pixels_of(tmp_path / "b.tif")) == pytest.approx(line["psnr"], abs=0.006)


def test_png_of_16_bits(tmp_path: Path) -> None:
    deep = astronaut().astype(np.uint16) * 257 // 2 + 31
    cv2.imwrite(str(tmp_path / "a.png"), deep[..., ::-1])
    line = embed_and_read(tmp_path / "a.png", tmp_path / "b.png")
    after = cv2.imread(str(tmp_path / "b.png"), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert after.dtype == np.uint16
    assert np.unique(after - deep & 255).size > 100  # changed by less than levels of 8 bits
    assert psnr(deep / 257, after / 257) == pytest.approx(line["psnr"], abs=0.006)


def test_other_formats_become_writable_ones(tmp_path: Path) -> None:
    source = save(tmp_path / "a.bmp", astronaut())
    embed_and_read(source, tmp_path / "b.JPG", "--text", "x", "--quality", 80)
    with Image.open(tmp_path / "b.JPG") as after, Image.open(save(tmp_path / "c.jpg", coffee(), quality=80)) as same:
        assert after.quantization == same.quantization


@pytest.mark.parametrize(
    ("option", "value", "payload", "text"),
    [
        ("--payload", "DEADbeef", "deadbeef", None),
        ("--payload", "00" * 15 + "80", "00" * 15 + "80", None),
        ("--text", "Zoë", "5a6fc3ab", "Zoë"),
        ("--text", "photo 7", "70686f746f203700", "photo 7"),
        ("--uuid", "123E4567-e89b-12d3-a456-426614174000", "123e4567e89b12d3a456426614174000", None),
    ],
)
def test_payloads(tmp_path: Path, source: Path, option: str, value: str, payload: str, text: str | None) -> None:
    line = embed_and_read(source, tmp_path / "b.png", option, value)
    assert (line["payload"], line["format"]) == (payload, 4 * len(payload))
    (read,) = json_lines(run("detect", tmp_path / "b.png", "--search", "none", "--json"))
    assert (read["payload"], read["format"], read["text"]) == (payload, 4 * len(payload), text)


def test_only_the_key_reads_the_mark(tmp_path: Path, source: Path) -> None:
    for name in ("mine", "other"):
        run("keygen", tmp_path / name)
    target, mine = tmp_path / "b.png", tmp_path / "mine"
    (line,) = json_lines(run("embed", source, target, "--text", "x", "--key", mine, "--strength", 42, "--json"))
    assert line["key"] == Key.load(mine).fingerprint
    run("detect", target, "--key", mine, "--search", "none")
    run("detect", target, "--key", tmp_path / "other", "--search", "none", code=1)
    run("detect", target, "--search", "none", code=1)


def test_robustness_sets_the_strength(tmp_path: Path, source: Path) -> None:
    strengths = [
        json_lines(run("embed", source, tmp_path / f"{level}.png", "--text", "x", "--robustness", level, "--json"))[0][
            "strength"
        ]
        for level in ("low", "standard", "high")
    ]
    assert strengths[0] > strengths[1] > strengths[2]
    (line,) = json_lines(run("embed", source, tmp_path / "b.png", "--text", "x", "--json"))
    assert line["strength"] == strengths[1]


def test_robustness_that_is_not_reached_is_said(tmp_path: Path) -> None:
    texture = np.random.default_rng(0).integers(0, 256, (256, 256), dtype=np.uint8)  # JPEG 40 leaves little of it
    source = save(tmp_path / "a.png", texture)
    result = run("embed", source, tmp_path / "b.png", "--text", "x", "--robustness", "high", "--json")
    assert json_lines(result)[0]["reached"] is False
    assert result.stderr.startswith(f"watermark: {source}: high robustness was not reached: ")
    assert result.stderr.count("\n") == 1


def test_words_without_json(tmp_path: Path, source: Path) -> None:
    target = tmp_path / "b.png"
    result = run("embed", source, target, "--text", "x", "--strength", 42)
    assert result.stdout.startswith(f"{target}: payload 78000000, PSNR ")
    assert result.stdout.count("\n") == 1
    assert result.stderr == ""


def test_losses_and_earlier_marks_are_said_on_stderr(tmp_path: Path, marked: Path) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", "marked")
    source = save(tmp_path / "a.png", pixels_of(marked), pnginfo=text)
    result = run("embed", source, tmp_path / "b.jpg", "--text", "x", "--strength", 34, "--json")
    assert len(json_lines(result)) == 1
    loss, mark = result.stderr.splitlines()
    assert loss == f"watermark: {source}: PNG tEXt chunk will not be in {tmp_path / 'b.jpg'}"
    assert mark == f"watermark: {source} carries a mark of this key already; a second one weakens both"


def test_signed_pictures_need_force(tmp_path: Path) -> None:
    source = save_signed(tmp_path / "signed.jpg")
    result = run("embed", source, tmp_path / "b.jpg", "--text", "x", "--strength", 42, "--force", "--json")
    assert len(json_lines(result)) == 1
    assert result.stderr.count("\n") == 1
    assert "C2PA" in result.stderr
    assert b"c2pa" in source.read_bytes()
    assert b"c2pa" not in (tmp_path / "b.jpg").read_bytes()


def test_in_place_needs_force(tmp_path: Path, source: Path) -> None:
    before = source.read_bytes()
    assert "give --force" in refused(2, "embed", source, source, "--text", "x", "--strength", 42)
    assert source.read_bytes() == before
    done = run_process(
        "embed", "source.jpg", "source.jpg", "--text", "x", "--strength", 42, "--force", "--json", folder=tmp_path
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json_lines(done)[0]["file"] == "source.jpg"
    assert [path.name for path in tmp_path.iterdir()] == ["source.jpg"]
    done = run_process("detect", "source.jpg", "--search", "none", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("source.jpg: payload 78000000 'x', ")


def test_weights_of_a_run_mark_and_read(tmp_path: Path, source: Path) -> None:
    torch.manual_seed(3)
    weights = tmp_path / "model.safetensors"
    model = Model(**load_model().architecture)
    with torch.no_grad():
        for own, released in zip(model.parameters(), load_model().parameters(), strict=True):
            own.copy_(released + 0.002 * torch.randn_like(released))
    save_model(model, weights, {})
    marked = tmp_path / "marked.png"
    run("embed", source, marked, "--text", "x", "--weights", weights)
    run("embed", source, tmp_path / "released.png", "--text", "x")
    assert marked.read_bytes() != (tmp_path / "released.png").read_bytes()
    for command, claim in (("detect", []), ("check", ["--text", "x"])):
        run(command, marked, *claim, "--weights", weights)
        gone = refused(3, command, marked, *claim, "--weights", tmp_path / "none.safetensors")
        assert "none.json" in gone
