"""The public face: names, laziness, descriptions."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import watermark

ROOT = Path(watermark.__file__).parent


def test_public_names_are_sorted_complete_and_importable():
    assert watermark.__all__ == sorted(watermark.__all__)
    assert set(watermark.__all__) == {*watermark._HOMES, "__version__"}
    assert dir(watermark) == watermark.__all__
    for name, home in watermark._HOMES.items():
        value = getattr(watermark, name)
        assert value is getattr(importlib.import_module(home), name)
        assert value.__module__ == home
        assert value.__doc__


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="'nothing'"):
        _ = watermark.nothing


def test_importing_is_light():
    """Neither the package nor its light names load torch, numpy's heavier friends, or the command line."""
    script = (
        "import sys, watermark; watermark.WatermarkError; watermark.Key.open().fingerprint; "
        "print(sorted({'torch', 'cv2', 'skimage', 'kornia', 'click'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True, cwd=ROOT.parent
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_is(path):
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_nothing_below_imports_the_command_line():
    for path in ROOT.rglob("*.py"):
        if path.parent.name != "cli":
            assert "watermark.cli" not in path.read_text(), path
