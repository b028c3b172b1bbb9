"""A run that is stopped leaves a result, says what is missing in it, and can go on."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import fake_methods
import jsonschema
import pytest
from runner_samples import NULLS, READINGS, InThisProcess, write_folder

from benchmarks.runner import points, visibility
from benchmarks.runner import run as run_module
from benchmarks.runner.cache import Cache
from benchmarks.runner.pictures import find_pictures
from benchmarks.runner.plan import Plan
from benchmarks.runner.result import read_result, schema
from benchmarks.runner.run import run

ROOT = Path(__file__).parents[3]


class Interrupting(InThisProcess):
    """Ctrl-C after the first outcome."""

    def outcomes(self, tasks):
        yield next(super().outcomes(tasks))
        raise KeyboardInterrupt


@pytest.mark.parametrize("stopped", [run_module, points, visibility])
def test_run_that_is_stopped_keeps_what_is_done(tmp_path: Path, monkeypatch, jod_script: Path, stopped) -> None:
    """In each of its parts; the same run then goes on where it was."""
    pictures = find_pictures(write_folder(tmp_path, 3))
    large = replace(pictures[0], name="large.png", width=2000, height=2000)
    plan = Plan(NULLS, (*pictures, large), ("low-bits",), ("psnr 40",))
    cache = Cache(tmp_path / "cache")
    for module in (run_module, points, visibility):
        monkeypatch.setattr(module, "Workers", Interrupting if module is stopped else InThisProcess)
    result = run(plan, fake_methods.resolve, cache, jod=Path(sys.executable))
    jsonschema.validate(result, schema())
    assert len(result["reads"]) == 4 * sum(READINGS.values())
    *done, refused = result["embeds"]
    assert refused["reason"] == "larger than the tier's 2 megapixels (4 MP); --megapixels raises it"
    assert [row["status"] for row in done].count("ok") == {run_module: 1, points: 0, visibility: 3}[stopped]
    assert all(row["reason"].endswith(run_module.STOPPED) for row in done)
    monkeypatch.setattr(stopped, "Workers", InThisProcess)
    whole = run(plan, fake_methods.resolve, cache, jod=Path(sys.executable))
    assert [row["status"] for row in whole["embeds"]] == ["ok"] * 3 + ["refused"]
    assert all(row["jod"] is not None for row in whole["embeds"][:3])


_PROGRAM = """#!/bin/sh
[ $1 = detect ] && exec echo '{"present": false, "score": 0, "bits": null, "p": null}'
[ -e "$0.marked" ] && exec sleep 9
touch "$0.marked"
cp "$2" "$3"
"""


def test_signal_ends_the_command_with_a_result(tmp_path: Path) -> None:
    """The program marks one picture, and then hangs."""
    program = tmp_path / "program"
    program.write_text(_PROGRAM)
    program.chmod(0o755)
    description = tmp_path / "slow.toml"
    description.write_text('name = "slow"\nprogram = "program"\nmessage_bits = 8\n')
    data = tmp_path / "data"
    data.mkdir()
    write_folder(data, 2)
    options = ["--tier", "smoke", "--data", data, "--methods", f"command:{description}", "--workers", "1"]
    places = ["--out", tmp_path / "result.json", "--cache", tmp_path / "cache"]
    process = subprocess.Popen(
        [sys.executable, "-m", "watermark.cli.main", "bench", "run", *options, *places],
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("1/4 "):
            break
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    embeds = read_result(tmp_path / "result.json")["embeds"]
    assert [(row["status"], row["reason"] == run_module.STOPPED) for row in embeds] == [
        ("ok", False),
        *[("failed", True)] * 3,
    ]
