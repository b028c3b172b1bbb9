"""The doctor: reads a run's metrics and settings, and names what ails it and which knob helps.

It judges the last ten lines of the present phase. What shows in a single line (no numbers, no learning rate) is
named at once; what only time shows needs ten lines and 50 steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watermark.training.adversary import WINS
from watermark.training.checkpoint import CHECKPOINT, METRICS, read_checkpoint, read_metrics
from watermark.training.settings import TrainingSettings

_LINES = 10
_STEPS = 50
_UNREAD = 0.55  # bit accuracy; ten lines of chance come within .01 of .5
_UNREAD_IF_SILENT = 0.6  # the same where the loss is that of a decoder that says nothing
_AT_CHANCE = 0.52  # accuracy of the discriminator; without a gradient penalty it was .60 to .62 at 36 dB
_HELD = WINS + 0.01  # the same: at WINS itself a healthy one sits, for there it stops learning
_ROLLBACKS = 3
_SATURATED = 0.25  # share of pixels; photographs with white skies reach a hundredth at the usual strengths

Lines = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One ailment.

    Attributes:
        name: what it is called, for programs.
        cause: what was seen, in words.
        knob: what to change.
    """

    name: str
    cause: str
    knob: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the doctor says.

    Attributes:
        step: last step in the metrics, 0 if there is none.
        findings: what ails the run, the gravest first.
        decided: whether there were enough steps to call a run without findings healthy.
    """

    step: int
    findings: tuple[Finding, ...]
    decided: bool

    @property
    def verdict(self) -> str:
        """``healthy``, ``ill`` or ``undecided``."""
        return "ill" if self.findings else "healthy" if self.decided else "undecided"


def examine(run: Path) -> Diagnosis:
    """Diagnose the run in a folder.

    Raises:
        SettingsError: the folder holds no checkpoint, one of another version, or damaged metrics.
    """
    phase = read_checkpoint(run / CHECKPOINT)["phases"][-1]
    settings = TrainingSettings.from_dict(phase["settings"])
    lines = read_metrics(run / METRICS)
    return diagnose([line for line in lines if line["step"] > phase["from_step"]], settings)


def diagnose(lines: Lines, settings: TrainingSettings) -> Diagnosis:
    """Diagnose a run from the metrics of its present phase, oldest first, and its settings."""
    if not lines:
        return Diagnosis(0, (), decided=False)
    recent = lines[-_LINES:]
    long_enough = len(lines) >= _LINES and _steps(lines, settings) >= _STEPS
    findings = [_no_numbers(recent), _no_rate(recent), _lost(recent, settings), _rolled_back(recent, settings)]
    if len(lines) >= _LINES:
        findings += [_frozen(recent, settings), _saturated(recent, settings)]
    if long_enough:
        findings += [_unread(recent, settings), _discriminator(lines, settings)]
        if not any(findings):  # a curriculum waits for bits that are ill otherwise
            findings.append(_stuck(lines, settings))
    return Diagnosis(lines[-1]["step"], tuple(filter(None, findings)), long_enough)


def _steps(lines: Lines, settings: TrainingSettings) -> int:
    """Steps that the lines cover."""
    steps: int = lines[-1]["step"] - lines[0]["step"] + settings.log_every
    return steps


def _column(lines: Lines, name: str) -> list[float]:
    return [line[name] for line in lines if line.get(name) is not None]


def _mean(lines: Lines, name: str) -> float | None:
    values = _column(lines, name)
    return sum(values) / len(values) if values else None


def _no_numbers(lines: Lines) -> Finding | None:
    skipped = _column(lines, "skipped")
    often = len(skipped) > 1 and skipped[-1] - skipped[0] > 0.1 * (lines[-1]["step"] - lines[0]["step"])
    if often or any(line["bits"] is None for line in lines):
        return Finding(
            "not finite",
            f"losses or gradients are not finite, {skipped[-1] if skipped else 0:.0f} steps were skipped so far",
            "lower learning_rate; if that does not help, set bf16 = false",
        )
    return None


def _no_rate(lines: Lines) -> Finding | None:
    rates = _column(lines, "learning_rate")
    if rates and not any(rates):
        return Finding("no learning rate", "the learning rate is zero", "raise learning_rate, usually 2e-3")
    return None


def _lost(lines: Lines, settings: TrainingSettings) -> Finding | None:
    last = lines[-1]
    best = last.get("best_accuracy", 0.0)
    if best - last["running_accuracy"] > settings.max_drop:
        return Finding(
            "bits lost",
            f"the running bit accuracy fell to {last['running_accuracy']:.2f}, from a best of {best:.2f}",
            "lower learning_rate, or the pace of the curriculum: strength_step and level_step",
        )
    return None


def _rolled_back(lines: Lines, settings: TrainingSettings) -> Finding | None:
    count = lines[-1].get("rollbacks", 0)
    if count >= _ROLLBACKS:
        return Finding(
            "rolled back",
            f"the run went wrong and was rolled back {count} times so far, of {settings.max_rollbacks} allowed",
            "lower learning_rate, or the pace of the curriculum: strength_step and level_step",
        )
    return None


def _frozen(lines: Lines, settings: TrainingSettings) -> Finding | None:
    if not any(_column(lines, "learning_rate")):
        return None  # named already
    learning = {"decoder": True, "embedder": settings.train_embedder and settings.use_generator}
    still = [name for name in learning if learning[name] and _mean(lines, f"{name}_change") == 0]
    if still:
        return Finding(
            "frozen",
            f"the weights of the {' and the '.join(still)} do not move although they should",
            "leave the model in training mode with gradients on: no requires_grad_(False), no inference mode",
        )
    return None


def _saturated(lines: Lines, settings: TrainingSettings) -> Finding | None:
    share = _mean(lines, "clipped_share")
    if share is not None and share > _SATURATED:
        return Finding(
            "saturated",
            f"the residual drives {share:.0%} of the pixels into black or white, where no gradient passes",
            f"raise strength_start, which is {settings.strength_start:g} dB, to 30 or more",
        )
    return None


def _unread(lines: Lines, settings: TrainingSettings) -> Finding | None:
    accuracy, loss = _mean(lines, "bit_accuracy"), _mean(lines, "bits")
    if accuracy is None or loss is None:
        return None
    silent = abs(loss / math.log(2) - 1) < 0.01
    if accuracy > (_UNREAD_IF_SILENT if silent else _UNREAD):
        return None
    what = "the decoder is silent, its loss ln 2" if silent else f"the decoder gives noise, its loss {loss:.2f}"
    return Finding(
        "bits unread",
        f"the bits are not read: {accuracy:.0%} are right, and chance gives 50%; {what}",
        f"lower strength_start, which is {settings.strength_start:g} dB, until bits leave chance; then learning_rate",
    )


def _discriminator(lines: Lines, settings: TrainingSettings) -> Finding | None:
    met = [line for line in lines if line.get("discriminator_accuracy") is not None]
    if len(met) < _LINES or _steps(met, settings) < _STEPS * settings.adversarial_every:
        return None
    accuracies = _column(met[-_LINES:], "discriminator_accuracy")
    if min(accuracies) > _HELD:
        return Finding(
            "discriminator wins",
            f"the discriminator tells {min(accuracies):.1%} of the patches or more, and the generator does not answer",
            "lower discriminator_learning_rate or raise adversarial_weight",
        )
    if max(abs(accuracy - 0.5) for accuracy in accuracies) < 0.001:
        return Finding(
            "discriminator collapsed",
            "the discriminator says the same of every patch",
            "raise discriminator_learning_rate, or switch it off: adversarial_start = 1",
        )
    if (mean := sum(accuracies) / len(accuracies)) < _AT_CHANCE:
        return Finding(
            "discriminator at chance",
            f"the discriminator tells {mean:.1%} of the patches, where chance gives 50%: it teaches nothing",
            "raise discriminator_learning_rate; if it stays, the marks cannot be told: lower adversarial_weight, or "
            "switch it off: adversarial_start = 1",
        )
    return None


def _stuck(lines: Lines, settings: TrainingSettings) -> Finding | None:
    """The curriculum has not moved for a tenth of the run, at least 50 steps, and is not at its end."""
    last = lines[-1]
    strength_due = settings.strength_step > 0 and last["strength"] < settings.strength_target
    level_due = settings.level_step > 0 and last["level"] < 1
    since = last["step"] - max(_STEPS, settings.steps // 10)
    if not (strength_due or level_due) or lines[0]["step"] > since + settings.log_every:
        return None
    if all(
        (line["strength"], line["level"]) == (last["strength"], last["level"]) for line in lines if line["step"] > since
    ):
        return Finding(
            "curriculum stuck",
            f"strength and attack level wait at {last['strength']:g} dB and {last['level']:g}: the running bit "
            f"accuracy, {last['running_accuracy']:.2f}, stays under the gate",
            f"lower accuracy_gate, which is {settings.accuracy_gate:g}, or strength_start",
        )
    return None
