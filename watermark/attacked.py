"""Attacking image files: grey stays grey, 16 bits stay 16 bits, alpha stays where the size does."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch

from attacks import Attack, InformedAttack, Knowledge
from watermark.imaging import ImageFile


def has_alpha(image: ImageFile) -> bool:
    """Whether the pixels have an alpha channel."""
    return image.pixels.ndim == 3 and image.pixels.shape[2] == 4


def attack_file(attack: Attack, image: ImageFile, knowledge: Knowledge) -> ImageFile:
    """The file with its pixels attacked.

    Colours of transparent pixels are attacked like all others. Alpha is not: it is kept where the size stays, and lost
    where it changes.

    Args:
        attack: any.
        image: as read.
        knowledge: what an informed attack knows.

    Raises:
        Exception: whatever the attack raises if its parameters are out of range.
    """
    white = np.iinfo(image.pixels.dtype).max
    is_grey = image.pixels.ndim == 2 or image.mode == "LA"  # which was read as RGBA of equal colours
    colours = np.atleast_3d(image.pixels)[..., : 1 if is_grey else 3].astype(np.float32) / white
    picture = torch.from_numpy(colours).permute(2, 0, 1).unsqueeze(0)
    with torch.no_grad():
        out = attack.apply(picture, knowledge) if isinstance(attack, InformedAttack) else attack.apply(picture)
    pixels: Any = (out[0].permute(1, 2, 0).clamp(0, 1).numpy() * white).round().astype(image.pixels.dtype)
    if has_alpha(image) and pixels.shape[:2] == image.pixels.shape[:2]:
        pixels = np.broadcast_to(pixels, (*pixels.shape[:2], 3))
        return dataclasses.replace(image, pixels=np.dstack([pixels, image.pixels[..., 3]]))
    mode = ("L" if is_grey else "RGB") if has_alpha(image) else image.mode
    return dataclasses.replace(image, pixels=pixels[..., 0] if is_grey else pixels, mode=mode)
