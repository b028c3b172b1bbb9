"""What an enemy of this toolkit knows who has its code and weights, other marked pictures, but not the key."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

import watermark as wm
from attacks import Knowledge
from benchmarks.envelope import to_pixels, to_tensor
from watermark.nets.model import load_model
from watermark.working import working_shape

_LUMA = (0.299, 0.587, 0.114)  # Rec. 601


def embedding(key: wm.Key, payload: wm.Payload) -> Callable[[Tensor], Tensor]:
    """The embedder as informed attacks want it: marks images (B, 3, H, W) in [0, 1], short side 128 px or more."""
    embedder = wm.Embedder(key)

    def embed(images: Tensor) -> Tensor:
        return torch.cat([to_tensor(embedder.embed(to_pixels(image[None]), payload).pixels) for image in images])

    return embed


def estimate_correlation(known: Tensor) -> Callable[[Tensor], Tensor]:
    """A score that needs no key: the correlation of the public decoder's estimate with its mean estimate of ``known``.

    Args:
        known: marked images as the enemy has them, (N, 3, H, W) in [0, 1]; what is scored has their size.
    """
    model = load_model()

    def estimate(images: Tensor) -> Tensor:
        luma = (images * torch.tensor(_LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
        height, width = working_shape(*images.shape[2:])
        seen = F.interpolate(luma, (height, width), mode="area")  # as a detector does, so that the gradient fits it
        return model.estimate(F.pad(seen, (0, -width % 8, 0, -height % 8), mode="replicate"))

    with torch.no_grad():
        mark = estimate(known).mean(0, keepdim=True)
    return lambda images: (estimate(images) * mark).sum((1, 2, 3))


def public_knowledge(image: Tensor, marked: Tensor) -> Knowledge:
    """What an enemy knows about a marked image.

    Args:
        image: the marked image, (1, 3, H, W) in [0, 1].
        marked: others with the same key, (N, 3, H, W); of none is the host known.
    """
    own = wm.Key(bytes(32))
    return Knowledge(marked=marked, embed=embedding(own, wm.Payload(bytes(8))), score=estimate_correlation(image))
