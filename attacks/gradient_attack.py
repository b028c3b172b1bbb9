"""Gradient attack: the enemy descends the detector's own score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Self

import torch
from torch import Tensor

from attacks.base import register, uniform
from attacks.knowledge import NOTHING, InformedAttack, Knowledge, given
from attacks.limits import Limits, NonNegative


@register(
    "gradient_attack",
    family="removal",
    unit="largest change of a value in grey levels of 255, 0 is the identity",
    gradient="none",
    needs=("score",),
)
@dataclass(frozen=True)
class GradientAttack(InformedAttack):
    """Projected gradient descent on the detector's score.

    ``steps`` steps of ``step`` grey levels against the sign of the gradient, no value ever further than ``epsilon``
    grey levels from where it was (Madry et al., "Towards deep learning models resistant to adversarial attacks", ICLR
    2018; without their random start, so that it repeats).
    """

    epsilon: NonNegative = 2.0
    steps: Annotated[int, Limits(0)] = 10
    step: NonNegative = 0.5

    @classmethod
    def sample(cls, generator: torch.Generator, level: float = 1.0) -> Self:  # noqa: D102
        epsilon = uniform(generator, 0.0, 4 * level)
        return cls(epsilon, 10, epsilon / 4)

    def apply(self, image: Tensor, knowledge: Knowledge = NOTHING) -> Tensor:  # noqa: D102
        score = given(knowledge.score, "score")
        start = image.detach()
        low, high = (start - self.epsilon / 255).clamp(0, 1), (start + self.epsilon / 255).clamp(0, 1)
        attacked = start
        for _ in range(self.steps):
            with torch.inference_mode(False), torch.enable_grad():
                varied = attacked.clone().requires_grad_()
                (gradient,) = torch.autograd.grad(score(varied).sum(), varied)
            attacked = (attacked - self.step / 255 * gradient.sign()).clamp(low, high)
        return attacked
