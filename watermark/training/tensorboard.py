"""TensorBoard beside the metrics file, if its extra is installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from watermark.errors import SettingsError


def tensorboard_report(output: Path, first: int) -> Callable[[dict[str, Any]], None]:
    """A report for ``Trainer.run`` that writes each figure to ``output/tensorboard``.

    Args:
        output: folder of the run.
        first: step from which the run goes on; later ones of an interrupted run are hidden.

    Raises:
        SettingsError: TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise SettingsError(
            "--tensorboard needs TensorBoard; install it with: pip install 'watermark-toolkit[tensorboard]'"
        ) from error
    writer = SummaryWriter(str(output / "tensorboard"), purge_step=first + 1)

    def report(metrics: dict[str, Any]) -> None:
        for name, value in metrics.items():
            if name != "step" and value is not None:
                writer.add_scalar(name, value, metrics["step"])
        writer.flush()

    return report
