"""The doctor, on tiny runs that are healthy or broken on purpose, and on the run of the release."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from torch import nn

from watermark.errors import SettingsError
from watermark.nets.decoder import Decoder
from watermark.training import doctor, step
from watermark.training.checkpoint import CHECKPOINT, METRICS
from watermark.training.doctor import diagnose, examine
from watermark.training.loop import Trainer
from watermark.training.settings import RECIPES, TrainingSettings

RELEASE = Path(__file__).parents[2] / "benchmarks" / "results" / "training.jsonl"


@pytest.fixture
def examined(tmp_path, folder, tiny):
    """Function that trains by tiny settings with some replaced, the trainer broken first, and calls the doctor."""

    def examined(damage=None, **changes):
        trainer = Trainer(tiny(**{"batch": 1, **changes}), folder, tmp_path)
        if damage is not None:
            damage(trainer)
        try:
            trainer.run()
        except SettingsError as error:
            assert "watermark doctor" in str(error)  # noqa: PT017  # a run that stopped is one to examine
        return examine(tmp_path)

    return examined


def named(diagnosis):
    return [finding.name for finding in diagnosis.findings]


def test_a_run_that_learns_is_healthy_once_there_are_enough_steps(examined, tmp_path, tiny):
    changes = {"batch": 2, "crop": 128, "learning_rate": 4e-3, "strength_start": 24.0, "accuracy_gate": 0.7}
    diagnosis = examined(steps=60, log_every=5, adversarial_start=0.5, **changes)
    assert (diagnosis.verdict, diagnosis.step, diagnosis.findings) == ("healthy", 60, ())
    lines = [json.loads(line) for line in (tmp_path / METRICS).read_text().splitlines()]
    assert diagnose(lines[:9], tiny(**changes)).verdict == "undecided"
    assert diagnose([], tiny()).verdict == "undecided"


def test_no_numbers(examined, monkeypatch):
    monkeypatch.setattr(step, "bit_loss", lambda soft, _: (soft * float("nan")).mean(1))
    diagnosis = examined(max_skips=3, max_rollbacks=0, log_every=100)
    assert named(diagnosis) == ["not finite"]
    assert "3 steps were skipped" in diagnosis.findings[0].cause
    assert "learning_rate" in diagnosis.findings[0].knob


def test_no_learning_rate(examined):
    assert named(examined(steps=2, learning_rate=0.0)) == ["no learning rate"]


@pytest.mark.parametrize(
    ("part", "cause"),
    [("decoder", "the weights of the decoder do not move"), ("generator", "the weights of the embedder do not move")],
)
def test_frozen_weights(examined, part, cause):
    def freeze(trainer):
        getattr(trainer.learner.model, part).requires_grad_(False)
        for envelope in (trainer.learner.model.log_transmit, trainer.learner.model.log_receive):
            envelope.requires_grad_(False)

    diagnosis = examined(freeze, steps=10)
    assert named(diagnosis) == ["frozen"]
    assert cause in diagnosis.findings[0].cause


@pytest.mark.parametrize(
    "changes", [{"train_embedder": False}, {"use_generator": False, "envelope_learning_rate": 0.0}]
)
def test_weights_frozen_by_the_settings_are_no_illness(examined, changes):
    assert named(examined(steps=10, **changes)) == []


def test_a_saturated_residual(examined):
    diagnosis = examined(steps=10, strength_start=3.0, strength_spread=0.0)
    assert "saturated" in named(diagnosis)
    assert "strength_start" in diagnosis.findings[-1].knob


def test_bits_too_quiet_to_read(examined):
    diagnosis = examined(steps=50, log_every=5, strength_start=80.0, strength_target=80.0)
    assert named(diagnosis) == ["bits unread"]
    assert "noise" in diagnosis.findings[0].cause
    assert "strength_start, which is 80 dB" in diagnosis.findings[0].knob


def test_a_silent_decoder(examined, monkeypatch):
    forward = Decoder.forward
    monkeypatch.setattr(Decoder, "forward", lambda self, luma: 0 * forward(self, luma))
    diagnosis = examined(steps=50, log_every=5)
    assert named(diagnosis) == ["bits unread"]
    assert "silent, its loss ln 2" in diagnosis.findings[0].cause


class Stubborn(nn.Module):
    """A discriminator that says of every patch that it is unmarked."""

    def __init__(self):
        super().__init__()
        self.score = nn.Parameter(torch.tensor(1.0))

    def forward(self, luma):
        return self.score + 0 * luma


class Clairvoyant(Stubborn):
    """A discriminator that knows, in the order in which it is asked."""

    asked = 0

    def forward(self, luma):
        self.asked += 1
        return self.score * (1 if self.asked % 3 == 1 else -1) + 0 * luma


@pytest.mark.parametrize(("kind", "name"), [(Stubborn, "collapsed"), (Clairvoyant, "wins")])
def test_a_discriminator_that_is_none(examined, kind, name):
    def replace(trainer):
        trainer.learner.adversary.discriminator = kind()

    diagnosis = examined(
        replace, steps=50, log_every=5, adversarial_start=0.0, adversarial_every=1, strength_start=16.0
    )
    assert [found for found in named(diagnosis) if "discriminator" in found] == [f"discriminator {name}"]


def made(count=20, **changes):
    """Lines of a run at its end, ten steps each, that is healthy but for the changes."""
    healthy = {
        "bits": 0.3,
        "bit_accuracy": 0.88,
        "running_accuracy": 0.88,
        "best_accuracy": 0.85,
        "strength": 45.0,
        "level": 1.0,
        "learning_rate": 2e-3,
        "decoder_change": 0.01,
        "embedder_change": 0.01,
        "clipped_share": 0.0,
        "skipped": 0,
        "rollbacks": 0,
        "discriminator_accuracy": 0.63,
    }
    return [
        {"step": 10 * number, **healthy, **{name: values[number % len(values)] for name, values in changes.items()}}
        for number in range(1, count + 1)
    ]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, None),
        ({"discriminator_accuracy": [0.508]}, "discriminator at chance"),
        ({"discriminator_accuracy": [0.48, 0.52, 0.50]}, "discriminator at chance"),
        ({"discriminator_accuracy": [0.5]}, "discriminator collapsed"),
        ({"discriminator_accuracy": [0.53]}, None),
        ({"discriminator_accuracy": [0.965]}, "discriminator wins"),
        ({"discriminator_accuracy": [0.965, 0.94]}, None),  # the guard at work
        ({"bits": [0.6931, 0.6870, 0.6990], "bit_accuracy": [0.58]}, "bits unread"),
        ({"bits": [0.6931], "bit_accuracy": [0.65]}, None),
        ({"bits": [0.66], "bit_accuracy": [0.58]}, None),
        ({"rollbacks": [3]}, "rolled back"),
        ({"rollbacks": [2]}, None),
    ],
)
def test_what_only_the_figures_show(changes, name):
    diagnosis = diagnose(made(**changes), TrainingSettings())
    assert named(diagnosis) == ([] if name is None else [name])


def test_a_discriminator_is_judged_after_50_steps_of_its_own():
    lines = made(14, discriminator_accuracy=[0.508])
    for line in lines[:4]:
        line["discriminator_accuracy"] = None
    settings = TrainingSettings(log_every=10, adversarial_every=2)
    assert named(diagnose(lines, settings)) == ["discriminator at chance"]  # 100 steps, every second its own
    assert named(diagnose(lines, TrainingSettings(log_every=10, adversarial_every=3))) == []


def test_the_table_of_the_document_names_every_finding():
    document = Path(__file__).parents[2] / "docs" / "training.md"
    table = document.read_text().partition("| it says |")[2].partition("\n\n")[0]
    source = Path(doctor.__file__).read_text()
    findings = re.findall(r'return Finding\(\s*"([^"]+)"', source)
    assert len(findings) > 9
    assert sorted(findings) == sorted(re.findall(r"^\| ([a-z][^|]*?) \|", table, flags=re.MULTILINE))


def test_a_curriculum_that_waits_for_ever(examined):
    diagnosis = examined(
        steps=50, log_every=5, batch=2, crop=128, learning_rate=4e-3, strength_start=24.0, accuracy_gate=1.0
    )
    assert named(diagnosis) == ["curriculum stuck"]
    assert "accuracy_gate, which is 1" in diagnosis.findings[0].knob


def test_bits_lost_after_they_were_read(examined):
    def spoil(trainer):
        trainer.curriculum.accuracy = trainer.watch.best = 0.85

    assert named(examined(spoil, steps=40, strength_start=80.0, max_drop=0.1, max_rollbacks=0)) == ["bits lost"]


@pytest.mark.parametrize(("phase", "first", "last"), [(1, 0, 3000), (2, 3000, 5300)])
def test_the_run_of_the_release_was_healthy_at_every_line(phase, first, last):
    settings = TrainingSettings.load(RECIPES / f"release-phase-{phase}.toml", {})
    lines = [json.loads(line) for line in RELEASE.read_text().splitlines()]
    lines = [line for line in lines if first < line["step"] <= last]
    verdicts = {diagnose(lines[: end + 1], settings).verdict for end in range(9, len(lines))}
    assert verdicts == {"healthy"}


def test_only_the_present_phase_counts(tmp_path, folder, tiny):
    Trainer(tiny(steps=2, learning_rate=0.0), folder, tmp_path).run()
    assert examine(tmp_path).verdict == "ill"
    later = Trainer(tiny(steps=4), folder, tmp_path)
    later.resume()
    later.run()
    assert examine(tmp_path).verdict == "undecided"


def test_a_folder_that_is_no_run_is_refused(tmp_path, folder, tiny):
    with pytest.raises(SettingsError, match="cannot read the checkpoint"):
        examine(tmp_path)
    Trainer(tiny(steps=1), folder, tmp_path).run()
    (tmp_path / METRICS).write_text("{\n")
    with pytest.raises(SettingsError, match=r"metrics\.jsonl.*remove the damaged line"):
        examine(tmp_path)
    (tmp_path / METRICS).unlink()
    assert examine(tmp_path).verdict == "undecided"
    assert (tmp_path / CHECKPOINT).exists()
