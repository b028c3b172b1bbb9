"""``watermark bench run`` and ``bench methods`` as users call them, on a program that is quick and wrong."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from runner_samples import TIER, InThisProcess, write_folder

from benchmarks.methods import method_names
from benchmarks.runner import run as run_module
from benchmarks.runner import tiers
from benchmarks.runner.provenance import command_line, revision
from benchmarks.runner.result import read_result, schema, shortfalls
from watermark.cli import bench
from watermark.cli.main import main

DESCRIPTION = 'name = "mine"\nprogram = "mine"\nmessage_bits = 8\n'
FOLDERS = 'originals = "originals"\nmarked = "marked"\n'
MARKS_NOTHING = """#!/bin/sh
[ "$1" = embed ] && cp "$2" "$3" || echo '{"present": false, "score": 0, "bits": null, "p": null}'
"""


@pytest.fixture
def called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Calls ``bench run`` on two pictures and 5 attacks; ``mine.toml`` and ``folder.toml`` describe methods."""
    monkeypatch.setattr(run_module, "Workers", InThisProcess)
    monkeypatch.setitem(tiers.TIERS, "core", TIER)
    (tmp_path / "data").mkdir()
    write_folder(tmp_path / "data", 2)
    (tmp_path / "mine").write_text(MARKS_NOTHING)
    (tmp_path / "mine").chmod(0o755)
    (tmp_path / "mine.toml").write_text(DESCRIPTION)
    (tmp_path / "folder.toml").write_text(DESCRIPTION + FOLDERS)
    always = ("--data", tmp_path / "data", "--cache", tmp_path / "cache", "--out", tmp_path / "out.json", "--force")

    def call(*options: object, code: int = 0) -> Result:
        arguments = ["bench", "run", "--tier", "core", *map(str, (*always, *options))]
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == code, (done.output, done.exception)
        return done

    return call


def test_a_folder_without_a_manifest_holds_photographs(called, tmp_path: Path) -> None:
    (tmp_path / "data" / "manifest.csv").unlink()
    (tmp_path / "data" / "notes.txt").write_text("no picture")
    (tmp_path / "data" / "broken.JPG").write_bytes(b"no picture")
    Image.new("L", (2000, 1200)).save(tmp_path / "data" / "large.png")
    called("--methods", f"command:{tmp_path / 'mine.toml'}")
    images = read_result(tmp_path / "out.json")["data"]["images"]
    found = [(image["name"], image["kind"], image["width"], image["height"]) for image in images]
    assert found[0] == ("broken.JPG", "photo", None, None)
    assert found[-2:] == [("photo0.png", "photo", 64, 60), ("photo1.png", "photo", 65, 60)]
    assert "notes.txt" not in {image["name"] for image in images}
    refused = called("--methods", f"command:{tmp_path / 'mine.toml'}", "--kinds", "chart", code=2)
    assert "has no chart" in refused.stderr
    for path in (tmp_path / "data").iterdir():
        path.unlink()
    assert "has no picture" in called("--methods", "dwtDct", code=2).stderr


def test_the_cache_says_what_it_gave_and_can_be_passed_over(called, tmp_path: Path) -> None:
    mine = ("--methods", f"command:{tmp_path / 'mine.toml'}")
    assert "0 of 2 jobs from the cache" in called(*mine).stderr
    assert "2 of 2 jobs from the cache" in called(*mine).stderr
    for kept in (tmp_path / "cache").iterdir():  # as if something that the program calls had been another
        kept.write_text(kept.read_text().replace('"score": 0.0', '"score": 5.0'))

    def scores() -> set[float]:
        return {row["score"] for row in read_result(tmp_path / "out.json")["reads"]}

    called(*mine)
    assert scores() == {5.0}
    assert "0 of 2 jobs from the cache" in called(*mine, "--refresh").stderr
    assert scores() == {0.0}
    assert "2 of 2 jobs from the cache" in called(*mine).stderr
    assert scores() == {0.0}


def test_a_run_that_measured_nothing_says_why(called, tmp_path: Path) -> None:
    done = called("--methods", f"folder:{tmp_path / 'folder.toml'}", code=3)
    rows = 2 * (1 + len(TIER.settings))
    why = f"mine: {rows} of {rows} rows not done, {rows} of them: MethodMissing: mine: mark what "
    assert [line[: len(why)] for line in done.stderr.splitlines()[-2:-1]] == [why]
    assert done.stderr.endswith("watermark: nothing was measured, for the reasons above\n")
    assert len(list((tmp_path / "originals").glob("*.png"))) == 2
    assert read_result(tmp_path / "out.json")["reads"]  # the result is there for all that
    (tmp_path / "mine").chmod(0o644)
    done = called("--methods", f"command:{tmp_path / 'mine.toml'}", code=3)
    assert "is missing: MethodMissing: " in done.stderr
    assert "'mine' is no program" in done.stderr


def test_what_failed_beside_what_did_not(called, tmp_path: Path) -> None:
    (tmp_path / "data" / "photo1.png").write_bytes(b"no picture")
    done = called("--methods", f"command:{tmp_path / 'mine.toml'}")
    rows = 1 + len(TIER.settings)
    assert f"mine: {rows} of {2 * rows} rows not done, {rows} of them: UnreadableImage: " in done.stderr


@pytest.mark.parametrize("text", [None, "name =", DESCRIPTION + "colour = 1\n"])
def test_a_wrong_description_is_a_wrong_call(called, tmp_path: Path, text: str | None) -> None:
    (tmp_path / "mine.toml").unlink() if text is None else (tmp_path / "mine.toml").write_text(text)
    done = called("--methods", f"command:{tmp_path / 'mine.toml'}", code=2)
    assert "mine.toml" in done.stderr
    assert not (tmp_path / "out.json").exists()


def test_marks_and_originals_that_change_are_measured_again(called, tmp_path: Path) -> None:
    theirs = ("--methods", f"folder:{tmp_path / 'folder.toml'}")
    called(*theirs, code=3)
    (tmp_path / "marked").mkdir()
    for original in (tmp_path / "originals").glob("*.png"):
        (tmp_path / "marked" / original.name).write_bytes(original.read_bytes())
    called(*theirs)
    assert {row["psnr"] for row in read_result(tmp_path / "out.json")["embeds"]} == {None}  # nothing changed
    assert "2 of 2 jobs from the cache" in called(*theirs).stderr
    for marked in (tmp_path / "marked").iterdir():
        with Image.open(marked) as opened:
            inverted = opened.point(lambda level: 255 - level)
        inverted.save(marked)
    assert "0 of 2 jobs from the cache" in called(*theirs).stderr
    assert all(row["psnr"] < 20 for row in read_result(tmp_path / "out.json")["embeds"])
    next((tmp_path / "originals").iterdir()).unlink()
    assert "0 of 2 jobs from the cache" in called(*theirs).stderr


def test_a_result_says_when_and_how_it_was_made(called, tmp_path: Path) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    called("--methods", f"command:{tmp_path / 'mine.toml'}", "--only", "photo0")
    result = read_result(tmp_path / "out.json")
    jsonschema.validate(result, schema())
    written = datetime.fromisoformat(result["date"])
    assert written.utcoffset() is not None
    assert before <= written <= datetime.now(UTC)
    assert result["commit"] == revision()["commit"]
    assert str(tmp_path) not in json.dumps(result["arguments"])
    line = command_line(result["arguments"])
    again = bench.run_command.make_context("run", [*shlex.split(line)[3:], "--out", "x"]).params
    assert (again["tier"], again["only"], again["methods"]) == ("core", "photo0", "command:mine.toml")
    assert again["data"] == Path("FOLDER")


def test_methods_are_listed() -> None:
    lines = CliRunner().invoke(main, ["bench", "methods"]).stdout.splitlines()
    objects = [
        json.loads(line) for line in CliRunner().invoke(main, ["bench", "methods", "--json"]).stdout.splitlines()
    ]
    assert tuple(line.split()[0] for line in lines) == tuple(row["name"] for row in objects) == method_names()
    for line, row in zip(lines, objects, strict=True):
        assert row.pop("schema") == 1
        jsonschema.validate([row], schema()["properties"]["methods"])
        if row["status"] == "missing":
            assert row["reason"].removeprefix("MethodMissing: ") in line
            assert line.count("issing") == 1  # said once
        else:
            assert row["version"] in line
            assert f"{row['message_bits']} bits, {'blind' if row['blind'] else 'claimed'}" in line
            assert row["licence"] in line
    assert "Apache-2.0" in lines[0]


def test_the_most_frequent_reasons_are_named() -> None:
    reasons = ["a", "b", "b", "c", "c", "c", "d"]
    rows = [{"method": "mine", "status": "failed", "reason": reason} for reason in reasons]
    result = {"methods": [{"name": "mine", "status": "ok"}], "embeds": [], "reads": rows}
    most = "3 of them: c; 2 of them: b; 1 of them: a; and 1 more reasons"
    assert shortfalls(result) == [f"mine: 7 of 7 rows not done, {most}"]
