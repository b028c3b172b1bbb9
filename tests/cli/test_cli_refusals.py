"""What ``watermark embed`` refuses: one line on stderr, an exit code, and no file touched."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from cli_samples import astronaut, json_lines, refused, run, run_process, save, save_signed
from PIL import Image

from watermark.payload.keys import Key

TEXT = ("--text", "x")


def _picture(folder: Path) -> Path:
    return save(folder / "a.jpg", astronaut(), quality=90)


def _truncated(folder: Path) -> Path:
    path = _picture(folder)
    path.write_bytes(path.read_bytes()[:5000])
    return path


def _no_picture(folder: Path) -> Path:
    (folder / "a.jpg").write_text("not a picture")
    return folder / "a.jpg"


def _small(folder: Path) -> Path:
    return save(folder / "a.png", astronaut()[:127])


def _animated(folder: Path) -> Path:
    frames = [Image.fromarray(astronaut()[:, ::step].copy()).resize((200, 200)) for step in (1, -1)]
    frames[0].save(folder / "a.webp", save_all=True, append_images=frames[1:])
    return folder / "a.webp"


def _transparent(folder: Path) -> Path:
    return save(folder / "a.png", np.dstack([astronaut(), astronaut()[..., 0]]))


CASES: dict[str, tuple[Callable[[Path], Path], str, tuple[object, ...], int, str]] = {
    "no payload": (_picture, "b.png", (), 2, "exactly one of"),
    "two payloads": (_picture, "b.png", (*TEXT, "--payload", "01234567"), 2, "exactly one of"),
    "text too long": (_picture, "b.png", ("--text", "seventeen letters"), 2, "1 to 16 bytes"),
    "odd digits": (_picture, "b.png", ("--payload", "0123456789"), 2, "payload"),
    "no UUID": (_picture, "b.png", ("--uuid", "1234"), 2, "is not a UUID"),
    "strength that is no number": (_picture, "b.png", (*TEXT, "--strength", "nan"), 2, "30 to 60"),
    "two strengths": (_picture, "b.png", (*TEXT, "--strength", 42, "--robustness", "high"), 2, "one of them"),
    "quality of PNG": (_picture, "b.png", (*TEXT, "--quality", 80), 2, "for JPEG and WebP"),
    "no key": (_picture, "b.png", (*TEXT, "--key", "missing.key"), 2, "missing.key"),
    "no such file": (lambda folder: folder / "missing.jpg", "b.png", TEXT, 3, "there is none"),
    "a folder": (lambda folder: folder, "b.png", TEXT, 3, "folder"),
    "truncated": (_truncated, "b.png", TEXT, 3, "truncated"),
    "no picture": (_no_picture, "b.png", TEXT, 3, "expected an image"),
    "too small": (_small, "b.png", TEXT, 3, "at least 128 px"),
    "animated": (_animated, "b.webp", TEXT, 3, "animation"),
    "unknown suffix": (_picture, "b.bmp", TEXT, 2, ".bmp"),
    "no suffix": (_picture, "b", TEXT, 2, "missing"),
    "alpha to JPEG": (_transparent, "b.jpg", TEXT, 3, "transparency"),
    "not readable afterwards": (_picture, "b.jpg", (*TEXT, "--strength", 60, "--quality", 5), 3, "read back"),
}


def test_what_a_format_cannot_hold_is_refused_before_it_is_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watermark.embed.Embedder.embed", None)  # or a trace
    assert "no transparency" in refused(3, "embed", _transparent(tmp_path), tmp_path / "b.jpg", *TEXT)


@pytest.mark.parametrize("case", ["too small", "alpha to JPEG"])
def test_errors_about_pixels_name_the_file(tmp_path: Path, case: str) -> None:
    make, name, options, code, _ = CASES[case]
    source = make(tmp_path)
    assert refused(code, "embed", source, tmp_path / name, *options).startswith(f"watermark: {source}: ")


@pytest.mark.parametrize("case", ["no payload", "no key", "too small", "truncated", "not readable afterwards"])
def test_refusals_as_json(tmp_path: Path, case: str) -> None:
    """The same line and exit code, and the reason as an object."""
    make, name, options, code, _ = CASES[case]
    source, target = make(tmp_path), tmp_path / name
    words = refused(code, "embed", source, target, *options)
    result = run("embed", source, target, *options, "--json", code=code)
    assert result.stderr == words
    assert json_lines(result) == [{"schema": 1, "error": words.removeprefix("watermark: ").rstrip()}]


def test_a_call_that_click_refuses_as_json() -> None:
    result = run("embed", "only-one.png", "--json", code=2)
    assert json_lines(result) == [{"schema": 1, "error": "Missing argument 'OUT'."}]
    assert "Usage: watermark embed" in result.stderr


@pytest.mark.parametrize(
    ("error", "says"), [(MemoryError(), "not enough memory"), (OSError(5, "Input/output error"), "Input/output error")]
)
def test_failures_of_the_machine_as_json(monkeypatch: pytest.MonkeyPatch, error: Exception, says: str) -> None:
    def fail(*_: object) -> NoReturn:
        raise error

    monkeypatch.setattr(Key, "open", fail)
    result = run("info", "--json", code=3)
    (line,) = json_lines(result)
    assert says in line["error"]
    assert result.stderr == f"watermark: {line['error']}\n"


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_refused(tmp_path: Path, case: str, there: bool) -> None:
    make, name, options, code, says = CASES[case]
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    source, target = make(tmp_path / "in"), tmp_path / "out" / name
    if there:
        target.write_bytes(b"what was there before")
        options = (*options, "--force")
    assert says in refused(code, "embed", source, target, *options)
    assert list(target.parent.iterdir()) == [target] * there  # no temporary file either
    assert not there or target.read_bytes() == b"what was there before"


def test_existing_file_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "b.png"
    target.write_bytes(b"what was there before")
    line = refused(2, "embed", _picture(tmp_path), target, *TEXT)
    assert line == f"watermark: {target} exists; give --force to overwrite it\n"
    assert target.read_bytes() == b"what was there before"


def test_signed_picture(tmp_path: Path) -> None:
    source = save_signed(tmp_path / "a.jpg")
    assert "C2PA" in refused(3, "embed", source, tmp_path / "b.jpg", *TEXT)
    assert not (tmp_path / "b.jpg").exists()


def test_missing_folder(tmp_path: Path) -> None:
    target = tmp_path / "nowhere" / "b.png"
    assert f"the folder {target.parent} is not there" in refused(2, "embed", _picture(tmp_path), target, *TEXT)
    assert not target.parent.exists()


@pytest.mark.parametrize("options", [("--strength", 29), ("--quality", 0), ("--robustness", "max")])
def test_options_out_of_range(tmp_path: Path, options: tuple[object, ...]) -> None:
    done = run_process("embed", "a.jpg", "b.png", *TEXT, *options, folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"Invalid value for '{options[0]}'" in done.stderr


def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> NoReturn:
        raise OSError(28, "No space left on device")

    (tmp_path / "out").mkdir()
    target = tmp_path / "out" / "b.png"
    target.write_bytes(b"what was there before")
    monkeypatch.setattr(os, "fsync", fail)
    line = refused(3, "embed", _picture(tmp_path), target, *TEXT, "--strength", 42, "--force")
    assert line == f"watermark: [Errno 28] No space left on device: '{target}'\n"
    assert list(target.parent.iterdir()) == [target]
    assert target.read_bytes() == b"what was there before"


def test_no_traceback_in_a_process(tmp_path: Path) -> None:
    _truncated(tmp_path)
    done = run_process("embed", "a.jpg", "b.png", *TEXT, folder=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("watermark: a.jpg: expected a whole JPEG file, but it is truncated or damaged")
    assert done.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]
