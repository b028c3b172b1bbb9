"""Everything random of a training step, drawn at once for the whole batch.

Every process of a run draws all of it from (seed, step) and computes its own share, so the batch of a step is the same
whatever the number of processes and micro-batches, and a resumed run repeats an unbroken one.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor

from attacks import Chain
from attacks.warp import scaling, translation
from watermark.carriers import CODE_BITS, Carriers
from watermark.payload.keys import Key
from watermark.training.curriculum import draw_chain, draw_zoom
from watermark.working import WORKING_SIZE


@dataclass(frozen=True, slots=True)
class StepDraw:
    """What chance decides about a batch of B images.

    Attributes:
        bits: sent bits, 0 or 1, shape (B, 256).
        carriers: those of a fresh key, so that the networks learn no key.
        zoom: how far the views are cropped from a larger marked picture, 1 to 2.6.
        left: column of the tile at the views' left edge.
        top: row of the tile at the views' top edge.
        spread: strength of each image relative to the current one, -1 to 1, shape (B,).
        chains: for each candidate, the attacks of each image.
        jitter: error of the known geometry, up to a quarter of a sample and .2 % of scale, shape (B, 3, 3).
    """

    bits: Tensor
    carriers: Carriers
    zoom: float
    left: int
    top: int
    spread: Tensor
    chains: tuple[tuple[Chain, ...], ...]
    jitter: Tensor

    def part(self, images: slice) -> StepDraw:
        """The draw of some of the images."""
        return dataclasses.replace(
            self,
            bits=self.bits[images],
            spread=self.spread[images],
            chains=tuple(chains[images] for chains in self.chains),
            jitter=self.jitter[images],
        )


def draw_step(generator: torch.Generator, count: int, level: float, candidates: int = 1) -> StepDraw:
    """Draw a step.

    Args:
        generator: the only source of randomness.
        count: images in the batch.
        level: attack level, 0 to 1.
        candidates: chains of attacks for each image.
    """
    return StepDraw(
        bits=torch.randint(2, (count, CODE_BITS), generator=generator).float(),
        carriers=Carriers.from_key(Key(bytes(torch.randint(256, (32,), generator=generator).tolist()))),
        zoom=draw_zoom(generator, level),
        left=int(torch.randint(WORKING_SIZE, (), generator=generator)),
        top=int(torch.randint(WORKING_SIZE, (), generator=generator)),
        spread=torch.rand(count, generator=generator) * 2 - 1,
        chains=tuple(tuple(draw_chain(generator, level) for _ in range(count)) for _ in range(candidates)),
        jitter=torch.stack(
            [
                translation(*(torch.rand(2, generator=generator).sub(0.5) * 0.5).tolist())
                @ scaling(*(1 + torch.rand(2, generator=generator).sub(0.5) * 0.004).tolist())
                for _ in range(count)
            ]
        ),
    )
