"""The discriminator's side of training, with a guard against its winning outright.

A discriminator that tells every patch gives the generator no gradient to follow, and one that learns on drives it into
the ground. So it learns only while its accuracy over the last steps is under 95 %.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import parametrize

from watermark.nets.discriminator import Discriminator
from watermark.training.losses import adversarial_loss, discriminator_loss
from watermark.training.settings import TrainingSettings
from watermark.training.step import networks_precision

WINS = 0.95  # accuracy over the window above which the discriminator does not learn
_WINDOW = 20  # steps


class Adversary:
    """Patch discriminator, its optimiser and its guard.

    Args:
        settings: all knobs.
        device: where to compute.

    Attributes:
        discriminator: scores patches, high for unmarked; in evaluation mode, see :meth:`prepare`.
        optimiser: its own Adam.
        accuracies: share of patches judged rightly in each of its last 20 steps.
    """

    def __init__(self, settings: TrainingSettings, device: torch.device) -> None:
        self.settings = settings
        self.discriminator = Discriminator().eval()
        self.discriminator.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimiser = torch.optim.Adam(
            self.discriminator.parameters(), lr=settings.discriminator_learning_rate, betas=(0.5, 0.99)
        )
        self.accuracies: deque[float] = deque(maxlen=_WINDOW)

    def takes_part(self, step: int) -> bool:
        """Whether a step (counted from 0) has an adversary."""
        settings = self.settings
        started = step >= settings.adversarial_start * settings.steps
        return settings.train_embedder and started and step % settings.adversarial_every == 0

    @property
    def accuracy(self) -> float:
        """Mean of ``accuracies``, which must not be empty."""
        return sum(self.accuracies) / len(self.accuracies)

    def prepare(self) -> None:
        """Begin a step: clear the gradient, and renew the spectral norms.

        The norms change with every pass in training mode; once a step, in evaluation mode for the rest, makes a
        step the same however the batch is cut.
        """
        self.optimiser.zero_grad()
        self.discriminator.train()
        with torch.no_grad():
            for layer in self.discriminator.modules():
                if parametrize.is_parametrized(layer):
                    _ = layer.weight
        self.discriminator.eval()

    def judge(self, hosts: Tensor, marked: Tensor, share: float) -> tuple[Tensor, Tensor]:
        """Judge pictures, adding to the discriminator's gradient.

        Args:
            hosts: unmarked luma, shape (B, 1, H, W).
            marked: marked luma, same shape.
            share: share of the step's batch that this is, the weight of its gradient.

        Returns:
            The generator's loss, unweighted, and the share of patches judged rightly.
        """
        with networks_precision(hosts, self.settings.bf16):
            loss, accuracy = discriminator_loss(self.discriminator, hosts, marked)
            term = adversarial_loss(self.discriminator, marked)
        (loss * share).backward()
        return term, accuracy

    def learn(self, accuracy: float) -> None:
        """Take an optimiser step on the gradient gathered, unless the discriminator has been winning.

        Args:
            accuracy: share of patches judged rightly in this step.
        """
        self.accuracies.append(accuracy)
        if self.accuracy <= WINS:
            self.optimiser.step()

    def state_dict(self) -> dict[str, Any]:
        """All that changes, for a checkpoint."""
        return {
            "discriminator": self.discriminator.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "accuracies": list(self.accuracies),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a state of :meth:`state_dict`."""
        self.discriminator.load_state_dict(state["discriminator"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.accuracies = deque(state["accuracies"], maxlen=_WINDOW)
