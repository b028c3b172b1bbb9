"""How a result came about: the commit of the source, and the options to run it again."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import watermark

_CHANGE_NOTHING = frozenset({"out", "workers", "cache", "refresh", "force"})
_PLACES = {"data": "FOLDER", "jod": "PYTHON"}  # where something lies is nobody's business


def revision(root: Path | None = None) -> dict[str, Any]:
    """The source as git knows it.

    Args:
        root: of the source; the toolkit's own if ``None``.

    Returns:
        ``commit``, in hexadecimal digits, and ``dirty``, whether a tracked file differs from it; both ``None`` where
        ``root`` is no root of a git repository.
    """
    root = Path(watermark.__path__[0]).parent if root is None else root
    try:
        top, commit = _git(root, "rev-parse", "--show-toplevel", "HEAD").splitlines()
        if not Path(top).samefile(root):  # installed into a folder that belongs to another repository
            return {"commit": None, "dirty": None}
        changes = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, ValueError, subprocess.CalledProcessError):
        return {"commit": None, "dirty": None}
    return {"commit": commit, "dirty": bool(changes)}


def repeatable(options: Mapping[str, Any], methods: Sequence[str]) -> dict[str, Any]:
    """The options of ``bench run`` that decide what is measured, by name, without folders of this machine.

    Args:
        options: all of them, by name with underscores.
        methods: those that were measured, which the tier may have chosen.
    """
    names = []
    for method in methods:
        kind, colon, file = method.partition(":")
        names.append(f"{kind}{colon}{Path(file).name}" if colon else method)
    given = {**options, "methods": ",".join(names)}
    return {
        name: _PLACES.get(name, value)
        for name, value in given.items()
        if name not in _CHANGE_NOTHING and value is not None and value != ""
    }


def command_line(arguments: Mapping[str, Any]) -> str:
    """The run that :func:`repeatable` describes, as a shell takes it.

    Example:
        >>> command_line({"tier": "equal", "points": "psnr 42"})
        "watermark bench run --tier equal --points 'psnr 42'"
    """
    options = [f"--{name.replace('_', '-')} {shlex.quote(str(value))}" for name, value in arguments.items()]
    return " ".join(["watermark bench run", *options])


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "--no-optional-locks", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
