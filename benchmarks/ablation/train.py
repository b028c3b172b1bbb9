"""Training of an arm: from the released decoder, with generator and envelopes new."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.ablation.arms import Arm
from watermark.nets.model import Model, load_card, load_model, save_model
from watermark.training.checkpoint import CHECKPOINT
from watermark.training.loop import Trainer

_SEED = 1


def write_start(path: Path) -> None:
    """Write the weights that every arm starts from.

    The decoder is the released one, so that a few hundred steps mean something. The generator is fresh (the identity)
    and the envelopes are flat: an arm must not inherit what it is to go without.

    Args:
        path: a ``.safetensors`` file; its card is written beside it.
    """
    release = load_model()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        start = Model(**release.architecture)
    start.decoder.load_state_dict(release.decoder.state_dict())
    save_model(start, path, {"decoder_of_sha256": load_card()["sha256"]})


def train(arm: Arm, steps: int, data: Path, start: Path, folder: Path) -> Path:
    """Train an arm to the end, from where an interrupted training of it stopped.

    Args:
        arm: what to change of the recipe.
        steps: optimiser steps.
        data: folder of training pictures.
        start: weights to start from.
        folder: of the run.

    Returns:
        Path of the weights.

    Raises:
        SettingsError: no pictures, or the run went wrong.
    """
    weights = folder / "model.safetensors"
    if weights.with_suffix(".json").exists():  # the card is written last
        return weights
    trainer = Trainer(arm.settings(steps), data, folder)
    if (folder / CHECKPOINT).exists():
        trainer.resume()
    else:
        trainer.warm_start(start)
    started, first = time.monotonic(), trainer.step

    def report(metrics: dict[str, Any]) -> None:
        pace = (time.monotonic() - started) / (metrics["step"] - first)
        print(f"{arm.name}: step {metrics['step']} of {steps}, {pace:.2f} s a step", file=sys.stderr)

    return trainer.run(report)
