"""``watermark demo`` and ``watermark info``."""

from __future__ import annotations

import hashlib
import os
import pty
from pathlib import Path

import numpy as np
import pytest
from cli_samples import ROOT, json_lines, kinds, refused, run, run_process
from PIL import Image

import watermark.demo
from attacks import Chain, GaussianNoise
from watermark import __version__
from watermark.demo import DEMONSTRATION, PHOTOGRAPH, contact_sheet
from watermark.embed import Marked
from watermark.nets.model import RELEASE
from watermark.payload.keys import Key

DEMO_KINDS = {"schema": int, "copy": str, "recovered": bool, "bit_errors": int, "ms": float}


def test_demo_in_a_terminal(tmp_path: Path) -> None:
    """Data on stdout; progress on stderr, where that is a terminal."""
    terminal, stderr = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    done = run_process("demo", "--out", "made/here", folder=tmp_path, stderr=stderr, env=environment)
    os.close(stderr)
    shown = b""
    try:
        while part := os.read(terminal, 65536):
            shown += part
    except OSError:  # how Linux says that all was read
        pass
    os.close(terminal)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["copy", "read", "wrong", "bits", "ms"]
    names = ["marked", *(name for name, _ in DEMONSTRATION)]
    assert len(names) == 11
    assert [line[:34].rstrip() for line in lines[1:]] == names
    assert all(line[34:].startswith(" demo 1 ") for line in lines[1:])
    assert "\x1b" not in done.stdout
    assert b"reading: rotated by 30 degrees" in shown
    assert b"pictures in made/here" in shown

    folder = tmp_path / "made" / "here"
    assert sorted(path.name for path in folder.iterdir()) == ["contact-sheet.png", "marked.jpg"]
    run("detect", folder / "marked.jpg", "--search", "none")
    with Image.open(folder / "contact-sheet.png") as sheet, Image.open(PHOTOGRAPH) as photograph:
        assert sheet.size == (5 * 292 + 12, 3 * 227 + 12)  # 13 cells
        photograph.thumbnail((280, 191))
        cells = np.array(sheet).astype(float)
        left, top = 12 + (280 - photograph.width) // 2, 12 + (191 - photograph.height) // 2
        area = np.s_[top : top + photograph.height, left : left + photograph.width]
        assert np.abs(cells[area] - np.array(photograph)).max() <= 1
        assert np.abs(cells[area[0], 584 + left : 584 + left + photograph.width] - cells[area]).mean() < 2  # marked
        assert cells[470:680, 3 * 292 + 12 :].min() == 255  # no fourteenth cell


def test_residual_is_amplified_20_times_about_grey() -> None:
    host = np.full((200, 300, 3), 100, np.uint8)
    pixels = host + np.array([0, 2, 253], np.uint8)  # the last is - 3
    marked = Marked(pixels=pixels, psnr=40.0, ssim=0.99, strength=40.0, reached=True, read_back=True)
    sheet = contact_sheet(host, marked, [])
    assert sheet.getpixel((12 + 140, 12 + 95)) == (100, 100, 100)
    assert sheet.getpixel((292 + 12 + 140, 12 + 95)) == (128, 168, 68)


@pytest.mark.parametrize(("attack", "code"), [(Chain(()), 0), (GaussianNoise(5.0), 1)])
def test_demo_json_and_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attack: Chain | GaussianNoise, code: int
) -> None:
    monkeypatch.setattr(watermark.demo, "DEMONSTRATION", (("tried", attack),))
    result = run("demo", "--out", tmp_path, "--json", code=code)
    marked, tried = json_lines(result)
    assert kinds(marked) == DEMO_KINDS
    assert (marked["schema"], marked["copy"], marked["recovered"]) == (1, "marked", True)
    assert (tried["copy"], tried["recovered"], tried["bit_errors"] is None) == ("tried", code == 0, code == 1)
    assert result.stderr.endswith(f"pictures in {tmp_path}\n")
    assert result.stderr.count("\n") == 1  # no progress where no terminal is
    with Image.open(tmp_path / "contact-sheet.png") as sheet:
        assert sheet.size == (5 * 292 + 12, 227 + 12)  # 4 cells


def test_info() -> None:
    sha256 = hashlib.sha256(RELEASE.read_bytes()).hexdigest()
    (line,) = json_lines(run("info", "--json"))
    assert kinds(line) == {"schema": int, "version": str, "key": str, "open_key": bool, "weights": dict}
    assert (line["schema"], line["version"], line["open_key"]) == (1, __version__, True)
    assert line["key"] == Key.open().fingerprint
    assert line["weights"]["sha256"] == sha256
    version, key, weights, *_ = run("info").stdout.splitlines()
    assert version == f"watermark {__version__}"
    assert key.startswith(f"key {Key.open().fingerprint} (the open key")
    assert sha256 in weights


def test_info_counts_the_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    from watermark.nets import model

    card = {"sha256": "0" * 64}
    monkeypatch.setattr(model, "load_model", lambda: None)
    monkeypatch.setattr(model, "load_card", lambda: card)
    assert len(run("info").stdout.splitlines()) == 3
    card = {"failures": ["the moon", "the sun"], **card}
    *_, line = run("info").stdout.splitlines()
    assert line == "2 known failures of the weights: --json lists them first; see docs/kinds.md"


def test_info_with_bad_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    from watermark.errors import WeightsError
    from watermark.nets import model

    def fail() -> None:
        raise WeightsError("the weights are damaged")

    monkeypatch.setattr(model, "load_model", fail)
    assert refused(3, "info") == "watermark: the weights are damaged\n"
