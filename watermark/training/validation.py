"""Validation: what the averaged weights read on held-out pictures."""

from __future__ import annotations

import dataclasses

import torch

from attacks import Chain
from attacks.jpeg import Jpeg
from watermark.nets.model import Model
from watermark.perception import quality_loss
from watermark.training.data import Pictures, derive_seed
from watermark.training.draw import draw_step
from watermark.training.losses import SHORT_SIDE
from watermark.training.settings import TrainingSettings
from watermark.training.step import bit_accuracy, embed_views, read_attacked


@torch.no_grad()
def validate(model: Model, pictures: Pictures, settings: TrainingSettings) -> dict[str, float]:
    """Bit accuracy at the target strength on one batch, always the same.

    Args:
        model: the networks.
        pictures: held-out pictures.
        settings: all knobs.

    Returns:
        Mean and worst accuracy clean, after JPEG 50 and after the full attack mix, and the mean quality loss in JOD.
    """
    generator = torch.Generator().manual_seed(derive_seed(settings.seed, "validation", 0))
    draw = dataclasses.replace(draw_step(generator, settings.batch, level=1.0), zoom=1.0)
    views = pictures.batch(0, settings.crop, settings.batch, 0).to(model.log_transmit.device)
    marked = embed_views(model, views, draw, settings.strength_target, settings)
    cases = {
        "clean": [Chain()] * settings.batch,
        "jpeg50": [Chain((Jpeg(50),))] * settings.batch,
        "mixed": draw.chains[0],
    }
    result = {}
    for name, chains in cases.items():
        soft, _ = read_attacked(model, marked, draw, chains, settings)
        accuracy = bit_accuracy(soft, draw.bits)
        result[f"validation_{name}"] = round(float(accuracy.mean()), 4)
        result[f"validation_{name}_worst"] = round(float(accuracy.min()), 4)
    loss = quality_loss(marked.hosts, marked.residual, SHORT_SIDE).mean()
    return {**result, "validation_quality_loss": round(float(loss), 4)}
