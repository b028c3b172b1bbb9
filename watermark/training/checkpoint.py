"""A run's files: checkpoints, metrics, and the weights to start another run from."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from watermark.errors import SettingsError
from watermark.files import write_atomically
from watermark.nets.model import load_model

CHECKPOINT = "checkpoint.pt"
METRICS = "metrics.jsonl"
VERSION = 2
# all that torch and a state of another shape were seen to raise
_DAMAGED = (OSError, EOFError, RuntimeError, LookupError, TypeError, ValueError, AttributeError, pickle.UnpicklingError)


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a state, whole or not at all."""
    buffer = io.BytesIO()
    torch.save({"version": VERSION, **state}, buffer)
    write_atomically(path, buffer.getvalue())


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The state in a file of :func:`write_checkpoint`, on the CPU.

    Raises:
        SettingsError: the file is missing, damaged, or of another version of the toolkit.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        version = state.get("version", 1)
    except _DAMAGED as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0] or type(error).__name__
        raise SettingsError(
            f"cannot read the checkpoint {path}: {reason}; give the folder of a run that wrote one"
        ) from error
    if version != VERSION:
        raise SettingsError(
            f"the checkpoint {path} must be of version {VERSION}, but is of {version}; start its run again, "
            "or a new one from its weights: --warm-start model.safetensors"
        )
    return state


def read_weights(path: Path) -> tuple[dict[str, Tensor], str]:
    """Weights to start from: those of a weights file, or the averaged ones of a checkpoint.

    Args:
        path: a ``.safetensors`` file with its card beside it, or a ``.pt`` checkpoint.

    Returns:
        The state of a :class:`watermark.nets.model.Model`, and the SHA-256 of the file.

    Raises:
        SettingsError: the checkpoint cannot be read.
        WeightsError: the weights cannot be read.
    """
    if path.suffix == ".safetensors":
        weights: dict[str, Tensor] = load_model(path).state_dict()
    else:
        weights = read_checkpoint(path)["average"]
    return weights, hashlib.sha256(path.read_bytes()).hexdigest()


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The lines of a metrics file, none if there is no file; a last line that was not finished is left out.

    Raises:
        SettingsError: a line is damaged.
    """
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    try:
        return [json.loads(line) for line in lines if line.endswith("\n")]
    except ValueError as error:
        raise SettingsError(f"cannot read the metrics {path}: {error}; remove the damaged line") from error
