"""Methods by name, third parties' from real distributions, and the rule of claims."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from benchmarks.methods import Method, MethodMissing, method, method_names
from benchmarks.methods.base import gain, scaled
from benchmarks.methods.claims import compared
from benchmarks.methods.registry import identity_files
from watermark.errors import UsageError, WatermarkError

ADAPTER = """
class Mine:
    name, version, licence, note = "mine", "1", "MIT", ""
    message_bits, smallest_side, keyed, blind = 8, 1, True, True
    def with_strength(self, db): return self
    def embed(self, image, message, key): return image
    def detect(self, image, key, claimed=None): ...

class Nothing:
    name = "nothing"

def broken():
    raise RuntimeError("no licence server")
"""


def distribution(folder: Path, name: str, entries: str) -> None:
    """A distribution as an installer leaves it: metadata beside the module."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[watermark.methods]\n{entries}\n")
    (folder / "adapters_of_a_test.py").write_text(ADAPTER)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "adapters_of_a_test", raising=False)
    return lambda name, entries: distribution(tmp_path, name, entries)


def test_names_need_no_packages():
    code = "import sys; from benchmarks.methods import method_names as names; print(*names()); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names, modules = (line.split() for line in run.stdout.splitlines())
    assert names[0] == "watermark-toolkit"
    assert {"dwtDct", "dwtDctSvd", "rivaGan", "blind-watermark", "trustmark", "videoseal"} <= set(names)
    assert not {"imwatermark", "blind_watermark", "onnxruntime"} & set(modules)


@pytest.mark.parametrize("name", method_names())
def test_every_method_keeps_the_protocol(name):
    try:
        made = method(name)
    except MethodMissing as error:
        pytest.skip(str(error))
    assert isinstance(made, Method)
    assert made.name == name
    assert made.message_bits > 0
    assert made.smallest_side > 0
    assert made.version
    assert made.licence


def test_unknown_names_suggest_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'dwtDctSvd'"):
        method("dwtDctSv")


def test_third_parties_join_by_entry_point(installed):
    installed("their-marks", "mine = adapters_of_a_test:Mine")
    assert "mine" in method_names()
    assert method("mine").version == "1"


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("mine = adapters_of_a_test:broken", "RuntimeError: no licence server"),
        ("mine = adapters_of_a_test:Absent", "AttributeError"),
        ("mine = no_such_module_of_a_test:Mine", "ModuleNotFoundError"),
        ("mine = adapters_of_a_test:Nothing", "has not all that"),
    ],
)
def test_a_bad_entry_names_its_distribution(installed, entry, reason):
    installed("their-marks", entry)
    with pytest.raises(WatermarkError, match=f"their-marks.*{reason}"):
        method("mine")
    assert method("watermark-toolkit")  # the others still work


def test_a_taken_name_names_both(installed):
    installed("their-marks", "dwtDct = adapters_of_a_test:Mine")
    with pytest.raises(WatermarkError, match=r"'dwtDct'.*the toolkit itself.*their-marks"):
        method_names()


def test_files_that_a_version_does_not_tell(installed, tmp_path):
    installed("their-marks", "mine = adapters_of_a_test:Mine")
    assert identity_files("mine") == [tmp_path / "adapters_of_a_test.py"]
    assert identity_files("watermark-toolkit") == identity_files("dwtDct") == identity_files("command:any") == []


@pytest.mark.parametrize("right", [0, 15, 16, 29, 30, 32])
def test_a_claim_is_a_binomial_test(right):
    claimed = np.random.default_rng(right).integers(0, 2, 32).astype(np.uint8)
    bits = claimed ^ (np.arange(32) >= right).astype(np.uint8)
    reading = compared(bits, claimed)
    expected = binomtest(right, 32, 0.5, alternative="greater").pvalue
    assert reading.p == pytest.approx(expected, rel=1e-9)
    assert reading.score == right / 32
    assert reading.present == (expected <= 1e-6)


def test_without_a_claim_nothing_is_said():
    reading = compared(np.ones(32, dtype=np.uint8), None)
    assert (reading.present, reading.score, reading.p) == (False, 0.0, None)
    assert reading.bits is not None


def test_gain_moves_psnr_by_so_much():
    rng = np.random.default_rng(0)
    host = rng.integers(60, 190, (64, 64, 3)).astype(np.uint8)
    marked = (host + rng.integers(-60, 61, host.shape)).astype(np.uint8)  # wide: rounding is little beside it

    def db(picture):
        return 10 * np.log10(255**2 / np.mean((picture.astype(float) - host) ** 2))

    assert db(scaled(host, marked, gain(30.0, native=24.0))) == pytest.approx(db(marked) + 6, abs=0.1)
    assert np.array_equal(scaled(host, marked, gain(None, native=24.0)), marked)
