"""How a result came about: commits of real repositories, options of real calls, and results that are stored."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import jsonschema
import pytest

from benchmarks.runner.provenance import command_line, repeatable, revision
from benchmarks.runner.result import schema

RESULTS = Path(__file__).parents[3] / "benchmarks" / "results"
STORED = [path for path in sorted(RESULTS.glob("*.json")) if "reads" in json.loads(path.read_text())]
NOTHING = {"commit": None, "dirty": None}


def git(folder: Path, *arguments: str) -> str:
    author = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *author, "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_commit_of_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert revision(tmp_path) == NOTHING
    git(tmp_path, "init")
    assert revision(tmp_path) == NOTHING  # no commit yet
    (tmp_path / "a").write_text("a")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-m", "a")
    commit = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "result.json").write_text("not of the source")
    assert revision(tmp_path) == {"commit": commit, "dirty": False}
    (tmp_path / "a").write_text("b")
    assert revision(tmp_path) == {"commit": commit, "dirty": True}
    (tmp_path / "site-packages").mkdir()
    assert revision(tmp_path / "site-packages") == NOTHING  # of an environment within somebody's repository
    monkeypatch.setenv("PATH", "")
    assert revision(tmp_path) == NOTHING


def test_options_that_decide_what_is_measured() -> None:
    options = {
        "tier": "core",
        "data": Path("/home/me/pictures"),
        "out": Path("/home/me/out.json"),
        "only": "",
        "methods": None,
        "jod": None,
        "points": "psnr 42",
        "seed": 0,
        "workers": 2,
        "force": True,
    }
    arguments = repeatable(options, ("dwtDct", "folder:/home/me/it's.toml"))
    assert arguments == {
        "tier": "core",
        "data": "FOLDER",
        "methods": "dwtDct,folder:it's.toml",
        "points": "psnr 42",
        "seed": 0,
    }
    words = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {command_line(arguments)}"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert words == ["watermark", "bench", "run"] + [
        word for name, value in arguments.items() for word in (f"--{name}", str(value))
    ]


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_stored_results_fit_the_schema(path: Path) -> None:
    jsonschema.validate(json.loads(path.read_text()), schema())


def test_there_are_stored_results() -> None:
    assert len(STORED) >= 5
