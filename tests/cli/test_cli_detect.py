"""``watermark detect`` and ``watermark check``: what they print and how they end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from cli_samples import PAYLOAD, ROOT, astronaut, camera, json_lines, kinds, refused, run, run_process, save
from PIL import Image

DETECT_KINDS = {
    "schema": int,
    "file": str,
    "present": bool,
    "payload": str,
    "format": int,
    "text": type(None),
    "false_positive_bound": float,
    "bit_errors": int,
    "score": float,
    "geometry": dict,
    "search": str,
    "ms": float,
}
GEOMETRY_KINDS = {
    "rotation_degrees": float,
    "flipped": bool,
    "scale": float,
    "aspect": float,
    "shift": list,
    "matrix": list,
}
CHECK_KINDS = {
    "schema": int,
    "file": str,
    "matches": bool,
    "payload": str,
    "p_value": float,
    "bit_errors": int,
    "geometry": dict,
    "search": str,
    "ms": float,
}


def test_detect_json(tmp_path: Path, marked: Path) -> None:
    with Image.open(marked) as image:
        turned = save(tmp_path / "turned.png", np.rot90(np.array(image), 1).copy())
    (line,) = json_lines(run("detect", turned, "--search", "fast", "--json"))
    assert kinds(line) == DETECT_KINDS
    assert kinds(line["geometry"]) == GEOMETRY_KINDS
    assert line["schema"] == 1
    assert line["file"] == str(turned)
    assert (line["present"], line["payload"], line["format"]) == (True, PAYLOAD, 64)
    assert line["false_positive_bound"] < 1e-6
    assert line["bit_errors"] < 20
    assert line["score"] > 2
    assert line["search"] == "fast"
    assert abs(line["geometry"]["rotation_degrees"]) == pytest.approx(90, abs=0.5)
    assert line["geometry"]["flipped"] is False
    assert line["geometry"]["scale"] == pytest.approx(1, abs=0.01)
    assert np.shape(line["geometry"]["shift"]) == (2,)
    assert np.shape(line["geometry"]["matrix"]) == (3, 3)


def test_detect_json_where_nothing_is(tmp_path: Path) -> None:
    (line,) = json_lines(run("detect", save(tmp_path / "a.png", camera()), "--search", "fast", "--json", code=1))
    assert list(line) == list(DETECT_KINDS)
    nothing = ("payload", "format", "text", "geometry", "bit_errors")
    assert line["present"] is False
    assert [line[name] for name in nothing] == [None] * len(nothing)
    assert 0 <= line["false_positive_bound"] < 1e-6
    assert 0 < line["score"] < 2


def test_full_search_is_the_default(marked: Path) -> None:
    (line,) = json_lines(run("detect", marked, "--json"))
    assert line["search"] == "full"
    (line,) = json_lines(run("check", marked, "--payload", PAYLOAD, "--json"))
    assert line["search"] == "full"


@pytest.fixture
def several(tmp_path: Path, marked: Path) -> dict[str, Path]:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 and no more")
    return {
        "marked": marked,
        "unmarked": save(tmp_path / "unmarked.png", camera()),
        "broken": broken,
        "small": save(tmp_path / "small.png", camera()[:100]),
        "missing": tmp_path / "missing.png",
    }


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["marked", "marked"], 0),
        (["marked", "unmarked", "marked"], 1),
        (["unmarked", "broken", "marked"], 3),
        (["missing", "unmarked", "small"], 3),
        (["broken", "unmarked"], 3),
    ],
)
def test_detect_of_several(several: dict[str, Path], names: list[str], code: int) -> None:
    files = [several[name] for name in names]
    result = run("detect", *files, "--search", "none", "--json", code=code)
    lines = json_lines(result)
    assert [line["file"] for line in lines] == [str(file) for file in files]
    answers = {"marked": True, "unmarked": False}
    assert [line["present"] for line in lines] == [answers.get(name) for name in names]
    failed = [line for line in lines if line["present"] is None]
    assert all(kinds(line) == {"schema": int, "file": str, "present": type(None), "error": str} for line in failed)
    assert result.stderr.splitlines() == [f"watermark: {line['file']}: {line['error']}" for line in failed]
    assert all(line["file"] not in line["error"] for line in failed)  # named once


def test_detect_in_words(several: dict[str, Path]) -> None:
    files = [several[name] for name in ("unmarked", "broken", "marked")]
    done = run_process("detect", *files, "--search", "none", folder=several["broken"].parent)
    assert done.returncode == 3
    none, found = done.stdout.splitlines()
    assert none == f"{files[0]}: no mark of the open key (give --key for one of your own) found (none search)"
    assert found.startswith(f"{files[2]}: payload {PAYLOAD}, ")
    assert " of 256 bits wrong, by chance at most " in found
    assert done.stderr.startswith(f"watermark: {files[1]}: expected ")
    assert done.stderr.count("\n") == 1


def test_names_that_are_no_text(tmp_path: Path, marked: Path) -> None:
    name = os.fsdecode(b"\xff.png")
    (tmp_path / name).write_bytes(marked.read_bytes())
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8:strict"}
    done = run_process("detect", name, "--search", "none", folder=tmp_path, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"payload {PAYLOAD}" in done.stdout


def test_check_json_of_a_true_claim(marked: Path) -> None:
    (line,) = json_lines(run("check", marked, "--payload", PAYLOAD.upper(), "--search", "none", "--json"))
    assert kinds(line) == CHECK_KINDS
    assert kinds(line["geometry"]) == GEOMETRY_KINDS
    assert (line["schema"], line["file"], line["payload"]) == (1, str(marked), PAYLOAD)
    assert line["matches"] is True
    assert line["p_value"] < 1e-9
    assert line["bit_errors"] < 20


@pytest.mark.parametrize("claim", [("--payload", "0123456789abcdee"), ("--text", "x")])
def test_check_of_a_false_claim(marked: Path, claim: tuple[str, str]) -> None:
    (line,) = json_lines(run("check", marked, *claim, "--search", "none", "--json", code=1))
    assert line["matches"] is False
    assert line["p_value"] > 1e-6
    assert line["geometry"] is None
    assert 80 < line["bit_errors"] < 176


def test_check_reads_what_detect_cannot(tmp_path: Path) -> None:
    host, path = astronaut(), tmp_path / "faint.png"
    run("embed", save(tmp_path / "a.png", host), path, "--payload", 2 * PAYLOAD, "--strength", 40)
    with Image.open(path) as image:
        mark = np.array(image).astype(float) - host
    noise = np.random.default_rng(0).normal(0, 14, host.shape)
    save(path, np.clip(np.rint(host + 0.2 * mark + noise), 0, 255).astype(np.uint8))
    run("detect", path, "--search", "none", code=1)
    run("check", path, "--payload", 2 * PAYLOAD, "--search", "none")


def test_check_of_several(several: dict[str, Path]) -> None:
    files = [several[name] for name in ("small", "marked", "unmarked", "missing")]
    result = run("check", *files, "--payload", PAYLOAD, "--search", "none", "--json", code=3)
    lines = json_lines(result)
    assert [line["file"] for line in lines] == [str(file) for file in files]
    assert [line["matches"] for line in lines] == [None, True, False, None]
    failed = [line for line in lines if line["matches"] is None]
    assert all(kinds(line) == {"schema": int, "file": str, "matches": type(None), "error": str} for line in failed)
    assert result.stderr.splitlines() == [f"watermark: {line['file']}: {line['error']}" for line in failed]
    run("check", *files[1:3], "--payload", PAYLOAD, "--search", "none", code=1)
    run("check", files[1], files[1], "--payload", PAYLOAD, "--search", "none")


def test_a_picture_too_large_for_the_memory_is_named(marked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> NoReturn:
        raise MemoryError

    monkeypatch.setattr("watermark.detect.Detector.detect", fail)
    assert refused(3, "detect", marked) == f"watermark: {marked}: not enough memory for this picture\n"


def test_check_in_words(tmp_path: Path, marked: Path) -> None:
    result = run("check", marked, "--payload", PAYLOAD, "--search", "none")
    assert result.stdout.startswith(f"{marked}: matches payload {PAYLOAD}, p-value at most ")
    result = run("check", marked, "--text", "x", "--search", "none", code=1)
    assert result.stdout.startswith(f"{marked}: does not match payload 78000000, p-value at most ")


def test_check_refusals(tmp_path: Path, marked: Path, several: dict[str, Path]) -> None:
    assert "exactly one of" in refused(2, "check", marked)
    assert "1 to 16 bytes" in refused(2, "check", marked, "--text", "")
    assert "there is none" in refused(3, "check", several["missing"], "--text", "x")
    assert "128 px" in refused(3, "check", several["small"], "--text", "x")


def test_a_closed_pipe_is_not_taken_for_not_found(tmp_path: Path) -> None:
    save(tmp_path / "a.png", camera())
    script = (
        f'"{sys.executable}" -m watermark.cli.main detect a.png a.png --search none | true; exit ${{PIPESTATUS[0]}}'
    )
    environment = dict(os.environ, PYTHONPATH=str(ROOT))
    result = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert (result.returncode, result.stderr) == (3, b"")
