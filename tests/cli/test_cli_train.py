"""``watermark train``, on runs of a few tiny steps."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from cli_samples import astronaut, camera, coffee, json_lines, refused, run, save

from watermark.nets.model import load_card, load_model

TINY = {"batch": 2, "crop": 64, "decoder_channels": 8, "decoder_blocks": 1, "generator_channels": 8, "log_every": 1}


def _settings(**settings: object) -> list[str]:
    return [word for name, value in settings.items() for word in ("--set", f"{name}={json.dumps(value)}")]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for name, pixels in (("astronaut", astronaut()), ("coffee", coffee()), ("camera", camera())):
        save(folder / f"{name}.png", pixels)
    return folder


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """Folder of a run of two steps, and what it printed."""
    out = tmp_path_factory.mktemp("run") / "made"
    result = run("train", "--data", data, "--out", out, *_settings(steps=2, **TINY), "--json")
    assert result.stderr == (
        f"watermark: {data} holds too few pictures to set some aside: validating on all of them\n"
        f"wrote {out / 'model.safetensors'}\n"
    )
    return out, json_lines(result)


def test_run_leaves_weights_and_metrics(trained: tuple[Path, list[dict[str, Any]]]) -> None:
    out, lines = trained
    assert sorted(path.name for path in out.iterdir()) == [
        "checkpoint.pt",
        "metrics.jsonl",
        "model.json",
        "model.safetensors",
    ]
    assert [(line["step"], line["images"]) for line in lines] == [(1, 2), (2, 4)]
    assert {"bits", "bit_accuracy", "psnr", "strength", "images_per_second"} <= set(lines[0])
    assert [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()] == lines
    load_model(out / "model.safetensors")
    assert load_card(out / "model.safetensors")["training"]["phases"][0]["settings"]["crop"] == 64


def test_checkpoint_is_kept_without_resume(data: Path, trained: tuple[Path, list[dict[str, Any]]]) -> None:
    out, _ = trained
    before = (out / "checkpoint.pt").read_bytes()
    assert "--resume" in refused(2, "train", "--data", data, "--out", out, *_settings(steps=1, **TINY))
    assert (out / "checkpoint.pt").read_bytes() == before


def test_resume_keeps_the_settings(data: Path, trained: tuple[Path, list[dict[str, Any]]], tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes((trained[0] / "checkpoint.pt").read_bytes())
    result = run("train", "--data", data, "--out", tmp_path, "--resume", "--set", "steps=3", "--json")
    (line,) = json_lines(result)
    assert (line["step"], line["images"]) == (3, 6)
    first, second = load_card(tmp_path / "model.safetensors")["training"]["phases"]
    assert (first["from_step"], second["from_step"]) == (0, 2)
    assert second["settings"] == first["settings"] | {"steps": 3}


def test_resume_must_go_on(data: Path, trained: tuple[Path, list[dict[str, Any]]], tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes((trained[0] / "checkpoint.pt").read_bytes())
    options = ["--data", data, "--out", tmp_path, "--resume", "--set", "steps=1"]
    assert "steps must be above 2, the step that" in refused(2, "train", *options)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_each_validation_is_a_line_where_no_terminal_is(data: Path, tmp_path: Path) -> None:
    options = _settings(steps=3, validate_every=2, **TINY)
    result = run("train", "--data", data, "--out", tmp_path / "run", *options, "--json")
    (validated,) = [line for line in json_lines(result) if "validation_clean" in line]
    clean, jpeg, mixed = (f"{validated[f'validation_{case}']:.1%}" for case in ("clean", "jpeg50", "mixed"))
    _, line, _ = result.stderr.splitlines()
    assert line == (
        f"step 2 of 3: validation reads {clean} of the bits clean, {jpeg} after JPEG 50, {mixed} after the full mix"
    )


def test_pictures_set_aside_need_no_word(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watermark.training.data._is_validation", lambda group: "camera" in group)
    result = run("train", "--data", data, "--out", tmp_path / "run", *_settings(steps=1, **TINY))
    assert result.stderr == f"wrote {tmp_path / 'run' / 'model.safetensors'}\n"


def test_resume_with_a_settings_file_takes_those(
    data: Path, trained: tuple[Path, list[dict[str, Any]]], tmp_path: Path
) -> None:
    (tmp_path / "checkpoint.pt").write_bytes((trained[0] / "checkpoint.pt").read_bytes())
    lines = [f"{name} = {json.dumps(value)}" for name, value in TINY.items()]
    (tmp_path / "next.toml").write_text("\n".join(["seed = 9", "steps = 2", *lines]))
    run(
        "train", "--data", data, "--out", tmp_path, "--resume", "--settings", tmp_path / "next.toml", "--set", "steps=3"
    )
    phase = load_card(tmp_path / "model.safetensors")["training"]["phases"][-1]
    assert (phase["settings"]["seed"], phase["settings"]["steps"]) == (9, 3)


@pytest.mark.parametrize("content", [None, b"", b"damaged"])
def test_resume_needs_a_checkpoint(data: Path, tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "checkpoint.pt").write_bytes(content)
    assert "cannot read the checkpoint" in refused(2, "train", "--data", data, "--out", tmp_path, "--resume")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--preset", "smoke", "--settings", "mine.toml"], "give --preset or --settings, not both"),
        (["--warm-start", "missing.pt"], "cannot read the checkpoint missing.pt"),
        (["--resume", "--warm-start", "missing.pt"], "give --resume or --warm-start, not both"),
        (["--set", "stepz=2"], "unknown training settings: stepz; did you mean 'steps'?"),
        (["--set", "steps"], "--set takes NAME=VALUE, but 'steps' came"),
        (["--set", "steps=two"], "the value of steps must be"),
        (["--set", "steps=2.5"], "steps must be of type int"),
        (["--set", "steps=0"], "steps must be at least 1"),
        (["--set", "crop=60"], "crop must be a multiple of 8"),
        (["--settings", "missing.toml"], "cannot read the settings missing.toml"),
        (["--device", "abacus"], "cannot compute on 'abacus'"),
        (["--data", "nowhere"], "nowhere must hold tar shards or images"),
    ],
)
def test_refusals(data: Path, tmp_path: Path, options: list[str], says: str) -> None:
    out = tmp_path / "run"
    assert says in refused(2, "train", "--data", data, "--out", out, *options)
    assert not out.exists()


def test_preset_and_warm_start(data: Path, trained: tuple[Path, list[dict[str, Any]]], tmp_path: Path) -> None:
    start = trained[0] / "model.safetensors"
    settings = _settings(steps=1, **TINY)
    run("train", "--data", data, "--out", tmp_path / "run", "--preset", "smoke", "--warm-start", start, *settings)
    card = load_card(tmp_path / "run" / "model.safetensors")
    (phase,) = card["training"]["phases"]
    assert phase["settings"]["strength_start"] == 28.0
    assert phase["settings"]["crop"] == 64
    assert phase["warm_start_sha256"] == load_card(start)["sha256"]


def test_weights_that_are_missing_are_no_start(data: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing.safetensors"
    assert "cannot read the model card" in refused(
        3, "train", "--data", data, "--out", tmp_path / "run", "--warm-start", missing
    )


def test_tensorboard_gets_every_figure(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for TensorBoard's writer, which is an extra."""
    written: list[tuple[str, float, int]] = []

    class Writer:
        def __init__(self, folder: str, purge_step: int) -> None:
            assert (folder, purge_step) == (str(tmp_path / "tensorboard"), 1)

        def add_scalar(self, name: str, value: float, step: int) -> None:
            written.append((name, value, step))

        def flush(self) -> None:
            pass

    stand_in = types.ModuleType("torch.utils.tensorboard")
    stand_in.SummaryWriter = Writer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", stand_in)
    result = run("train", "--data", data, "--out", tmp_path, *_settings(steps=2, **TINY), "--json", "--tensorboard")
    lines = json_lines(result)
    assert written == [(name, value, line["step"]) for line in lines for name, value in line.items() if name != "step"]


def test_tensorboard_that_is_not_installed(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    options = ["--data", data, "--out", tmp_path, "--tensorboard", *_settings(steps=1, **TINY)]
    assert "pip install 'watermark-toolkit[tensorboard]'" in refused(2, "train", *options)
    assert not (tmp_path / "checkpoint.pt").exists()
