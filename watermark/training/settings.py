"""All knobs of training in one frozen dataclass, read from TOML, unknown keys refused."""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watermark.errors import SettingsError

RECIPES = Path(__file__).parent / "recipes"
_LEAST = {
    **dict.fromkeys(("steps", "batch", "accumulate", "adversarial_every", "candidates", "max_skips"), 1),
    **dict.fromkeys(("log_every", "validate_every", "checkpoint_every"), 1),
    **dict.fromkeys(("decoder_channels", "decoder_blocks", "generator_channels"), 1),
    **dict.fromkeys(("mine_every", "max_rollbacks", "strength_step", "strength_spread", "level_step"), 0),
    **dict.fromkeys(("learning_rate", "envelope_learning_rate", "discriminator_learning_rate"), 0),
    **dict.fromkeys(("pilot_weight", "visibility_weight", "adversarial_weight"), 0),
}
_SHARES = ("pilot_share", "accuracy_gate", "adversarial_start", "average", "max_drop")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """Settings of a run.

    Attributes:
        steps: optimiser steps in all.
        batch: images a step, over all processes.
        accumulate: micro-batches into which each process cuts its share of the batch, to save memory.
        crop: side of the training crops in pixels, a multiple of 8.
        seed: seed of everything random.
        learning_rate: of AdamW, flat for half of the run, then cosine to zero.
        envelope_learning_rate: factor on it for the spectral envelopes.
        strength_start: mean PSNR over photographs in dB at the start; easy.
        strength_target: the same at the end.
        strength_step: dB added a step while the bits read.
        strength_spread: each image is drawn within this many dB of the current strength.
        level_step: attack level (0 to 1) added a step while the bits read.
        accuracy_gate: running bit accuracy above which the curriculum moves on.
        pilot_share: share of the pattern's energy given to the pilot tones.
        pilot_weight: weight of the loss on the pilot tones.
        visibility_weight: weight of the logarithm of the quality loss.
        adversarial_weight: weight of the generator's adversarial loss.
        adversarial_start: share of the run after which the discriminator starts; 1 is never.
        adversarial_every: the discriminator takes part in every n-th step.
        discriminator_learning_rate: of its own Adam.
        average: decay of the weight average that is released.
        decoder_channels: width of the decoder.
        decoder_blocks: depth of the decoder.
        generator_channels: width of the generator.
        train_embedder: whether generator and transmit envelope learn; if not, only the decoder's side does.
        use_generator: whether the generator shapes the pattern; if not, it stays the identity.
        mine_every: every n-th step trains against the worst of several attack chains for each image; 0 is never.
        candidates: chains to choose the worst from.
        max_skips: steps in a row without finite gradients after which the run is rolled back.
        max_drop: fall of the running bit accuracy after which it is rolled back (see ``Watch``).
        max_rollbacks: rollbacks in a run, each with other seeds; at one more it stops.
        bf16: compute the networks in bfloat16.
        log_every: steps between lines of metrics.
        validate_every: steps between validations on held-out pictures.
        checkpoint_every: steps between checkpoints.
    """

    steps: int = 5000
    batch: int = 32
    accumulate: int = 1
    crop: int = 256
    seed: int = 1
    learning_rate: float = 2e-3
    envelope_learning_rate: float = 5.0
    strength_start: float = 36.0
    strength_target: float = 45.0
    strength_step: float = 0.02
    strength_spread: float = 2.0
    level_step: float = 0.002
    accuracy_gate: float = 0.85
    pilot_share: float = 0.2
    pilot_weight: float = 0.1
    visibility_weight: float = 0.1
    adversarial_weight: float = 0.02
    adversarial_start: float = 0.6
    adversarial_every: int = 2
    discriminator_learning_rate: float = 4e-4
    average: float = 0.998
    decoder_channels: int = 48
    decoder_blocks: int = 3
    generator_channels: int = 32
    train_embedder: bool = True
    use_generator: bool = True
    mine_every: int = 0
    candidates: int = 4
    max_skips: int = 20
    max_drop: float = 0.15
    max_rollbacks: int = 3
    bf16: bool = True
    log_every: int = 20
    validate_every: int = 500
    checkpoint_every: int = 250

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            kind = type(field.default)
            if type(value) is not kind and not (kind is float and type(value) is int):
                raise SettingsError(f"{field.name} must be of type {kind.__name__}, but is {value!r}")
        for name, least in _LEAST.items():
            if getattr(self, name) < least:
                raise SettingsError(f"{name} must be at least {least}, but is {getattr(self, name)}")
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise SettingsError(f"{name} must be 0 to 1, but is {getattr(self, name)}")
        if self.crop % 8 or self.crop < 64:
            raise SettingsError(f"crop must be a multiple of 8 and at least 64, but is {self.crop}")
        if self.batch % self.accumulate:
            raise SettingsError(f"batch must be a multiple of accumulate, {self.accumulate}, but is {self.batch}")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainingSettings:
        """Settings from names and values.

        Raises:
            SettingsError: a name is unknown (those nearest are suggested) or a value is of the wrong type.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        if unknown := sorted(set(values) - known):
            near = [match for name in unknown for match in difflib.get_close_matches(name, known, n=1)]
            hint = f"did you mean {', '.join(map(repr, near))}?" if near else "see `watermark train --help`"
            raise SettingsError(f"unknown training settings: {', '.join(unknown)}; {hint}")
        return cls(**values)

    @classmethod
    def load(cls, path: Path | None, overrides: dict[str, Any]) -> TrainingSettings:
        """Settings from a TOML file (or the defaults), with some replaced.

        Raises:
            SettingsError: the file cannot be read, a name is unknown, or a value is of the wrong type.
        """
        values: dict[str, Any] = {}
        if path is not None:
            try:
                values = tomllib.loads(path.read_text())
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or error
                raise SettingsError(f"cannot read the settings {path}: {reason}") from error
        return cls.from_dict({**values, **overrides})
