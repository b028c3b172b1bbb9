"""The group: its help, its version, and that neither loads anything large."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cli_samples import ROOT, run, run_process

from watermark import __version__
from watermark.cli.main import main

COMMANDS = ["keygen", "embed", "detect", "check", "attack", "bench", "train", "doctor", "demo", "info"]
HELP = """\
Usage: watermark [OPTIONS] COMMAND [ARGS]...

  Invisible keyed marks in images: write them, read them back.

  Exit codes: 0 found or done, 1 not found, 2 usage, 3 could not decide.

Options:
  --version  Show the version and exit.
  --help     Show this message and exit.

Commands:
  keygen  Make a secret key file.
  embed   Mark a picture.
  detect  Read the mark of pictures.
  check   Compare a picture with a claimed payload.
  attack  Attack a picture.
  bench   Measure methods against attacks.
  train   Train new weights.
  doctor  Say what ails a training run.
  demo    Mark, attack and read a bundled photograph.
  info    Show version, weights and keys.
"""
_LOADED = """
import sys
from watermark.cli.main import main
try:
    main(["--help"])
except SystemExit as end:
    assert not end.code
print(sorted({"torch", "numpy", "cv2", "PIL", "kornia", "rich", "skimage"} & set(sys.modules)), file=sys.stderr)
"""


def test_help_reads_so() -> None:
    assert run("--help").stdout == HELP


def test_help_lists_every_command() -> None:
    assert main.list_commands(None) == COMMANDS
    others = {"__init__", "main", "options", "attack_list", "bench_methods", "bench_tier"}
    modules = {path.stem for path in (ROOT / "watermark" / "cli").glob("*.py")} - others
    assert modules == set(COMMANDS)


def test_help_loads_nothing_large() -> None:
    done = subprocess.run([sys.executable, "-c", _LOADED], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "Commands:" in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    result = run(command, "--help")
    assert f"Usage: watermark {command} " in result.stdout
    assert result.stderr == ""


def test_version_in_a_process(tmp_path: Path) -> None:
    done = run_process("--version", folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{__version__}\n", "")


@pytest.mark.parametrize("arguments", [["nonsense"], ["--nonsense"], ["detect"], ["embed", "only-one.png"]])
def test_calls_that_make_no_sense(arguments: list[str]) -> None:
    result = run(*arguments, code=2)
    assert result.stdout == ""
    assert "Usage: watermark" in result.stderr
