"""What several tests of the runner need."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.runner import calibrate

_SCRIPT = """
import json, os, sys
import numpy as np
from PIL import Image
pairs = json.load(open(sys.argv[1]))
if os.environ.get("JOD_FAILS"):
    sys.exit(3)
for pair in pairs:
    host, marked = (np.asarray(Image.open(name), dtype=float) for name in pair)
    print(json.dumps({"jod": 10 - ((host - marked) ** 2).mean() ** 0.5}))
with open(__file__.replace(".py", ".log"), "a") as log:
    log.write(f"{len(pairs)}\\n")
"""


@pytest.fixture
def jod_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for ``benchmarks/jod.py`` whose JOD is 10 less the root mean squared error.

    It fails if ``JOD_FAILS`` is set, and logs how many pairs it judged.
    """
    script = tmp_path / "jod.py"
    script.write_text(_SCRIPT)
    monkeypatch.setattr(calibrate.jod, "__file__", str(script))
    return script
