"""``watermark doctor``: its text, its JSON, its exit codes."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from cli_samples import json_lines, refused, run

from watermark.training.checkpoint import CHECKPOINT, write_checkpoint
from watermark.training.settings import TrainingSettings


def _line(step: int, **changes: Any) -> dict[str, Any]:
    healthy = {"bits": 0.2, "bit_accuracy": 0.93, "running_accuracy": 0.93, "strength": 45.0, "level": 1.0}
    return {"step": step, **healthy, "learning_rate": 2e-3, "decoder_change": 0.01, "embedder_change": 0.01, **changes}


def _folder(folder: Path, lines: list[dict[str, Any]]) -> Path:
    phase = {"from_step": 0, "settings": asdict(TrainingSettings())}
    write_checkpoint(folder / CHECKPOINT, {"phases": [phase]})
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_healthy(tmp_path: Path) -> None:
    result = run("doctor", _folder(tmp_path, [_line(step) for step in range(20, 300, 20)]), code=0)
    assert result.stdout == f"{tmp_path}: healthy at step 280\n"


def test_ill(tmp_path: Path) -> None:
    folder = _folder(tmp_path, [_line(20, learning_rate=0.0, bits=None)])
    first, *findings = run("doctor", folder, code=1).stdout.splitlines()
    assert first == f"{tmp_path}: ill at step 20"
    assert [finding.split(":")[0] for finding in findings] == ["  not finite", "  no learning rate"]
    (line,) = json_lines(run("doctor", folder, "--json", code=1))
    assert (line["schema"], line["verdict"], line["step"]) == (1, "ill", 20)
    assert [finding["name"] for finding in line["findings"]] == ["not finite", "no learning rate"]
    assert all(finding.keys() == {"name", "cause", "knob"} for finding in line["findings"])


@pytest.mark.parametrize("count", [0, 3])
def test_too_few_steps(tmp_path: Path, count: int) -> None:
    folder = _folder(tmp_path, [_line(step) for step in range(1, count + 1)])
    (line,) = json_lines(run("doctor", folder, "--json", code=3))
    assert (line["verdict"], line["step"], line["findings"]) == ("undecided", count, [])


def test_no_run(tmp_path: Path) -> None:
    line = refused(2, "doctor", tmp_path)
    assert line == (
        f"watermark: cannot read the checkpoint {tmp_path / CHECKPOINT}: No such file or directory; "
        "give the folder of a run that wrote one\n"
    )
