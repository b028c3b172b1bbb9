"""Results of jobs kept on disk by what they depend on, so that a rerun or a killed run goes on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import attacks
import watermark
from watermark.files import write_atomically

_PACKAGES = (
    "torch",
    "kornia",
    "numpy",
    "opencv-python-headless",
    "scikit-image",
    "pillow",
    "flip-evaluator",
    "lpips",
)
READS_PICTURES = ("imaging", "errors.py", "files.py")  # of the package watermark


class Cache:
    """Values of JSON in a folder, one file each, named by the SHA-256 of what they depend on.

    Args:
        folder: made when the first value is kept.
        refresh: whether to give only what was put through this object, so that it takes the place of what was there.
    """

    def __init__(self, folder: Path, refresh: bool = False) -> None:
        self._folder, self._refresh = folder, refresh
        self._put: set[Path] = set()

    def get(self, causes: Any) -> Any:
        """The value kept for these causes (plain values of JSON), or ``None``; a damaged file counts as none."""
        path = self._path(causes)
        if self._refresh and path not in self._put:
            return None
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def put(self, causes: Any, value: Any) -> None:
        """Keep a value; whoever reads at the same time sees all of it or nothing."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._path(causes)
        write_atomically(path, json.dumps(value, allow_nan=False).encode())
        self._put.add(path)

    def _path(self, causes: Any) -> Path:
        text = json.dumps(causes, sort_keys=True, allow_nan=False)
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()}.json"


def package_versions() -> dict[str, str]:
    """Versions of the toolkit and the packages that pixels pass through or are judged by; an absent one is left out."""
    found = {"watermark-toolkit": watermark.__version__}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # OpenCV goes by several names
            continue
    return found


def files_sha256(files: Sequence[Path]) -> str:
    """SHA-256 over names and contents of files, of their folders the last name only.

    Raises:
        OSError: one cannot be read.
    """
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").digest()
        digest.update(f"{path.parent.name}/{path.name}".encode() + b"\0" + content)
    return digest.hexdigest()


@cache
def source_sha256(*more: Path) -> str:
    """SHA-256 over the toolkit's own source and weights, which change faster than its version.

    Args:
        more: further folders of source.
    """
    return _sha256(Path(watermark.__path__[0]), *more)


@cache
def peer_source_sha256() -> str:
    """The same without what only our own method is made of: pictures are read, attacked and judged by the rest."""
    toolkit = Path(watermark.__path__[0])
    return _sha256(*(toolkit / name for name in READS_PICTURES))


def _sha256(*paths: Path) -> str:
    """Over the source that measures, and these files or folders of source."""
    own = Path(__file__).parent.parent
    measures = (
        Path(attacks.__path__[0]),
        *(own / name for name in ("methods", "metrics", "runner", "envelope.py")),  # the last for pixels to tensors
    )
    digest = hashlib.sha256()
    for root in (*measures, *paths):
        for path in [root] if root.is_file() else sorted(root.rglob("*")):
            name = path.relative_to(root.parent)
            if path.suffix in {".py", ".safetensors"} and not {"cli", "training"} & set(name.parts[1:]):
                digest.update(name.as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
