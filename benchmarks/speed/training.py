"""Where the time of a training step goes, part by part, on one core; and what one and two cores train a second.

    python -m benchmarks.speed.training --data FOLDER --out benchmarks/results/speed-training.json

Stores the median of each part in milliseconds, forward and, where it has one, backward. Parts are timed one by one on
the same batch, so they do not add up to the step exactly. Then it writes its tables into ``docs/training.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.page_part import with_part
from benchmarks.report.markdown import markdown_table
from benchmarks.speed.throughput import LAYOUTS, images_per_second
from watermark.training.curriculum import attack_views
from watermark.training.data import Pictures
from watermark.training.draw import draw_step
from watermark.training.learner import Learner
from watermark.training.loop import Trainer
from watermark.training.losses import visibility_loss
from watermark.training.settings import RECIPES, TrainingSettings
from watermark.training.step import embed_views, networks_precision

MARKS = ("<!-- speed: made by benchmarks.speed.training -->\n", "<!-- end of speed -->\n")


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
        "adversary": lambda: learner.adversary.judge(marked.hosts, marked.hosts + residual, 1.0)[0],
    }
    times = {name: timed(part, repeats) for name, part in parts.items()}
    trainer = Trainer(settings, data, data)  # writes nothing before it runs
    return {
        "batch": settings.batch,
        "crop": settings.crop,
        "threads": torch.get_num_threads(),
        "parts": times,
        "step_ms": timed(trainer._train_step, repeats)["forward_ms"],
    }


def lines(result: dict[str, Any]) -> list[str]:
    """The tables as Markdown."""
    profile, about = result["profile"], result["metadata"]
    parts = profile["parts"]
    total = sum(sum(part.values()) for part in parts.values())
    rows = [
        [
            name,
            f"{part['forward_ms']:.0f}",
            f"{part['backward_ms']:.0f}" if part["backward_ms"] >= 0.5 else "",
            f"{100 * sum(part.values()) / total:.0f} %",
        ]
        for name, part in parts.items()
    ]
    speeds = result["images_per_second"]
    alone = next(iter(speeds.values()))
    return [
        f"One core, preset `{result['preset']}`: {profile['batch']} crops of {profile['crop']} pixels, attacks at "
        "level 1, medians in milliseconds. The adversary's forward time holds its own training; it takes part in every "
        f"second of the later steps. A step without it, at level 0, takes {profile['step_ms']:.0f} ms.",
        "",
        *markdown_table(["part", "forward", "backward", "share"], rows),
        "",
        f"Images a second on {about['cores']} cores, load {about['load']} before: the first steps of a run, with the "
        "adversary in every second:",
        "",
        *markdown_table(
            ["layout", "images a second", "ms an image", "against one core"],
            [[name, f"{speed:.1f}", f"{1000 / speed:.0f}", f"{speed / alone:.2f}"] for name, speed in speeds.items()],
        ),
        "",
    ]


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of tar shards or of images")
    parser.add_argument("--out", type=Path, required=True, help="result, JSON")
    parser.add_argument("--page", type=Path, default=Path("docs/training.md"))
    parser.add_argument("--preset", default="cpu", help="recipe whose settings are timed")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--steps", type=int, default=14, help="of a run with each layout")
    arguments = parser.parse_args()
    about = {"cores": len(os.sched_getaffinity(0)), "load": round(os.getloadavg()[0], 2), "torch": torch.__version__}
    speeds = {
        str(layout): images_per_second(layout, arguments.data, arguments.preset, arguments.steps) for layout in LAYOUTS
    }
    torch.set_num_threads(1)
    settings = TrainingSettings.load(RECIPES / f"{arguments.preset}.toml", {})
    result = {
        "schema": 1,
        "metadata": about,
        "preset": arguments.preset,
        "profile": measure(arguments.data, settings, arguments.repeats),
        "images_per_second": speeds,
    }
    arguments.out.write_text(json.dumps(result, indent=1) + "\n")
    arguments.page.write_text(
        with_part(arguments.page.read_text(encoding="utf-8"), MARKS, "\n".join(lines(result))), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
