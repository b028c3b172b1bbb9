"""Residuals: what marking added to images, known or estimated, and carried elsewhere."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from attacks.base import Attack
from attacks.knowledge import Knowledge, KnowledgeMissing, given


def residuals(knowledge: Knowledge, count: int, denoiser: Attack) -> Tensor:
    """What marking added to the first ``count`` images of ``knowledge.marked``.

    Returns:
        Marked minus host where the enemy has the hosts, otherwise marked minus denoised; shape (count, C, H, W).

    Raises:
        KnowledgeMissing: there are fewer marked images.
    """
    marked = given(knowledge.marked, "marked")[:count].detach()
    if len(marked) < count:
        raise KnowledgeMissing(f"this attack needs {count} images in Knowledge.marked, but there are {len(marked)}")
    host = denoiser.apply(marked) if knowledge.host is None else knowledge.host[:count].detach()
    return marked - host


def add_residual(image: Tensor, residual: Tensor, gain: float) -> Tensor:
    """Add ``gain`` times a residual (1, C, h, w), brought to the image's size by cubic interpolation, and clip.

    Raises:
        ValueError: image and residual differ in their channels.
    """
    if residual.shape[1] != image.shape[1]:
        raise ValueError(f"the images of Knowledge have {residual.shape[1]} channels, the picture {image.shape[1]}")
    fitted = F.interpolate(residual.to(image), image.shape[2:], mode="bicubic", antialias=True)
    return (image + gain * fitted).clamp(0, 1)
