"""The ablation around training: arms, marks, pieces, operating points, results and page."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data
from skimage.metrics import peak_signal_noise_ratio

from attacks import RealJpeg
from benchmarks.ablation import __main__ as command
from benchmarks.ablation import measure
from benchmarks.ablation.arms import ARMS, WHOLE, Arm, trained_as
from benchmarks.ablation.mark import Marker, key_of, payload_of
from benchmarks.ablation.pieces import SIDE, held_out_pieces, training_pieces
from benchmarks.ablation.results import (
    Ablation,
    ArmResult,
    Conditions,
    Detectability,
    Outcome,
    Point,
    read_ablation,
    write,
)
from benchmarks.ablation.table import page
from benchmarks.ablation.train import train, write_start
from watermark import Detector
from watermark.nets.model import RELEASE, load_model
from watermark.training.checkpoint import METRICS

COMMITTED = Path(__file__).parents[3] / "benchmarks/results/ablation.json"


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """A folder of two photographs of 320 x 288 pixels, with a manifest."""
    folder = tmp_path_factory.mktemp("photographs")
    rows = []
    for name, picture in (("a.png", data.astronaut()), ("b.png", data.coffee())):
        Image.fromarray(picture[:288, :320]).save(folder / name)
        rows.append({"name": name, "kind": "photo", "width": 320, "height": 288})
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return folder


def test_arms_differ_in_what_they_say_only():
    whole = asdict(WHOLE.settings(500))
    for arm in ARMS:
        settings = asdict(arm.settings(500))
        assert {name for name in settings if settings[name] != whole[name]} <= {
            "adversarial_start", "visibility_weight", "envelope_learning_rate", "use_generator"
        }  # fmt: skip
        assert settings["steps"] == 500
    assert whole["visibility_weight"] > 0
    assert whole["adversarial_start"] < 1
    settings = [asdict(arm.settings(500)) for arm in ARMS if trained_as(arm) is arm]
    assert all(first != second for first in settings for second in settings if first is not second)
    assert len({arm.folder for arm in ARMS}) == len({arm.name for arm in ARMS}) == len(ARMS)
    assert [arm for arm in ARMS if arm.shaped and trained_as(arm) is WHOLE] == [ARMS[-1]]


def test_start_inherits_the_decoder_alone(tmp_path):
    write_start(tmp_path / "start.safetensors")
    start, release = load_model(tmp_path / "start.safetensors"), load_model(RELEASE)
    assert all(map(torch.equal, start.decoder.parameters(), release.decoder.parameters()))
    assert start.transmit.tolist() == start.receive.tolist() == [1.0] * 16
    luma, pattern = torch.rand(2, 1, 1, 64, 64)
    assert torch.equal(start.generator(luma, pattern), pattern)
    first = (tmp_path / "start.safetensors").read_bytes()
    write_start(tmp_path / "start.safetensors")
    assert (tmp_path / "start.safetensors").read_bytes() == first


def test_arm_is_trained_once(tmp_path, photographs, monkeypatch):
    write_start(tmp_path / "start.safetensors")
    arm, run = ARMS[3], tmp_path / "run"
    settings = replace(arm.settings(1), batch=1, crop=64, bf16=False)
    monkeypatch.setattr(Arm, "settings", lambda *_: settings)
    weights = train(arm, 1, photographs, tmp_path / "start.safetensors", run)
    trained, start = load_model(weights), load_model(tmp_path / "start.safetensors")
    assert torch.equal(trained.log_transmit, start.log_transmit)
    assert not torch.equal(next(trained.generator.parameters()), next(start.generator.parameters()))
    written = weights.stat().st_mtime_ns
    assert train(arm, 1, photographs, tmp_path / "start.safetensors", run) == weights
    assert weights.stat().st_mtime_ns == written


def test_marks_are_read_under_the_key_of_their_name():
    host = data.astronaut()[:256, :256, 0].copy()
    plain = Marker(RELEASE).mark(host, "a", 42.0)
    assert Detector(key_of("a")).detect(plain, search="none").payload == payload_of("a")
    assert not Detector(key_of("b")).detect(plain, search="none").present
    # 6 dB are half the change, but for rounding
    quiet = Marker(RELEASE).mark(host, "a", 48.0)
    gained = peak_signal_noise_ratio(host, quiet) - peak_signal_noise_ratio(host, plain)
    assert gained == pytest.approx(6.0, abs=0.4)


def test_held_out_pieces_lie_side_by_side(tmp_path):
    picture = data.astronaut()[:, :300]
    Image.fromarray(picture).save(tmp_path / "tall.png")
    luma = np.asarray(Image.fromarray(picture).convert("L"))
    pieces = held_out_pieces([tmp_path / "tall.png"])
    assert np.array_equal(pieces, [luma[:256, :256], luma[256:, :256]])


def test_training_pieces_are_cut_at_full_resolution(photographs):
    pieces = training_pieces(photographs, 10)
    assert pieces.shape == (2, SIDE, SIDE)  # there are no more pictures
    assert np.array_equal(pieces, training_pieces(photographs, 10))
    lumas = [np.asarray(Image.open(path).convert("L")) for path in sorted(photographs.glob("*.png"))]
    windows = [np.lib.stride_tricks.sliding_window_view(luma, (SIDE, SIDE)) for luma in lumas]
    for piece in pieces:
        assert any((window == piece).all((2, 3)).any() for window in windows)


def arm_result(name, energies, hits=30, jod=9.5):
    """Two photographs, two attacks; energy of each photograph, the same after both attacks."""
    outcomes = [Outcome(energy, errors, errors < 30) for energy, errors in zip(energies, (0, 64), strict=True)]
    point = Point("PSNR 42 dB", 42.5, 42.01, jod, {"x": outcomes, "y": outcomes}, Detectability(hits, 40, 9, 10))
    training = {"strength": 48.0, "level": 1.0, "running_accuracy": 0.9, "discriminator_accuracy": None}
    return ArmResult(name, "0" * 64, training, [point])


@pytest.fixture
def ablation():
    conditions = Conditions(500, "0" * 64, 600, True, ["a.png", "b.png"], *(digit * 64 for digit in "123"))
    return Ablation(
        conditions,
        [arm_result(WHOLE.name, [3.0, 5.0]), arm_result("no generator", [2.5, 4.5], 20, None)],
    )


def test_results_survive_their_file(ablation, tmp_path):
    write(tmp_path / "ablation.json", ablation)
    assert read_ablation(tmp_path / "ablation.json") == ablation
    (tmp_path / "other.json").write_text('{"schema": 1}')
    with pytest.raises(ValueError, match="no result of schema 2"):
        read_ablation(tmp_path / "other.json")


def test_page(ablation):
    text = page(ablation)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    whole, other = ([row for row in rows if row[0] == name] for name in (WHOLE.name, "no generator"))
    # 2 of 4 copies and 30 of 40 answers; Wilson bounds as of statsmodels
    assert whole[0] == [
        WHOLE.name, "42.50", "42.01", "9.500", "4.000 (3.000 to 5.000)", "", "12.50", "50.0 (15.0-85.0) of 4",
        "75.0 (59.8-85.8) of 40; 90.0",
    ]  # fmt: skip
    assert other[0][3:6] == ["n/a", "3.500 (2.500 to 4.500)", "-0.500 (-0.500 to -0.500)"]
    assert whole[1] == [WHOLE.name, "4.00, 12.5, 1/2", "4.00, 12.5, 1/2"]
    assert whole[2] == [WHOLE.name, "48.0", "1.00", "0.900", "", "", ""]
    assert "JOD was not measured" not in text
    assert "JOD was not measured" in page(replace(ablation, conditions=replace(ablation.conditions, jod=False)))
    assert all(len(line) <= 120 for line in text.splitlines() if line[:1] != "|")


@pytest.mark.skipif(not COMMITTED.exists(), reason="no result is committed yet")
def test_committed_page_agrees_with_committed_result():
    assert (COMMITTED.parents[2] / "docs/ablation.md").read_text() == page(read_ablation(COMMITTED))


def test_run_goes_on_and_writes_a_page(photographs, tmp_path, monkeypatch):
    trained = []

    def released(arm, steps, data, start, folder):
        trained.append(arm.name)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / METRICS).write_text('{"step": 1, "strength": 42.0}\n')
        return RELEASE

    monkeypatch.setattr(command, "train", released)
    monkeypatch.setattr(measure, "ATTACKED", {"JPEG 40": RealJpeg(40)})
    out = tmp_path / "out"
    options = ["run", "--data", str(photographs), "--val", str(photographs), "--out", str(out), "--only", ""]
    command.main([*options, "--arms", "adversary,no generator"])
    command.main([*options, "--arms", "no generator"])
    assert trained == ["adversary", "no generator"]
    result = read_ablation(out / "ablation.json")
    assert [arm.name for arm in result.arms] == ["adversary", "no generator"]
    (point,) = result.arms[0].points
    assert point.psnr == pytest.approx(42.0, abs=0.03)
    assert point.jod is None
    assert point.detectability.trials == 4  # two pieces, with and without
    assert all(outcome.recovered and outcome.energy > 2 for outcome in point.attacks["JPEG 40"])
    with pytest.raises(SystemExit, match="under other conditions"):
        command.main([*options, "--steps", "3"])
    (tmp_path / "recipe.toml").write_text("")
    for name, other in (("source_sha256", lambda *_: "another"), ("RECIPE", tmp_path / "recipe.toml")):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(command, name, other)
            with pytest.raises(SystemExit, match="under other conditions"):
                command.main(options)
    picture = photographs / "a.png"
    before = picture.read_bytes()
    Image.fromarray(data.chelsea()[:288, :320]).save(picture)
    with pytest.raises(SystemExit, match="under other conditions"):
        command.main(options)
    picture.write_bytes(before)
    written = tmp_path / "ablation.md"
    command.main(["table", "--result", str(out / "ablation.json"), "--page", str(written)])
    assert written.read_text() == page(result)
    assert json.loads((out / "conditions.json").read_text())["images"] == ["a.png", "b.png"]


def test_unknown_arm_is_refused(capsys):
    with pytest.raises(SystemExit):
        command.main(["run", "--data", ".", "--val", ".", "--out", ".", "--arms", "adversary,nonsense"])
    assert "no arm nonsense; there are no adversary, adversary," in capsys.readouterr().err
