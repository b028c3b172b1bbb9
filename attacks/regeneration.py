"""What the regenerations by large models share: the folder of weights, the library that reads it, and sizes.

The weights are the user's, on disk in the format of diffusers (``save_pretrained``); nothing is ever downloaded.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from attacks.knowledge import KnowledgeMissing
from attacks.seeded import draw_each

CELL = 16  # pixels; the strides of the models divide it


def load(loader: str, folder: Path, file: str, **options: Any) -> Any:
    """A model, or a pipeline of some, read by diffusers from safetensors in a folder, and from nowhere else.

    Args:
        loader: the class in ``diffusers`` whose ``from_pretrained`` reads it.
        folder: where it lies.
        file: what must be in the folder for it to be one.
        options: of ``from_pretrained``.

    Raises:
        KnowledgeMissing: there is no such file.
        ImportError: diffusers, or transformers where the model needs it, is not installed.
        OSError: other files are missing.
    """
    if not (folder / file).is_file():
        raise KnowledgeMissing(
            f"Knowledge.weights must be a folder that diffusers' save_pretrained wrote, but {folder} holds no {file}; "
            "no weights are downloaded"
        )
    try:
        model = getattr(importlib.import_module("diffusers"), loader)
        return model.from_pretrained(folder, local_files_only=True, use_safetensors=True, **options)
    except ImportError as error:
        raise ImportError(
            "regeneration by a large model needs diffusers and transformers; "
            "pip install 'watermark-toolkit[regeneration]'"
        ) from error


def regenerate(image: Tensor, passes: int, seed: int, draw: Callable[[Tensor, torch.Generator], Tensor]) -> Tensor:
    """Draw each image anew in colour and in whole cells; no gradient passes.

    Args:
        image: in [0, 1], shape (B, C, H, W), C = 1 or 3; the border is repeated up to multiples of 16 pixels.
        passes: how often each image is drawn.
        seed: of the first image; image b has a generator of ``seed + b`` for all passes.
        draw: makes an image, clipped here to [0, 1], of one in [0, 1], both of shape (3, H', W'), and a generator.

    Returns:
        Shape and type of ``image``; grey (C = 1) is the mean of the three channels drawn.
    """
    height, width = image.shape[2:]
    colours = image.detach().float().expand(-1, 3, -1, -1)
    padded = F.pad(colours, (0, -width % CELL, 0, -height % CELL), mode="replicate")

    def draw_again(item: Tensor, generator: torch.Generator) -> Tensor:
        for _ in range(passes):
            item = draw(item, generator).clamp(0, 1)
        return item

    with torch.no_grad():
        drawn = draw_each(padded, seed, draw_again)[..., :height, :width]
    return (drawn if image.shape[1] == 3 else drawn.mean(1, keepdim=True)).to(image)
