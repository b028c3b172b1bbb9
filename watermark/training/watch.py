"""The watch over a run: counts steps without a gradient, and notices when the bits are lost."""

from __future__ import annotations

from dataclasses import dataclass

from watermark.training.settings import TrainingSettings


@dataclass(slots=True)
class Watch:
    """How a run fares.

    Attributes:
        skipped: steps skipped so far, their losses or gradients not being finite.
        skipped_in_a_row: those of them since the last step taken.
        best: highest running bit accuracy so far, counted up to the accuracy gate: down to there, the curriculum
            itself takes it, and there it waits.
        rollbacks: how often the run was rolled back.

    Example:
        >>> settings, watch = TrainingSettings(accuracy_gate=0.85, max_drop=0.15), Watch()
        >>> for accuracy in (0.97, 0.72):
        ...     watch.take(accuracy, settings)
        >>> watch.trouble(0.72, settings) is None, watch.trouble(0.69, settings)
        (True, 'the running bit accuracy fell to 0.69, from a best of 0.85')
    """

    skipped: int = 0
    skipped_in_a_row: int = 0
    best: float = 0.0
    rollbacks: int = 0

    def skip(self) -> None:
        """Count a step that was skipped."""
        self.skipped += 1
        self.skipped_in_a_row += 1

    def take(self, accuracy: float, settings: TrainingSettings) -> None:
        """Count a step that was taken, after which the running bit accuracy is ``accuracy``."""
        self.skipped_in_a_row = 0
        self.best = max(self.best, min(accuracy, settings.accuracy_gate))

    def is_good(self, accuracy: float, settings: TrainingSettings) -> bool:
        """Whether the present state is worth keeping: its step was taken, and trouble is not near."""
        return not self.skipped_in_a_row and accuracy >= self.best - settings.max_drop / 2

    def trouble(self, accuracy: float, settings: TrainingSettings) -> str | None:
        """Why the run must be rolled back, if it must."""
        if self.skipped_in_a_row >= settings.max_skips:
            return f"{self.skipped_in_a_row} steps in a row gave no finite loss and gradient"
        if accuracy < self.best - settings.max_drop:
            return f"the running bit accuracy fell to {accuracy:.2f}, from a best of {self.best:.2f}"
        return None
