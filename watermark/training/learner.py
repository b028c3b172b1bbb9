"""The networks and what makes them learn: optimiser, weight average, adversary."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from watermark.errors import SettingsError
from watermark.nets.model import Model
from watermark.training.adversary import Adversary
from watermark.training.checkpoint import read_weights
from watermark.training.data import derive_seed
from watermark.training.settings import TrainingSettings

_CLIP = 1.0  # norm to which gradients are cut


class Learner:
    """All that training changes by gradients.

    Args:
        settings: all knobs.
        device: where to compute.

    Attributes:
        model: the networks.
        average: running average of their weights, which is released.
        adversary: discriminator with its own optimiser.
        optimiser: AdamW of the model.
    """

    def __init__(self, settings: TrainingSettings, device: torch.device) -> None:
        self.settings = settings
        torch.manual_seed(derive_seed(settings.seed, "weights", 0))
        self.model = Model(
            settings.generator_channels, settings.decoder_channels, settings.decoder_blocks, settings.pilot_share
        )
        self.model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        self.adversary = Adversary(settings, device)
        envelopes = [self.model.log_transmit, self.model.log_receive]
        others = [*self.model.generator.parameters(), *self.model.decoder.parameters()]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": others, "factor": 1.0},
                {"params": envelopes, "factor": settings.envelope_learning_rate, "weight_decay": 0.0},
            ],
            lr=settings.learning_rate,
            betas=(0.9, 0.98),
        )
        self.freeze()

    def freeze(self) -> None:
        """Freeze what the settings say shall not learn; a generator that is not used becomes the identity."""
        settings = self.settings
        self.model.generator.requires_grad_(settings.train_embedder and settings.use_generator)
        self.model.log_transmit.requires_grad_(settings.train_embedder)
        if not settings.use_generator:
            for model in (self.model, self.average):
                for parameter in model.generator.head.parameters():
                    nn.init.zeros_(parameter)

    def begin(self, contested: bool) -> None:
        """Clear the gradients before a step; ``contested`` says whether the adversary takes part in it."""
        self.optimiser.zero_grad()
        if contested:
            self.adversary.prepare()

    def backward(self, loss: Tensor) -> None:
        """Add to the gradients of the model, and not to the discriminator's, which ``loss`` may have passed."""
        loss.backward(inputs=[parameter for parameter in self.model.parameters() if parameter.requires_grad])

    def update(self, figures: dict[str, float], contest: float | None, step: int) -> tuple[bool, dict[str, float]]:
        """Take the step on the gradients gathered, or skip it where they or the losses are not finite.

        Args:
            figures: losses and other scalars of the step by name.
            contest: share of patches that the discriminator judged rightly, if it took part.
            step: number of the step, from 0.

        Returns:
            Whether the step was taken, and its learning rate, gradient norm (before it is cut to 1) and relative
            changes of the decoder's and the embedder's weights.
        """
        rate = self.settings.learning_rate * rate_factor(step / self.settings.steps)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["factor"]
        norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), _CLIP))
        finite = [norm, *figures.values()]
        if contest is not None:
            finite.append(float(nn.utils.clip_grad_norm_(self.adversary.discriminator.parameters(), _CLIP)))
        before = copy.deepcopy(self.model.state_dict())
        taken = all(math.isfinite(value) for value in finite)
        if taken:
            self.optimiser.step()
            if contest is not None:
                self.adversary.learn(contest)
            decay = min(self.settings.average, (1 + step) / (10 + step))
            with torch.no_grad():
                for mean, value in zip(self.average.parameters(), self.model.parameters(), strict=True):
                    mean.lerp_(value, 1 - decay)
        after = self.model.state_dict()
        decoder = {name for name in after if name.startswith("decoder.") or name == "log_receive"}
        return taken, {
            "learning_rate": rate,
            "gradient_norm": norm,
            "decoder_change": _relative_change(before, after, decoder),
            "embedder_change": _relative_change(before, after, after.keys() - decoder),
        }

    def warm_start(self, path: Path) -> str:
        """Begin with the weights of another run.

        Args:
            path: weights (``.safetensors``, card beside them) or a checkpoint, of networks of the same shape.

        Returns:
            SHA-256 of the file.

        Raises:
            SettingsError: the networks are of another shape, or the checkpoint cannot be read.
            WeightsError: the weights cannot be read.
        """
        weights, digest = read_weights(path)
        try:
            self.model.load_state_dict(weights)
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise SettingsError(f"cannot start from {path}, its networks are of another shape: {reason}") from error
        self.average.load_state_dict(weights)
        self.freeze()
        return digest

    def state_dict(self) -> dict[str, Any]:
        """All that changes, for a checkpoint."""
        parts = ("model", "average", "optimiser", "adversary")
        return {name: getattr(self, name).state_dict() for name in parts}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a state of :meth:`state_dict`; other entries are left alone."""
        for name in ("model", "average", "optimiser", "adversary"):
            getattr(self, name).load_state_dict(state[name])
        self.freeze()


def rate_factor(progress: float) -> float:
    """Learning rate relative to its highest: flat for half of the run, then cosine to zero.

    Args:
        progress: share of the run that is done, 0 to 1.

    Example:
        >>> [round(rate_factor(progress), 3) for progress in (0.0, 0.5, 0.75, 1.0)]
        [1.0, 1.0, 0.5, 0.0]
    """
    return 1.0 if progress < 0.5 else 0.5 * (1 + math.cos(math.pi * (2 * progress - 1)))


def _relative_change(before: dict[str, Tensor], after: dict[str, Tensor], names: set[str]) -> float:
    """Norm of the change of the named parameters over their norm."""
    change = torch.stack([(after[name] - before[name]).square().sum() for name in names]).sum()
    size = torch.stack([before[name].square().sum() for name in names]).sum()
    return float((change / size.clamp_min(1e-20)).sqrt())
