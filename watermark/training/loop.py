"""The training loop: seeded, resumable at every checkpoint, rolled back where it goes wrong, metrics as JSON lines."""

from __future__ import annotations

import copy
import json
import math
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from watermark.errors import SettingsError
from watermark.files import write_atomically
from watermark.nets.model import save_model
from watermark.training.checkpoint import CHECKPOINT, METRICS, read_checkpoint, read_metrics, write_checkpoint
from watermark.training.curriculum import Curriculum
from watermark.training.data import Pictures, derive_seed
from watermark.training.draw import draw_step
from watermark.training.learner import Learner
from watermark.training.settings import TrainingSettings
from watermark.training.step import compute_step
from watermark.training.validation import validate
from watermark.training.watch import Watch
from watermark.training.workers import Workers


class Report(Protocol):
    """Called with each line of metrics."""

    def __call__(self, metrics: dict[str, Any]) -> None: ...  # noqa: D102


class Trainer:
    """One run of training.

    Args:
        settings: all knobs.
        data: folder of tar shards or images.
        output: folder for checkpoint, metrics and weights; :meth:`run` makes it if it is missing.
        device: where to compute.
        workers: this process among those of the run; by default it is alone.

    Attributes:
        learner: the networks and their optimisers.
        curriculum: how loud and how rough a step is.
        watch: how the run fares.
        step: steps done.
        phases: settings, and the step from which each held.

    Raises:
        SettingsError: there is no picture, or the batch cannot be shared out.
    """

    def __init__(
        self,
        settings: TrainingSettings,
        data: Path,
        output: Path,
        device: str = "cpu",
        workers: Workers | None = None,
    ) -> None:
        self.settings, self.output, self.workers = settings, output, workers or Workers()
        self.device = torch.device(device)
        self.shares = self.workers.shares(settings.batch, settings.accumulate)
        self.pictures = Pictures(data)
        self.held_out = Pictures(data, validation=True) if _has_validation(data) else self.pictures
        self.learner = Learner(settings, self.device)
        self.curriculum, self.watch = Curriculum(settings.strength_start), Watch()
        self.step = 0
        self.phases: list[dict[str, Any]] = [{"from_step": 0, "settings": asdict(settings)}]
        self._good: dict[str, Any] = {}

    def run(self, report: Report | None = None) -> Path:
        """Train to the end, writing metrics and checkpoints, then the weights.

        Args:
            report: called with each line of metrics, as a dictionary.

        Returns:
            Path of the weights.

        Raises:
            SettingsError: the run went wrong more often than it may be rolled back.
        """
        settings = self.settings
        self.output.mkdir(parents=True, exist_ok=True)
        self.workers.wait()  # until all have read what is there
        self.save()
        started, done = time.monotonic(), 0
        while self.step < settings.steps:
            metrics = self._train_step()
            self.step += 1
            done += 1
            trouble = self.watch.trouble(self.curriculum.accuracy, settings)
            last = self.step == settings.steps
            if self.step % settings.validate_every == 0 and self.workers.rank == 0:
                metrics |= validate(self.learner.average, self.held_out, settings)
            if self.step % settings.log_every == 0 or last or trouble:
                speed = done * settings.batch / (time.monotonic() - started)
                self._log({**metrics, "images_per_second": round(speed, 2)}, report)
            if trouble:
                self._roll_back(trouble)
            elif last or (self.step % settings.checkpoint_every == 0 and self._is_good()):
                self.save()
        weights = self.output / "model.safetensors"
        if self.workers.rank == 0:
            save_model(self.learner.average, weights, {"training": {"steps": self.step, "phases": self.phases}})
        return weights

    def _train_step(self) -> dict[str, Any]:
        settings, learner, seed = self.settings, self.learner, self._seed()
        generator = torch.Generator().manual_seed(derive_seed(seed, "step", self.step))
        mined = settings.mine_every > 0 and (self.step + 1) % settings.mine_every == 0
        draw = draw_step(generator, settings.batch, self.curriculum.level, settings.candidates if mined else 1)
        contested = learner.adversary.takes_part(self.step)
        learner.begin(contested)
        sums: dict[str, Tensor] = {}
        for images in self.shares:
            views = self.pictures.batch(self.step, settings.crop, settings.batch, seed, images).to(self.device)
            losses, figures, marked = compute_step(
                learner.model, views, draw.part(images), settings, self.curriculum.strength
            )
            if contested:
                loss, figures["contest"] = learner.adversary.judge(
                    marked.hosts, marked.hosts + marked.residual, 1 / len(self.shares)
                )
                losses["adversary"] = settings.adversarial_weight * loss
            learner.backward(torch.stack(list(losses.values())).sum() / len(self.shares))
            for name, value in (losses | figures).items():
                sums[name] = sums.get(name, torch.zeros_like(value)) + value.detach() / len(self.shares)
        self.workers.average(sums.values())
        self.workers.average_gradients(learner.model, learner.adversary.discriminator)
        means = {name: float(value) for name, value in sums.items()}
        contest = means.pop("contest", None)
        taken, changes = learner.update(means, contest, self.step)
        if taken:
            self.curriculum.update(means["bit_accuracy"], settings)
            self.watch.take(self.curriculum.accuracy, settings)
        else:
            self.watch.skip()
        state: dict[str, float] = {
            "running_accuracy": self.curriculum.accuracy,
            "best_accuracy": self.watch.best,
            "strength": self.curriculum.strength,
            "level": self.curriculum.level,
        }
        if learner.adversary.accuracies:
            state["discriminator_accuracy"] = learner.adversary.accuracy
        counts = {"skipped": self.watch.skipped, "rollbacks": self.watch.rollbacks}
        return {name: _rounded(value) for name, value in (means | changes | state).items()} | counts

    def _seed(self) -> int:
        """Seed of pictures and steps, another after each rollback."""
        seed, rollbacks = self.settings.seed, self.watch.rollbacks
        return derive_seed(seed, "rollback", rollbacks) if rollbacks else seed

    def _log(self, metrics: dict[str, Any], report: Report | None) -> None:
        if self.workers.rank == 0:
            line = {"step": self.step, "images": self.step * self.settings.batch, **metrics}
            with (self.output / METRICS).open("a") as file:
                file.write(json.dumps(line) + "\n")
            if report is not None:
                report(line)

    def _is_good(self) -> bool:
        return self.watch.is_good(self.curriculum.accuracy, self.settings)

    def _roll_back(self, trouble: str) -> None:
        """Return to the last good state, with other seeds."""
        rollbacks = self.watch.rollbacks
        if rollbacks >= self.settings.max_rollbacks:
            raise SettingsError(
                f"training stopped at step {self.step} after {rollbacks} rollbacks: {trouble}; "
                f"`watermark doctor {self.output}` says what to change"
            )
        self._take_over(self._good)
        self.watch.rollbacks = rollbacks + 1
        self._forget_later_metrics()
        self.save()

    def save(self) -> None:
        """Keep a copy of the state in memory to return to, and write it as the checkpoint."""
        state = {
            "step": self.step,
            "phases": self.phases,
            "curriculum": asdict(self.curriculum),
            "watch": asdict(self.watch),
            **self.learner.state_dict(),
        }
        self._good = copy.deepcopy(state)
        if self.workers.rank == 0:
            write_checkpoint(self.output / CHECKPOINT, state)

    def _take_over(self, state: dict[str, Any]) -> None:
        self.learner.load_state_dict(state)
        self.curriculum, self.watch = Curriculum(**state["curriculum"]), Watch(**state["watch"])
        self.step, self.phases = state["step"], state["phases"]

    def resume(self) -> None:
        """Continue from the checkpoint in the output folder; with other settings, this begins a new phase.

        Raises:
            SettingsError: there is none, it is of a run with other networks, or at other settings it would end before
                it goes on.
        """
        path = self.output / CHECKPOINT
        state = read_checkpoint(path)
        try:
            self._take_over(state)
        except (RuntimeError, LookupError, TypeError, ValueError) as error:
            raise SettingsError(f"cannot resume from {path}: {error}; start without --resume") from error
        changed = self.phases[-1]["settings"] != asdict(self.settings)
        if changed and self.settings.steps <= self.step:
            raise SettingsError(
                f"steps must be above {self.step}, the step that {path} has reached, but is {self.settings.steps}"
            )
        self._forget_later_metrics()
        if changed:
            self.phases.append({"from_step": self.step, "settings": asdict(self.settings)})
            self.watch.best = 0.0

    def warm_start(self, path: Path) -> None:
        """Begin with the weights in a file, as a new run from step 0; see :meth:`Learner.warm_start`."""
        self.phases[0]["warm_start_sha256"] = self.learner.warm_start(path)

    def _forget_later_metrics(self) -> None:
        """Cut lines of metrics after the present step: their steps will be repeated."""
        path = self.output / METRICS
        if path.exists() and self.workers.rank == 0:
            kept = [json.dumps(line) + "\n" for line in read_metrics(path) if line["step"] <= self.step]
            write_atomically(path, "".join(kept).encode())


def _rounded(value: float) -> float | None:
    """Five significant digits; None, which is null in JSON, for what is no number."""
    return float(f"{value:.5g}") if math.isfinite(value) else None


def _has_validation(data: Path) -> bool:
    try:
        Pictures(data, validation=True)
    except SettingsError:
        return False
    return True
