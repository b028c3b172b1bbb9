"""``watermark train``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from watermark.cli.options import json_option
from watermark.errors import SettingsError


@click.command("train")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Folder of tar shards or of images.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for checkpoint, metrics, weights.")
@click.option("--settings", type=click.Path(path_type=Path), help="TOML file of settings.")
@click.option("--set", "overrides", multiple=True, metavar="NAME=VALUE", help="Replace one setting; may be repeated.")
@click.option("--device", default="cpu", show_default=True, help="Where to compute: cpu or cuda.")
@click.option("--threads", type=click.IntRange(1), help="CPU threads; one for each core if not given.")
@click.option("--resume", is_flag=True, help="Continue from the checkpoint in OUT; other settings begin a new phase.")
@json_option
def command(
    data: Path,
    out: Path,
    settings: Path | None,
    overrides: tuple[str, ...],
    device: str,
    threads: int | None,
    resume: bool,
    as_json: bool,
) -> None:
    """Train generator, decoder and envelopes from zero; resumable at every checkpoint.

    Metrics go to OUT/metrics.jsonl, the weights to OUT/model.safetensors and their card beside it. The
    settings and their defaults are those of watermark.training.settings.TrainingSettings.
    """
    import torch

    from watermark.training.loop import CHECKPOINT, Trainer
    from watermark.training.settings import TrainingSettings

    if threads is not None:
        torch.set_num_threads(threads)
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise SettingsError(f"cannot compute on {device!r}: {reason}; try --device cpu") from error
    if not resume and (out / CHECKPOINT).exists():
        raise SettingsError(f"{out} holds a checkpoint; give --resume to continue it, or another --out")
    if resume and settings is None:
        chosen = TrainingSettings.from_dict({**_last_settings(out / CHECKPOINT), **_parse(overrides)})
    else:
        chosen = TrainingSettings.load(settings, _parse(overrides))
    trainer = Trainer(chosen, data, out, device)
    if resume:
        trainer.resume()
    with _Progress(chosen.steps, trainer.step) as progress:

        def report(metrics: dict[str, Any]) -> None:
            progress.update(metrics)
            if as_json:
                click.echo(json.dumps(metrics))

        weights = trainer.run(report)
    click.echo(f"wrote {weights}", err=True)


def _last_settings(checkpoint: Path) -> dict[str, Any]:
    """The settings that a checkpoint was written under."""
    import torch

    try:
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        settings: dict[str, Any] = state["phases"][-1]["settings"]
    except Exception as error:  # torch has many ways to say that a file is damaged
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise SettingsError(f"cannot resume from {checkpoint}: {reason}; start without --resume") from error
    return settings


def _parse(overrides: tuple[str, ...]) -> dict[str, Any]:
    """``NAME=VALUE`` pairs; values are read as JSON."""
    values: dict[str, Any] = {}
    for override in overrides:
        name, separator, text = override.partition("=")
        if not separator:
            raise SettingsError(f"--set takes NAME=VALUE, but {override!r} came")
        try:
            values[name] = json.loads(text)
        except ValueError as error:
            raise SettingsError(f"the value of {name} must be a number, true or false, but is {text!r}") from error
    return values


class _Progress:
    """A progress bar on stderr, silent where that is no terminal."""

    def __init__(self, steps: int, done: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.completed}/{task.total} steps"),
            BarColumn(),
            TextColumn("{task.fields[rate]} images/s, bits {task.fields[accuracy]}, left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("train", total=steps, completed=done, rate="-", accuracy="-")

    def __enter__(self) -> _Progress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def update(self, metrics: dict[str, Any]) -> None:
        self._bar.update(
            self._task,
            completed=metrics["step"],
            rate=metrics["images_per_second"],
            accuracy=metrics["running_accuracy"],
        )
