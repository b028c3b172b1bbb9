"""``watermark train``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from watermark.cli.options import json_option
from watermark.errors import SettingsError

PRESETS = ("smoke", "cpu", "gpu")


@click.command("train")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Folder of tar shards or of images.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for checkpoint, metrics, weights.")
@click.option("--preset", type=click.Choice(PRESETS), help="Settings for a first try, one core, or a GPU.")
@click.option("--settings", type=click.Path(path_type=Path), help="TOML file of settings.")
@click.option("--set", "overrides", multiple=True, metavar="NAME=VALUE", help="Replace one setting; may be repeated.")
@click.option("--device", default="cpu", show_default=True, help="Where to compute: cpu or cuda.")
@click.option("--threads", type=click.IntRange(1), help="CPU threads; one for each core if not given.")
@click.option("--resume", is_flag=True, help="Continue from the checkpoint in OUT; other settings begin a new phase.")
@click.option("--warm-start", type=click.Path(path_type=Path), help="Begin with these weights or this checkpoint.")
@click.option("--tensorboard", is_flag=True, help="Write OUT/tensorboard too; needs the extra of that name.")
@json_option
def command(
    data: Path,
    out: Path,
    preset: str | None,
    settings: Path | None,
    overrides: tuple[str, ...],
    device: str,
    threads: int | None,
    resume: bool,
    warm_start: Path | None,
    tensorboard: bool,
    as_json: bool,
) -> None:
    """Train generator, decoder and envelopes from zero; resumable at every checkpoint.

    Metrics go to OUT/metrics.jsonl, the weights to OUT/model.safetensors and their card beside it. The
    settings and their defaults are in docs/training.md. Under torchrun, the processes share every batch.
    """
    import torch

    from watermark.training.checkpoint import CHECKPOINT, read_checkpoint
    from watermark.training.loop import Trainer
    from watermark.training.settings import RECIPES, TrainingSettings
    from watermark.training.tensorboard import tensorboard_report
    from watermark.training.workers import join_workers

    if preset is not None and settings is not None:
        raise SettingsError("give --preset or --settings, not both; replace single settings by --set")
    if resume and warm_start is not None:
        raise SettingsError("give --resume or --warm-start, not both")
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise SettingsError(f"cannot compute on {device!r}: {reason}; try --device cpu") from error
    if not resume and (out / CHECKPOINT).exists():
        raise SettingsError(f"{out} holds a checkpoint; give --resume to continue it, or another --out")
    file = RECIPES / f"{preset}.toml" if preset is not None else settings
    if resume and file is None:
        last = read_checkpoint(out / CHECKPOINT)["phases"][-1]["settings"]
        chosen = TrainingSettings.from_dict({**last, **_parse(overrides)})
    else:
        chosen = TrainingSettings.load(file, _parse(overrides))
    with join_workers(device) as (workers, place):
        trainer = Trainer(chosen, data, out, place, workers)
        if resume:
            trainer.resume()
        elif warm_start is not None:
            trainer.warm_start(warm_start)
        record = tensorboard_report(out, trainer.step) if tensorboard and workers.rank == 0 else None
        if workers.rank == 0 and trainer.held_out is trainer.pictures:
            click.echo(
                f"watermark: {data} holds too few pictures to set some aside: validating on all of them", err=True
            )
        with _Progress(chosen.steps, trainer.step) as progress:

            def report(metrics: dict[str, Any]) -> None:
                progress.update(metrics)
                if record is not None:
                    record(metrics)
                if as_json:
                    click.echo(json.dumps(metrics))

            weights = trainer.run(report)
        if workers.rank == 0:
            click.echo(f"wrote {weights}", err=True)


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
    """A progress bar on stderr; where that is no terminal, a line for each validation."""

    def __init__(self, steps: int, done: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._steps = steps
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
        if self._bar.disable and "validation_clean" in metrics:
            clean, jpeg, mixed = (metrics[f"validation_{case}"] for case in ("clean", "jpeg50", "mixed"))
            click.echo(
                f"step {metrics['step']} of {self._steps}: validation reads {clean:.1%} of the bits clean, "
                f"{jpeg:.1%} after JPEG 50, {mixed:.1%} after the full mix",
                err=True,
            )
