"""The README's commands and code run as they stand there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    shutil.copy(ROOT / "watermark" / "assets" / "singapore.jpg", tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def test_readme_is_short():
    assert len(README.splitlines()) < 150


@pytest.mark.parametrize("code", blocks("python"))
def test_python_runs(code, folder, capsys):
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out


def test_commands_run(folder):
    (commands,) = blocks("sh")
    environment = dict(os.environ, PYTHONPATH=str(ROOT), PYTHON=sys.executable)
    script = 'set -e\nwatermark() { "$PYTHON" -m watermark.cli.main "$@"; }\n' + commands
    result = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert '"payload": "0123456789abcdef"' in result.stdout
    assert "matches payload 0123456789abcdef" in result.stdout


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target
