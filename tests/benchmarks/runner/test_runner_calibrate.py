"""Operating points: found where they are, and a reason where there is none."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import fake_methods
import numpy as np
import pytest
from runner_samples import TIER, InThisProcess, write_animation, write_folder
from skimage.metrics import peak_signal_noise_ratio

from benchmarks.runner import calibrate, points
from benchmarks.runner.cache import Cache
from benchmarks.runner.calibrate import Uncalibrated, measure_jod, strength_for_jod, strength_for_psnr
from benchmarks.runner.pictures import find_pictures
from benchmarks.runner.plan import Plan
from watermark.errors import ImageTooSmall, UsageError


@pytest.fixture
def calibration(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(points, "Workers", InThisProcess)
    pictures = find_pictures(write_folder(tmp_path, 3, unreadable=True))

    def make(names: tuple[str, ...], asked: tuple[str, ...], jod: Path | None = None):
        plan = Plan(TIER, pictures, names, asked)
        identities = {name: {"name": name} for name in names}
        return points.Calibration(plan, identities, Cache(tmp_path / "cache"), fake_methods.resolve, 1, 10.0, jod)

    return make


def test_equal_psnr(calibration, tmp_path: Path) -> None:
    found = calibration(("low-bits", "raising"), ("default", "psnr 36", "psnr 40")).strengths()
    assert found["low-bits", "default"] is None
    for target in (36, 40):
        method = fake_methods.LowBits(found["low-bits", f"psnr {target}"])
        measured = []
        for picture in find_pictures(tmp_path)[1:]:
            host = picture.pixels()
            marked = method.embed(host, np.zeros(fake_methods.BITS, np.uint8), bytes(32))
            measured.append(peak_signal_noise_ratio(host, marked))
        assert np.mean(measured) == pytest.approx(target, abs=0.1)
    assert found["raising", "psnr 36"] == "photo0.png was not marked: MethodError: raising has no strength"


def test_picture_that_fails_leaves_no_strength(calibration, monkeypatch) -> None:
    """One that is too small is left out."""
    embed = fake_methods.LowBits.embed

    def raises(error: Exception):
        def embedding(self, image, *rest):
            if image.shape[1] == 65:
                raise error
            return embed(self, image, *rest)

        return embedding

    monkeypatch.setattr(fake_methods.LowBits, "embed", raises(MemoryError("busy")))
    asked = ("low-bits",), ("psnr 40",)
    reason = calibration(*asked).strengths()["low-bits", "psnr 40"]
    assert reason == "photo1.png was not marked: MemoryError: busy"
    monkeypatch.setattr(fake_methods.LowBits, "embed", raises(ImageTooSmall(60, 65, 70)))
    without = calibration(*asked)
    assert isinstance(without.strengths()["low-bits", "psnr 40"], float)  # nothing of before was kept
    monkeypatch.setattr(fake_methods.LowBits, "embed", embed)
    assert len(without._marked("low-bits", 40.0, None)) == 2  # nor comes it back


def test_progress_before_a_strength_is_found(calibration, capsys) -> None:
    calibration(("low-bits",), ("default", "psnr 40")).strengths()
    *marked, found = capsys.readouterr().err.splitlines()
    assert len(marked) > 3
    assert all(re.fullmatch(r"0/1 low-bits at \d+\.\d\d dB: 3 pictures marked", line) for line in marked)
    assert re.fullmatch(r"1/1 low-bits psnr 40: \d+\.\d\d dB, about 0 s left", found)
    calibration(("low-bits",), ("default",)).strengths()
    assert capsys.readouterr().err == ""


def test_strengths_are_kept(calibration, monkeypatch) -> None:
    first = calibration(("low-bits",), ("psnr 40",)).strengths()
    monkeypatch.setattr(points, "mark", lambda *_, **__: pytest.fail("marked again"))
    assert calibration(("low-bits",), ("psnr 40",)).strengths() == first


def test_jod_without_its_environment(calibration) -> None:
    found = calibration(("low-bits",), ("jod 9.8",)).strengths()
    assert "--jod" in str(found["low-bits", "jod 9.8"])


def test_equal_jod(calibration, jod_script: Path, monkeypatch) -> None:
    monkeypatch.setattr(points, "JOD_STRENGTHS", (38.0, 44.0, 50.0))
    found = calibration(("low-bits",), ("jod 8",), Path(sys.executable)).strengths()
    strength = found["low-bits", "jod 8"]
    assert isinstance(strength, float)
    assert strength == pytest.approx(20 * np.log10(255 / 2), abs=0.3)  # PSNR of a root mean squared error of 2


def test_picture_of_a_kind_that_is_not_read_is_left_out(tmp_path: Path) -> None:
    moving = write_animation(tmp_path / "moving.gif")
    assert moving.width == 64
    assert calibrate.mark(calibrate.Marking("low-bits", 40.0, moving, 0), fake_methods.resolve) is None


@pytest.mark.parametrize(("offset", "target"), [(0.0, 42.0), (-3.0, 44.0), (4.0, 42.0)])
def test_strength_for_psnr(offset: float, target: float) -> None:
    found = strength_for_psnr(lambda strength: 50 + 20 * np.tanh((strength + offset - 50) / 20), target)
    assert 50 + 20 * np.tanh((found + offset - 50) / 20) == pytest.approx(target, abs=0.05)


def test_psnr_out_of_reach() -> None:
    with pytest.raises(Uncalibrated, match=r"between 36 and 48 dB .* 56\.00 and 68\.00"):
        strength_for_psnr(lambda strength: strength + 20, 42.0)


@pytest.mark.parametrize(
    "table", [{40.0: 9.0, 44.0: 9.5}, {40.0: 9.9, 44.0: 9.7}, {40.0: 9.7, 44.0: 9.7}, {40.0: 9.7, 44.0: 10.0}]
)
def test_jod_out_of_reach(table: dict[float, float]) -> None:
    with pytest.raises(Uncalibrated, match="40 dB"):
        strength_for_jod(table, 9.8)


def test_jod_of_a_quiet_method() -> None:
    """dwtDct has JOD 9.901 at 38 dB: points below it take a louder mark."""
    table = {strength: 10 - 10 ** (-1 - (strength - 38) / 12) for strength in calibrate.JOD_STRENGTHS}
    assert strength_for_jod(table, 9.6) == pytest.approx(38 - 12 * np.log10(4))
    with pytest.raises(Uncalibrated, match=r"^strengths from 30 to 50 dB do not reach JOD 9\.4: 9\.536 at 30 dB, "):
        strength_for_jod(table, 9.4)


def test_jod_need_not_rise_where_it_is_not_asked_for() -> None:
    """RivaGAN's quietest marks are rounded away, and 47 and 50 dB look the same."""
    table = {38.0: 9.63, 41.0: 9.807, 44.0: 9.932, 47.0: 9.973, 50.0: 9.973}
    assert 38 < strength_for_jod(table, 9.8) < 41
    assert strength_for_jod(table, 9.63) == 38.0
    table[50.0] = 10.0  # nothing is left of the mark
    assert 44 < strength_for_jod(table, 9.95) < 47
    with pytest.raises(Uncalibrated, match="does not rise"):
        strength_for_jod(table | {47.0: 9.7}, 9.8)


def test_jod_is_exact_where_its_loss_is_exponential() -> None:
    table = {strength: 10 - 8 * 10 ** (-strength / 30) for strength in (42.0, 46.0, 50.0)}
    assert strength_for_jod(table, 10 - 8 * 10 ** (-44.5 / 30)) == pytest.approx(44.5)


def test_jod_of_each_pair(tmp_path: Path, monkeypatch) -> None:
    script = tmp_path / "jod.py"
    script.write_text("import json, sys\nfor a, b in json.load(open(sys.argv[1])): print(json.dumps({'jod': a + b}))\n")
    monkeypatch.setattr(calibrate.jod, "__file__", str(script))
    assert measure_jod([(1, 2), (3, 4)], Path(sys.executable)) == [3, 7]
    script.write_text("print('{\"jod\": 9}')\n")
    with pytest.raises(Uncalibrated, match="2 pairs were asked for, and 1 answers came"):
        measure_jod([(1, 2), (3, 4)], Path(sys.executable))


def test_jod_script_that_fails(tmp_path: Path) -> None:
    with pytest.raises(Uncalibrated, match="no-such-python"):
        measure_jod([], tmp_path / "no-such-python")
    with pytest.raises(Uncalibrated, match="which is no file"):  # benchmarks/jod.py itself
        measure_jod([("no host", "no marked")], Path(sys.executable))


def test_all_points_are_points() -> None:
    assert len(set(points.ALL_POINTS)) == 1 + 4 + 3
    assert [points.check_point(point) for point in points.ALL_POINTS] == list(points.ALL_POINTS)


@pytest.mark.parametrize("point", ["psnr", "psnr x", "42", "ssim 42", "jod 9.8.1", "psnr ²", "psnr .", ""])
def test_what_is_no_point(point: str) -> None:
    with pytest.raises(UsageError, match="operating point"):
        points.check_point(point)
