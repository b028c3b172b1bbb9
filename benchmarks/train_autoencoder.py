"""Train the autoencoder of the attack ``autoencoder`` on luma crops; a few minutes on one core.

    python -m benchmarks.train_autoencoder --data FOLDER [--out attacks/weights/autoencoder.safetensors]

FOLDER holds tar shards or images with a ``manifest.csv`` (see ``watermark.training.data``).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import save
from torch import Tensor

from attacks.autoencoder import CELL, FEWEST_LEVELS, LATENT, MOST_LEVELS, WEIGHTS, RegenerationNetwork
from attacks.base import log_uniform
from benchmarks.release_card import describe_data
from watermark.files import write_atomically
from watermark.training.data import Pictures

_CROP, _BATCH = 128, 16
_LEARNING_RATE = 2e-3
_START_IMAGES = 200
_VALIDATION_IMAGES = 48
_VALIDATION_CROP = 256
_REPORT_EVERY = 500


def train(
    pictures: Pictures, steps: int, seed: int, report: Callable[[int, float], None] = lambda step, psnr: None
) -> RegenerationNetwork:
    """Train a network on mean square error, from principal components on; each step draws a number of latent levels.

    Args:
        pictures: where crops come from.
        steps: batches of 16 crops of 128 x 128 pixels.
        seed: of weights, crops and levels.
        report: called with each step's number and PSNR in dB.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    network = RegenerationNetwork()
    start_from_principal_components(network, pictures.batch(0, _CROP, _START_IMAGES, seed))
    optimiser = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _LEARNING_RATE, total_steps=steps, pct_start=0.1)
    for step in range(steps):
        luma = pictures.batch(step, _CROP, _BATCH, seed)
        levels = round(log_uniform(generator, FEWEST_LEVELS, MOST_LEVELS))
        loss = F.mse_loss(network(luma, levels), luma)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        report(step + 1, float(-10 * loss.detach().log10()))
    return network.eval()


def start_from_principal_components(network: RegenerationNetwork, luma: Tensor) -> None:
    """Make the network's linear transforms the principal components of 8 x 8 pixels, three deviations within [-1, 1].

    Args:
        network: to be changed.
        luma: pictures in [0, 1], shape (B, 1, H, W), H and W multiples of 8.
    """
    cells = F.pixel_unshuffle(luma - 0.5, CELL).transpose(0, 1).flatten(1)  # (64, B H W / 64)
    variances, vectors = torch.linalg.eigh(cells @ cells.T / cells.shape[1])  # ascending
    ranges = 3 * variances[-LATENT:].sqrt()
    with torch.no_grad():
        network.analysis.weight.copy_((vectors[:, -LATENT:] / ranges).T[:, :, None, None])
        network.synthesis.weight.copy_((vectors[:, -LATENT:] * ranges)[:, :, None, None])
        for transform in (network.analysis, network.synthesis):
            assert transform.bias is not None
            transform.bias.zero_()


def validate(network: RegenerationNetwork, pictures: Pictures, levels: int) -> float:
    """Mean PSNR in dB of single crops of 256 x 256 pixels."""
    luma = pictures.batch(0, _VALIDATION_CROP, _VALIDATION_IMAGES, seed=0)
    with torch.inference_mode():
        error = (network(luma, levels).clamp(0, 1) - luma).square().mean((1, 2, 3))
    return float(-10 * error.log10().mean())


def write(network: RegenerationNetwork, path: Path, card: dict[str, Any]) -> None:
    """Write the weights in 16 bits, and their card beside them (suffix ``.json``)."""
    data = save({name: value.half().contiguous() for name, value in network.state_dict().items()})
    complete = {
        "name": path.stem,
        "licence": "Apache-2.0",
        "sha256": hashlib.sha256(data).hexdigest(),
        "parameters": sum(value.numel() for value in network.parameters()),
        **card,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, data)
    write_atomically(path.with_suffix(".json"), (json.dumps(complete, indent=2) + "\n").encode())


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of tar shards or images with a manifest.csv")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="weights file; its card goes beside it")
    parser.add_argument("--steps", type=int, default=6500)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    start = time.process_time()

    def report(step: int, psnr: float) -> None:
        if step % _REPORT_EVERY == 0:
            print(f"step {step} of {arguments.steps}: {psnr:.2f} dB, {time.process_time() - start:.0f} s", flush=True)

    network = train(Pictures(arguments.data), arguments.steps, arguments.seed, report)
    seconds = time.process_time() - start
    validation = Pictures(arguments.data, validation=True)
    psnr = {str(levels): round(validate(network, validation, levels), 2) for levels in (8, 16, 32, 64)}
    recipe = {
        "steps": arguments.steps,
        "batch": _BATCH,
        "crop": _CROP,
        "learning_rate": _LEARNING_RATE,
        "seed": arguments.seed,
        "levels": [FEWEST_LEVELS, MOST_LEVELS],
        "minutes_on_one_core": round(seconds / 60, 1),
    }
    card = {
        "command": f"python -m benchmarks.train_autoencoder --data FOLDER --steps {arguments.steps}"
        f" --seed {arguments.seed}",
        "recipe": recipe,
        "data": describe_data(arguments.data),
        "metrics": {"validation_images": _VALIDATION_IMAGES, "mean_luma_psnr_db_by_levels": psnr},
    }
    write(network, arguments.out, card)
    print(json.dumps(card["metrics"]))


if __name__ == "__main__":
    main()
