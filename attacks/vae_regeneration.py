"""Regeneration by a large variational autoencoder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from attacks.base import integer, register, uniform
from attacks.knowledge import NOTHING, InformedAttack, Knowledge, given
from attacks.limits import Count, NonNegative, Seed
from attacks.regeneration import load, regenerate


@lru_cache(maxsize=1)  # gigabytes
def _autoencoder(folder: Path, device: torch.device) -> Any:
    part = "vae/" if (folder / "vae").is_dir() else ""
    return load("AutoencoderKL", folder, f"{part}config.json", subfolder=part).to(device)


@register(
    "vae_regeneration",
    family="removal",
    unit="standard deviation of the noise in the latent, whose own is about 1; no identity",
    gradient="none",
    needs=("weights",),
)
@dataclass(frozen=True)
class VaeRegeneration(InformedAttack):
    """Encode and decode by the KL autoencoder that the enemy has, with normal noise of ``sigma`` in the latent.

    Zhao et al., "Invisible image watermarks are provably removable using generative AI", NeurIPS 2024; several
    ``passes`` rinse, as WAVES does by diffusion (An et al., ICML 2024). ``Knowledge.weights`` is the folder of a
    diffusers ``AutoencoderKL``, or of a pipeline with one in ``vae/``. It needs the extra ``regeneration``; without it,
    ``apply`` raises ``ImportError``. Image b of a batch uses ``seed + b``.
    """

    sigma: NonNegative = 0.0
    passes: Count = 1
    seed: Seed = 0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        return cls(uniform(generator, 0.0, 0.3 * level), seed=integer(generator, 2**31))

    def apply(self, image: Tensor, knowledge: Knowledge = NOTHING) -> Tensor:  # noqa: D102
        model = _autoencoder(given(knowledge.weights, "weights"), image.device)
        sigma = self.sigma / model.config.scaling_factor  # which brings the latent's deviation to about 1

        def draw(item: Tensor, generator: torch.Generator) -> Tensor:
            latent = model.encode(item[None] * 2 - 1).latent_dist.mode()  # (1, C', H / 8, W / 8)
            noise = torch.randn(latent.shape, generator=generator).to(latent)
            decoded: Tensor = model.decode(latent + sigma * noise).sample[0]
            return (decoded + 1) / 2

        return regenerate(image, self.passes, self.seed, draw)
