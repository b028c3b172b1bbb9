"""Where the time of a training step goes, part by part, on one core.

    python -m benchmarks.speed.training --data FOLDER [--preset cpu] [--repeats 9]

Prints one JSON line: the median of each part in milliseconds, forward and, where it has one, backward. Parts are
timed one by one on the same batch, so they do not add up to the step exactly; ``shares`` are of their sum.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from watermark.training.curriculum import attack_views
from watermark.training.data import Pictures
from watermark.training.draw import draw_step
from watermark.training.learner import Learner
from watermark.training.loop import Trainer
from watermark.training.losses import visibility_loss
from watermark.training.settings import RECIPES, TrainingSettings
from watermark.training.step import embed_views, networks_precision


def timed(forward: Callable[[], Any], repeats: int) -> dict[str, float]:
    """Median milliseconds of a call, and of the backward pass of what it returns, after one warm-up."""
    times: list[tuple[float, float]] = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        result = forward()
        middle = time.perf_counter()
        if isinstance(result, Tensor) and result.requires_grad:
            result.sum().backward()
        times.append((middle - started, time.perf_counter() - middle))
    medians = 1000 * np.median(times[1:], axis=0)
    return {"forward_ms": round(float(medians[0]), 2), "backward_ms": round(float(medians[1]), 2)}


def measure(data: Path, settings: TrainingSettings, repeats: int) -> dict[str, Any]:
    """Times of a step's parts at attack level 1 and strength 45 dB, whole views; and of whole steps, at level 0."""
    pictures, learner = Pictures(data), Learner(settings, torch.device("cpu"))
    draw = draw_step(torch.Generator().manual_seed(1), settings.batch, level=1.0)
    views = pictures.batch(0, settings.crop, settings.batch, settings.seed)
    marked = embed_views(learner.model, views, draw, 45.0, settings)
    pattern, strength = torch.randn_like(marked.hosts), torch.full((settings.batch,), 45.0)
    received = marked.views.detach().requires_grad_(True)
    residual = marked.residual.detach().requires_grad_(True)

    def network(name: str, *inputs: Tensor) -> Tensor:
        with networks_precision(views, settings.bf16):
            result: Tensor = getattr(learner.model, name)(*inputs)
        return result

    parts = {
        "data": lambda: pictures.batch(0, settings.crop, settings.batch, settings.seed),
        "generator": lambda: network("residual", marked.hosts, pattern, strength),
        "attacks": lambda: attack_views(received, draw.chains[0])[0],
        "decoder": lambda: network("estimate", received),
        "visibility": lambda: visibility_loss(marked.hosts, residual),
    }
    times = {name: timed(part, repeats) for name, part in parts.items()}
    total = sum(sum(part.values()) for part in times.values())
    trainer = Trainer(settings, data, data)  # writes nothing before it runs
    return {
        "batch": settings.batch,
        "crop": settings.crop,
        "threads": torch.get_num_threads(),
        "parts": times,
        "shares": {name: round(sum(part.values()) / total, 3) for name, part in times.items()},
        "step_ms": timed(trainer._train_step, repeats)["forward_ms"],
    }


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of tar shards or of images")
    parser.add_argument("--preset", default="cpu", help="recipe whose settings are timed")
    parser.add_argument("--repeats", type=int, default=9)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    settings = TrainingSettings.load(RECIPES / f"{arguments.preset}.toml", {})
    print(json.dumps(measure(arguments.data, settings, arguments.repeats)))


if __name__ == "__main__":
    main()
