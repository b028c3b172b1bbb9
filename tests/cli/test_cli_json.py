"""What the commands print as JSON is what the page says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from cli_samples import PAYLOAD, run

PAGE = (Path(__file__).parents[2] / "docs" / "json.md").read_text()
COMMON = re.findall(r"`(\w+)`", re.search(r"## `watermark check`\n\n(.*?) as above", PAGE, re.DOTALL)[1])
EMBEDDED = re.findall(r"`(\w+)`", re.search(r"## `watermark embed`\n\n(.*?) as above", PAGE, re.DOTALL)[1])


def fields(section):
    """Names in the first column of a section's table."""
    text = PAGE.split(f"## `{section}`")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def printed(*arguments, code=0):
    return json.loads(run(*arguments, "--json", code=code).stdout.splitlines()[-1])


@pytest.mark.parametrize("section", ["watermark detect", "geometry"])
def test_detect(marked, tmp_path, section):
    found = printed("detect", marked)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    if section == "geometry":
        assert set(found["geometry"]) == fields(section)
    else:
        assert set(found) | {"error"} == fields(section)
        assert set(printed("detect", broken, code=3)) == {"schema", "file", "present", "error"}


def test_check(marked):
    found = printed("check", marked, "--payload", PAYLOAD)
    assert set(found) | {"error"} == fields("watermark check") | set(COMMON)


def test_embed(source, tmp_path):
    out = tmp_path / "out.png"
    assert set(printed("embed", source, out, "--payload", PAYLOAD)) == fields("watermark embed") | set(EMBEDDED)


def test_attack(source, tmp_path):
    found = printed("attack", source, tmp_path / "out.png", "--name", "flip")
    assert set(found) == fields("watermark attack") | {"schema", "file"}
    listed = printed("attack", "--list", "--name", "flip")
    assert set(listed) == fields("watermark attack --list") | {"schema"}


def test_info():
    sentence = re.search(r"`info`: (.*?)\. ", PAGE)[1]
    assert set(printed("info")) == set(re.findall(r"`(\w+)`", sentence))
