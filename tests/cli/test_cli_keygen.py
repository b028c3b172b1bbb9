"""``watermark keygen``."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from cli_samples import json_lines, refused, run, run_process

from watermark.payload.keys import Key


def test_key_is_private_and_fresh(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        result = run("keygen", tmp_path / "a.key")
    finally:
        os.umask(mask)
    (line,) = json_lines(run("keygen", tmp_path / "b.key", "--json"))
    assert line == {
        "schema": 1,
        "file": str(tmp_path / "b.key"),
        "fingerprint": Key.load(tmp_path / "b.key").fingerprint,
    }
    key = Key.load(tmp_path / "a.key")
    assert stat.S_IMODE((tmp_path / "a.key").stat().st_mode) == 0o600
    assert key.secret != Key.load(tmp_path / "b.key").secret
    assert result.stdout == ""  # no secret, no data
    assert key.fingerprint in result.stderr
    assert key.secret.hex() not in result.stderr


def test_key_is_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "a.key"
    file.write_text("something precious")
    done = run_process("keygen", "a.key", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "watermark: a.key exists; a key is never overwritten, choose another name\n"
    assert file.read_text() == "something precious"


def test_folder_must_be_there(tmp_path: Path) -> None:
    assert "cannot write the key file" in refused(2, "keygen", tmp_path / "nowhere" / "a.key")


@pytest.mark.parametrize("content", [None, "", "12" * 31, "zz" * 32])
def test_bad_key_files_are_refused(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "bad.key"
    if content is not None:
        file.write_text(content)
    assert str(file) in refused(2, "info", "--key", file)
    assert str(file) in refused(2, "detect", tmp_path / "any.png", "--key", file)


def test_info_shows_the_key(tmp_path: Path) -> None:
    file = tmp_path / "a.key"
    run("keygen", file)
    (line,) = json_lines(run("info", "--json", "--key", file))
    assert line["key"] == Key.load(file).fingerprint
    assert line["open_key"] is False
    assert "open key" not in run("info", "--key", file).stdout
