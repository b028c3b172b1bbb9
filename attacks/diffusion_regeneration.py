"""Regeneration by a latent diffusion model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Self

import torch
from torch import Tensor

from attacks.base import integer, register, uniform
from attacks.knowledge import NOTHING, InformedAttack, Knowledge, given
from attacks.limits import Count, Limits, Seed
from attacks.regeneration import load, regenerate

SCHEDULE = 1000  # timesteps a model is trained for
_STRIDE = 20  # timesteps for a step of WAVES


@lru_cache(maxsize=1)  # gigabytes
def _pipeline(folder: Path, device: torch.device) -> Any:
    pipeline = load("AutoPipelineForImage2Image", folder, "model_index.json", safety_checker=None)
    from diffusers import DPMSolverMultistepScheduler

    pipeline.scheduler = DPMSolverMultistepScheduler.from_config(  # takes any timesteps, which DDIM's does not
        pipeline.scheduler.config,
        solver_order=1,
        algorithm_type="dpmsolver++",
        final_sigmas_type="zero",
        use_karras_sigmas=False,
    )
    pipeline.watermark = None  # that of XL marks what it draws, where invisible-watermark is installed
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device)


@register(
    "diffusion_regeneration",
    family="removal",
    unit="timesteps of noise out of 1000, steps back; no identity",
    gradient="none",
    needs=("weights",),
)
@dataclass(frozen=True)
class DiffusionRegeneration(InformedAttack):
    """Noise the latent by ``timestep`` of 1000 timesteps and denoise it in ``steps``, or as many; the prompt is empty.

    Regen-Diff of WAVES (An et al., ICML 2024) after Zhao et al., "Invisible image watermarks are provably removable
    using generative AI" (NeurIPS 2024); several ``passes`` rinse. The steps, of equal length, are those of DDIM (Song
    et al., ICLR 2021) on the model's own noise schedule. The sources work at 512 x 512; here the picture keeps its
    size. ``Knowledge.weights`` is the folder of a diffusers pipeline of Stable Diffusion 1, 2 or XL. It needs the extra
    ``regeneration``; without it, ``apply`` raises ``ImportError``. Image b of a batch uses ``seed + b``.
    """

    timestep: Annotated[int, Limits(1, SCHEDULE)] = 60
    steps: Count = 3
    passes: Count = 1
    seed: Seed = 0

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        timestep = round(uniform(generator, 40, 40 + 160 * level))
        return cls(timestep, timestep // _STRIDE, seed=integer(generator, 2**31))

    def apply(self, image: Tensor, knowledge: Knowledge = NOTHING) -> Tensor:  # noqa: D102
        pipeline = _pipeline(given(knowledge.weights, "weights"), image.device)
        steps = min(self.steps, self.timestep)
        timesteps = [self.timestep * left // steps - 1 for left in range(steps, 0, -1)]

        def draw(item: Tensor, generator: torch.Generator) -> Tensor:
            drawn: Tensor = pipeline(
                prompt="",
                image=item[None],
                strength=1.0,  # all of the timesteps
                timesteps=timesteps,
                guidance_scale=1.0,  # none: an empty prompt guides nowhere
                generator=generator,
                output_type="pt",
            ).images[0]
            return drawn

        return regenerate(image, self.passes, self.seed, draw)
