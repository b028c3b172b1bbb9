"""One marked picture for all tests of the command line that read."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_samples import PAYLOAD, astronaut, run, save


@pytest.fixture(scope="session")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture marked under the open key, loud enough for any weights."""
    folder = tmp_path_factory.mktemp("marked")
    source = save(folder / "source.png", astronaut())
    run("embed", source, folder / "marked.png", "--payload", PAYLOAD, "--strength", 40)
    return folder / "marked.png"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A JPEG of good quality."""
    return save(tmp_path / "source.jpg", astronaut(), quality=90)
