"""``watermark attack``: pixels, metadata, parameters, refusals and the list."""

from __future__ import annotations

import dataclasses
import io
import json
import shlex
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from cli_samples import ICC, astronaut, camera, exif, json_lines, refused, run, save, save_signed
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin, PngImagePlugin
from torch import Tensor

import attacks.plugins
from attacks import ATTACKS, Knowledge, VaeRegeneration
from attacks.offered import TAKEN
from watermark.cli.attack import command


def pixels_of(path: Path) -> NDArray[Any]:
    with Image.open(path) as image:
        return np.array(image)


@pytest.fixture
def png(tmp_path: Path) -> Path:
    return save(tmp_path / "a.png", astronaut())


def test_values_are_attacked(tmp_path: Path, png: Path) -> None:
    target = tmp_path / "b.png"
    result = run("attack", png, target, "--name", "real_jpeg", "--quality", 30, "--subsampling", "4:4:4")
    assert result.stdout == f"{target}: 384 x 320, --name real_jpeg --quality 30 --subsampling 4:4:4\n"
    assert result.stderr == ""
    file = io.BytesIO()
    Image.fromarray(astronaut()).save(file, "JPEG", quality=30, subsampling=0)
    with Image.open(file) as coded:
        np.testing.assert_array_equal(pixels_of(target), np.array(coded))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]


def test_size_may_change(tmp_path: Path, png: Path) -> None:
    (line,) = json_lines(run("attack", png, tmp_path / "b.png", "--name", "quarter_turn", "--turns", -1, "--json"))
    assert line == {
        "schema": 1,
        "file": str(tmp_path / "b.png"),
        "height": 384,
        "width": 320,
        "name": "quarter_turn",
        "parameters": {"turns": -1},
    }
    np.testing.assert_array_equal(pixels_of(tmp_path / "b.png"), np.rot90(astronaut(), -1))


def test_every_kind_of_option(tmp_path: Path, png: Path) -> None:
    target = tmp_path / "b.png"

    def parameters(*options: object) -> dict[str, Any]:
        (line,) = json_lines(run("attack", png, target, "--force", "--json", "--name", *options))
        return dict(line["parameters"])

    assert parameters("palette_png", "--colours", 8, "--dither", "false") == {"colours": 8, "dither": False}
    assert len(np.unique(pixels_of(target).reshape(-1, 3), axis=0)) <= 8
    assert parameters("perspective", "--top-left", "0.1,-0.05")["top_left"] == [0.1, -0.05]
    assert parameters("poisson_noise", "--photons", "inf", "--seed", 7) == {"photons": "inf", "seed": 7}
    assert parameters("overlay_text", "--text=--force", "--size", 0.2)["text"] == "--force"
    assert parameters("jpeg", "--tables", f"{[1] * 64},{[2] * 64}")["tables"] == [[1] * 64, [2] * 64]
    steps = '{"name": "flip"}, {"name": "crop", "parameters": {"side": 0.5}}'
    names = [step["name"] for step in parameters("chain", "--attacks", steps)["attacks"]]
    assert names == ["flip", "crop"]
    np.testing.assert_array_equal(pixels_of(target), astronaut()[80:240, 96:288][:, ::-1])


def test_jpeg_keeps_metadata_and_tables(tmp_path: Path) -> None:
    source = save(tmp_path / "a.jpg", astronaut(), quality=80, subsampling=1, exif=exif(), icc_profile=ICC)
    run("attack", source, tmp_path / "b.jpg", "--name", "gaussian_blur", "--sigma", 2)
    with Image.open(source) as before, Image.open(tmp_path / "b.jpg") as after:
        assert after.quantization == before.quantization
        assert JpegImagePlugin.get_sampling(after) == 1
        assert (after.info["exif"], after.info["icc_profile"]) == (exif(), ICC)


def test_grey_stays_grey(tmp_path: Path) -> None:
    source = save(tmp_path / "a.tiff", camera())
    run("attack", source, tmp_path / "b.png", "--name", "brightness", "--factor", 0.5)
    after = pixels_of(tmp_path / "b.png")
    assert after.ndim == 2
    np.testing.assert_allclose(after, camera() / 2, atol=0.51)


def test_16_bits_stay_16_bits(tmp_path: Path) -> None:
    deep = astronaut().astype(np.uint16) * 257 // 2 + 31
    cv2.imwrite(str(tmp_path / "a.png"), deep[..., ::-1])
    run("attack", tmp_path / "a.png", tmp_path / "b.png", "--name", "flip", "--axis", "vertical")
    after = cv2.imread(str(tmp_path / "b.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(after, deep[::-1, :, ::-1])
    run("attack", tmp_path / "a.png", tmp_path / "c.png", "--name", "brightness", "--factor", 0.5)
    after = cv2.imread(str(tmp_path / "c.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_allclose(after, deep[..., ::-1] / 2, atol=0.52)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_stays_where_the_size_does(tmp_path: Path, mode: str) -> None:
    colours = camera() if mode == "LA" else astronaut()
    alpha = np.add.outer(np.arange(colours.shape[0]), np.arange(colours.shape[1])).astype(np.uint8)
    source = save(tmp_path / "a.png", np.dstack([colours, alpha]))
    assert run("attack", source, tmp_path / "b.png", "--name", "flip").stderr == ""
    with Image.open(tmp_path / "b.png") as after:
        assert after.mode == mode
    np.testing.assert_array_equal(pixels_of(tmp_path / "b.png"), np.dstack([colours[:, ::-1], alpha]))

    result = run("attack", source, tmp_path / "c.png", "--name", "crop", "--side", 0.5, "--x", 0, "--y", 0)
    assert result.stderr == (
        f"watermark: {source}: alpha, as crop changed the size, will not be in {tmp_path / 'c.png'}\n"
    )
    height, width = colours.shape[0] // 2, colours.shape[1] // 2
    np.testing.assert_array_equal(pixels_of(tmp_path / "c.png"), colours[:height, :width])


def test_losses_are_said(tmp_path: Path) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", "x")
    source = save(tmp_path / "a.png", astronaut(), pnginfo=text)
    result = run("attack", source, tmp_path / "b.jpg", "--name", "flip")
    assert result.stderr == f"watermark: {source}: PNG tEXt chunk will not be in {tmp_path / 'b.jpg'}\n"


@pytest.mark.parametrize("name", ["gaussian_noise", "screen_camera", "chain", "overlay_text"])
def test_what_was_drawn_can_be_replayed(tmp_path: Path, png: Path, name: str) -> None:
    first, again, seeded = (tmp_path / f"{letter}.png" for letter in "bcd")
    line = run("attack", png, first, "--name", name, "--sample", "--seed", 5).stdout
    run("attack", png, again, *shlex.split(line.partition(", ")[2]))
    np.testing.assert_array_equal(pixels_of(again), pixels_of(first))
    (drawn,) = json_lines(run("attack", png, seeded, "--name", name, "--sample", "--seed", 5, "--json"))
    assert drawn["parameters"].keys() == {field.name for field in dataclasses.fields(ATTACKS[name])}  # type: ignore[arg-type]
    np.testing.assert_array_equal(pixels_of(seeded), pixels_of(first))
    (other,) = json_lines(run("attack", png, seeded, "--name", name, "--sample", "--seed", 6, "--json", "--force"))
    assert other["parameters"] != drawn["parameters"]


USAGE = {
    "no name": ((), "give IN, OUT and --name"),
    "unknown name": (("--name", "jpg"), "no attack is named 'jpg'; did you mean 'jpeg'?"),
    "unknown option": (
        ("--name", "jpeg", "--qality", 5),
        "jpeg takes --quality (whole number, 1 to 100), --subsampling (4:4:4|",
    ),
    "no number": (("--name", "jpeg", "--quality", "x"), "whole number, but 'x' came; jpeg takes --quality"),
    "the unit": (("--name", "jpeg", "--quality", 5.5), "in units: quality 1 to 100"),
    "no value": (("--name", "jpeg", "--quality"), "jpeg takes --quality"),
    "not a number": (("--name", "brightness", "--factor", "nan"), "expected number, but 'nan' came"),
    "no choice": (("--name", "flip", "--axis", "diagonal"), "horizontal|vertical"),
    "one argument more": (("--name", "flip", "more.png"), "flip takes --axis"),
    "refused by the attack": (("--name", "perspective", "--top-left", "2,2"), "convex"),
    "out of range": (
        ("--name", "jpeg", "--quality", 500),
        "watermark: quality must be 1 to 100, but is 500; jpeg takes",
    ),
    "an open end": (("--name", "crop", "--side", -1), "side must be above 0 to 1, but is -1"),
    "infinite": (
        ("--name", "rotate", "--degrees", "inf"),
        "degrees must be finite, but is inf; rotate takes --degrees (number)",
    ),
    "of no use to the picture": (
        ("--name", "double_jpeg", "--shift", 400),
        "a.png: DoubleJpeg(first=75, second=75, shift=400) cannot be applied: ",
    ),
    "too large a result": (
        ("--name", "resize", "--factor", 1000),
        "384000 x 320000 pixels would be made, but at most 268435456 may; make it smaller; resize takes --factor",
    ),
    "too large a window": (
        ("--name", "box_blur", "--kernel", 2001),
        "but at most 639 fit this picture; take a smaller one; box_blur takes",
    ),
    "unknown link": (
        ("--name", "chain", "--attacks", '{"name": "jpg"}'),
        "no attack is named 'jpg'; did you mean 'jpeg'?",
    ),
    "no seed to set": (("--name", "jpeg", "--seed", 1), "draws nothing at random"),
    "sample without seed": (("--name", "jpeg", "--sample"), "--sample needs --seed"),
    "sample with parameters": (("--name", "jpeg", "--sample", "--seed", 1, "--quality", 5), "without parameters"),
    "no weights": (("--name", "vae_regeneration"), "none of which come with the toolkit; give --weights"),
    "weights for nothing": (("--name", "flip", "--weights", "."), "flip needs no --weights; flip takes --axis"),
    "a folder without weights": (("--name", "vae_regeneration", "--weights", "."), "holds no config.json"),
    "informed": (("--name", "averaging"), "averaging needs more than a picture, Knowledge.marked, which no file gives"),
    "nested out of range": (
        ("--name", "chain", "--attacks", '{"name": "jpeg", "parameters": {"quality": 900}}'),
        "jpeg: quality must be 1 to 100, but is 900",
    ),
    "no parameters": (("--name", "chain", "--attacks", '[{"name": "jpeg", "parameters": []}]'), "expected"),
    "no text": (("--name", "chain", "--attacks", '[{"name": ["jpeg"]}]'), "expected"),
    "400 digits": (("--name", "gaussian_noise", "--sigma", "1" + 400 * "0"), "expected number"),
    "deep": (("--name", "chain", "--attacks", 100_000 * "["), "expected"),
    "informed link": (("--name", "chain", "--attacks", '{"name": "copy"}'), "needs Knowledge.marked"),
}


@pytest.mark.parametrize("case", USAGE)
def test_refusals(tmp_path: Path, png: Path, case: str) -> None:
    options, words = USAGE[case]
    assert words in refused(2, "attack", png, tmp_path / "b.png", *options)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_the_folder_of_weights_reaches_the_attack(tmp_path: Path, png: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def black_if_known(attack: VaeRegeneration, image: Tensor, knowledge: Knowledge) -> Tensor:
        return image * (knowledge.weights != tmp_path)

    monkeypatch.setattr(VaeRegeneration, "apply", black_if_known)
    options = ("--name", "vae_regeneration", "--weights", tmp_path)
    line = run("attack", png, tmp_path / "b.png", *options, "--sample", "--seed", 5).stdout
    assert line.partition(", ")[2].startswith(shlex.join(map(str, options)))  # can be replayed
    assert not pixels_of(tmp_path / "b.png").any()


def test_refusals_of_files(tmp_path: Path, png: Path) -> None:
    flip = ("--name", "flip")
    before = png.read_bytes()
    assert "give --force" in refused(2, "attack", png, png, *flip)
    assert png.read_bytes() == before
    run("attack", png, png, *flip, "--force")
    np.testing.assert_array_equal(pixels_of(png), astronaut()[:, ::-1])
    assert "is not there" in refused(2, "attack", png, tmp_path / "none" / "b.png", *flip)
    assert "suffix" in refused(2, "attack", png, tmp_path / "b.gif", *flip)
    assert "there is none" in refused(3, "attack", tmp_path / "none.png", tmp_path / "b.png", *flip)
    signed = save_signed(tmp_path / "signed.jpg")
    assert "C2PA" in refused(3, "attack", signed, tmp_path / "b.png", *flip)
    assert "C2PA" in run("attack", signed, tmp_path / "b.png", *flip, "--force").stderr


@pytest.mark.parametrize("options", [("--name", "gaussian_blur"), ("--name", "chain")])
def test_parameters_that_change_nothing_are_said(tmp_path: Path, png: Path, options: tuple[str, ...]) -> None:
    result = run("attack", png, tmp_path / "b.png", *options)
    assert result.stderr == "watermark: these parameters change nothing; see watermark attack --list\n"
    np.testing.assert_array_equal(pixels_of(tmp_path / "b.png"), astronaut())


@pytest.mark.parametrize("name", ["jpeg", "webp"])
def test_a_second_coding_is_said(tmp_path: Path, png: Path, name: str) -> None:
    target = tmp_path / "b.jpg"
    result = run("attack", png, target, "--name", name, "--quality", 50)
    assert result.stderr == (
        f"watermark: {target} is coded as JPEG after {name}; write PNG or TIFF to keep what it made\n"
    )
    assert run("attack", png, tmp_path / "c.png", "--name", name, "--quality", 50).stderr == ""
    assert run("attack", png, tmp_path / "c.jpg", "--name", "flip").stderr == ""


def test_list() -> None:
    lines = run("attack", "--list").stdout.splitlines()
    heads, options = lines[::2], lines[1::2]
    assert [line.split()[0] for line in heads] == list(ATTACKS)
    for line, entry in zip(heads, ATTACKS.values(), strict=True):
        family, rest = line.split(maxsplit=2)[1:]
        assert family == entry.facts.family
        assert rest.startswith(f"{entry.facts.unit}; gradient: {entry.facts.gradient}")
        assert ("; may change the size" in rest) == entry.facts.resizes
        assert ("; from Python only" in rest) == bool(set(entry.facts.needs) - {"weights"})
    at = list(ATTACKS).index("real_jpeg")
    assert options[at].strip() == "--quality 50 (1 to 100) --subsampling 4:2:0 (4:4:4|4:2:2|4:2:0)"
    (copied,) = [line for line, name in zip(heads, ATTACKS, strict=True) if name == "copy"]
    assert copied.endswith("; from Python only, as it needs Knowledge.marked")
    (vae,) = [line for line, name in zip(options, ATTACKS, strict=True) if name == "vae_regeneration"]
    assert vae.strip().startswith("--weights FOLDER --sigma 0.0 (0 or more) --passes 1")


def test_list_as_json() -> None:
    lines = json_lines(run("attack", "--list", "--json"))
    assert [line["name"] for line in lines] == list(ATTACKS)
    for line, entry in zip(lines, ATTACKS.values(), strict=True):
        facts = json.loads(json.dumps(dataclasses.asdict(entry.facts)))
        assert {name: line[name] for name in facts} == facts
        assert line.keys() == {"schema", "parameters", *facts}
    (flip,) = [line for line in lines if line["name"] == "flip"]
    assert flip["parameters"] == {"axis": {"kind": "horizontal|vertical", "default": "horizontal"}}
    (webp,) = [line for line in lines if line["name"] == "webp"]
    assert webp["parameters"] == {"quality": {"kind": "whole number", "range": "0 to 100", "default": 50}}


def test_list_of_one() -> None:
    head, options = run("attack", "--list", "--name", "crop").stdout.splitlines()
    assert head.startswith("crop ")
    assert "--side 1.0 (above 0 to 1)" in options
    assert [line["name"] for line in json_lines(run("attack", "--list", "--name", "crop", "--json"))] == ["crop"]
    assert "did you mean 'crop'?" in refused(2, "attack", "--list", "--name", "corp")


def test_errors_about_pixels_name_the_file(tmp_path: Path) -> None:
    source = save(tmp_path / "a.png", np.dstack([astronaut(), astronaut()[..., 0]]))
    line = refused(3, "attack", source, tmp_path / "b.jpg", "--name", "flip")
    assert line.startswith(f"watermark: {source}: JPEG holds no transparency")


def test_names_that_parameters_cannot_have() -> None:
    assert {parameter.name for parameter in command.params} == TAKEN | {"seed"}


def test_a_broken_plugin_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, png: Path) -> None:
    monkeypatch.setattr(attacks.plugins, "_failures", [attacks.plugins.PluginError("acme is broken")])
    assert refused(2, "attack", "--list") == "watermark: acme is broken\n"
    assert refused(2, "attack", png, tmp_path / "b.png", "--name", "acme") == "watermark: acme is broken\n"
    run("attack", png, tmp_path / "b.png", "--name", "flip")


def test_help_of_an_attack() -> None:
    plain, named = run("attack", "--help").stdout, run("attack", "--name", "crop", "--help").stdout
    assert "--side" not in plain
    assert "--side number" in named
    assert "above 0 to 1; default: 1.0" in named
