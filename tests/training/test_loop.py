"""The training loop: it learns, resumes to the bit, and writes only whole files."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import os
import socket
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from watermark.errors import SettingsError
from watermark.nets.model import load_card, load_model
from watermark.training import loop, step
from watermark.training.checkpoint import CHECKPOINT, METRICS
from watermark.training.loop import Trainer
from watermark.training.losses import bit_loss, pilot_loss
from watermark.training.validation import validate
from watermark.training.workers import join_workers


def lines(output):
    return [json.loads(line) for line in (output / METRICS).read_text().splitlines()]


def without_time(metrics):
    return [{name: value for name, value in line.items() if name != "images_per_second"} for line in metrics]


def states_equal(first, second):
    return all(torch.equal(value, second[name]) for name, value in first.items())


def test_a_short_run_leaves_chance(tmp_path, folder, tiny):
    settings = tiny(steps=40, batch=4, crop=128, learning_rate=4e-3, strength_start=28.0, accuracy_gate=0.99)
    Trainer(settings, folder, tmp_path).run()
    metrics = lines(tmp_path)
    assert [line["step"] for line in metrics] == list(range(1, 41))

    def mean(name, part):
        return sum(line[name] for line in part) / len(part)

    first, last = metrics[:4], metrics[-20:]
    assert mean("bit_accuracy", last) > 0.8
    assert mean("bit_accuracy", last) > mean("bit_accuracy", first) + 0.05
    assert mean("bits", last) < 0.7 * mean("bits", first)


def test_resuming_repeats_an_unbroken_run_to_the_bit(tmp_path, folder, tiny):
    settings = tiny(checkpoint_every=3, adversarial_start=0.3, adversarial_every=1, accuracy_gate=0.4)
    whole = Trainer(settings, folder, tmp_path / "whole")
    whole.run()

    first = Trainer(settings, folder, tmp_path / "parts")

    class Interruption(Exception):
        pass

    def interrupt(metrics):
        if metrics["step"] == 5:  # after the checkpoint at 3
            raise Interruption

    with pytest.raises(Interruption):
        first.run(interrupt)
    with (tmp_path / "parts" / METRICS).open("a") as file:
        file.write('{"step": 6, "ima')  # killed while writing
    torch.rand(100)  # nothing may depend on torch's own generator
    second = Trainer(settings, folder, tmp_path / "parts")
    second.resume()
    assert second.step == 3
    weights = second.run()

    for name in ("model", "average"):
        states = [getattr(trainer.learner, name).state_dict() for trainer in (whole, second)]
        assert states_equal(*states), name
    critics = [trainer.learner.adversary for trainer in (whole, second)]
    assert states_equal(*(critic.discriminator.state_dict() for critic in critics))
    assert critics[0].accuracies == critics[1].accuracies
    assert whole.watch == second.watch
    assert whole.curriculum == second.curriculum
    assert whole.curriculum.level > 0
    expected = without_time(lines(tmp_path / "whole"))
    written = without_time(lines(tmp_path / "parts"))
    assert written == expected  # the steps after the checkpoint are there once
    assert weights.read_bytes() == (tmp_path / "whole" / "model.safetensors").read_bytes()


def test_another_seed_is_another_run(tmp_path, folder, tiny):
    runs = [Trainer(tiny(steps=1, seed=seed), folder, tmp_path / str(number)) for number, seed in enumerate((1, 1, 2))]
    for run in runs:
        run.run()
    first, same, other = (run.learner.model.state_dict() for run in runs)
    assert states_equal(first, same)
    assert not states_equal(first, other)


def test_the_weights_load_and_are_the_average(tmp_path, folder, tiny):
    trainer = Trainer(tiny(steps=3), folder, tmp_path)
    weights = trainer.run()
    assert states_equal(load_model(weights).state_dict(), trainer.learner.average.state_dict())
    assert not states_equal(trainer.learner.average.state_dict(), trainer.learner.model.state_dict())
    card = load_card(weights)
    assert card["training"]["steps"] == 3
    assert [phase["from_step"] for phase in card["training"]["phases"]] == [0]
    assert card["training"]["phases"][0]["settings"]["crop"] == 64


def test_settings_changed_on_resuming_are_a_phase_of_their_own(tmp_path, folder, tiny):
    Trainer(tiny(steps=1), folder, tmp_path).run()
    later = Trainer(tiny(steps=2, batch=3), folder, tmp_path)
    later.resume()
    phases = load_card(later.run())["training"]["phases"]
    assert [(phase["from_step"], phase["settings"]["batch"]) for phase in phases] == [(0, 2), (1, 3)]


@pytest.mark.parametrize("steps", [1, 3])
def test_a_run_cannot_be_cut_short_by_resuming(tmp_path, folder, tiny, steps):
    Trainer(tiny(steps=3), folder, tmp_path).run()
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(SettingsError, match=rf"steps must be above 3, the step that .* has reached, but is {steps}$"):
        Trainer(tiny(steps=steps, learning_rate=1e-3), folder, tmp_path).resume()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == kept


def test_a_run_killed_before_its_weights_writes_them_on_resuming(tmp_path, folder, tiny):
    weights = Trainer(tiny(steps=2), folder, tmp_path).run()
    before = weights.read_bytes()
    weights.unlink()
    again = Trainer(tiny(steps=2), folder, tmp_path)
    again.resume()
    assert again.run().read_bytes() == before
    assert len(again.phases) == 1


def test_only_whole_files_are_left(tmp_path, folder, tiny, monkeypatch):
    trainer = Trainer(tiny(steps=2, checkpoint_every=1), folder, tmp_path)
    trainer.run()
    names = {CHECKPOINT, METRICS, "model.safetensors", "model.json"}
    assert {path.name for path in tmp_path.iterdir()} == names
    before = (tmp_path / CHECKPOINT).read_bytes()

    def full_disk(*_):
        raise OSError("no space left on device")

    trainer.step = 1
    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="no space"):
        trainer.save()
    assert (tmp_path / CHECKPOINT).read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == names


@pytest.mark.parametrize("content", [None, b"", b"no checkpoint"])
def test_a_checkpoint_that_cannot_be_read_is_refused(tmp_path, folder, tiny, content):
    trainer = Trainer(tiny(), folder, tmp_path)
    if content is not None:
        (tmp_path / CHECKPOINT).write_bytes(content)
    with pytest.raises(SettingsError, match="cannot read the checkpoint"):
        trainer.resume()


def test_a_checkpoint_of_other_networks_is_refused(tmp_path, folder, tiny):
    Trainer(tiny(steps=1), folder, tmp_path).run()
    with pytest.raises(SettingsError, match="cannot resume"):
        Trainer(tiny(decoder_channels=16), folder, tmp_path).resume()


def test_validation_is_reported_and_changes_nothing(tmp_path, folder, tiny):
    trainer = Trainer(tiny(steps=2, validate_every=2), folder, tmp_path)
    trainer.run()
    first, second = lines(tmp_path)
    assert "validation_clean" not in first
    for case in ("clean", "jpeg50", "mixed"):
        assert 0 <= second[f"validation_{case}_worst"] <= second[f"validation_{case}"] <= 1
    assert second["validation_quality_loss"] > 0
    assert trainer.curriculum.strength == 30.0
    again = [validate(trainer.learner.average, trainer.held_out, trainer.settings) for _ in range(2)]
    assert again[0] == again[1]
    assert again[0].items() <= second.items()
    plain = Trainer(tiny(steps=2), folder, tmp_path / "plain")
    plain.run()
    assert states_equal(plain.learner.model.state_dict(), trainer.learner.model.state_dict())


def test_skipped_steps_change_nothing_and_are_counted(tmp_path, folder, tiny, monkeypatch):
    trainer = Trainer(tiny(steps=2, max_skips=3), folder, tmp_path)
    before = {name: value.clone() for name, value in trainer.learner.model.named_parameters()}
    monkeypatch.setattr(step, "bit_loss", no_number)
    trainer.run()
    assert all(torch.equal(value, before[name]) for name, value in trainer.learner.model.named_parameters())
    assert trainer.curriculum.accuracy == 0.5
    assert [(line["bits"], line["gradient_norm"], line["skipped"]) for line in lines(tmp_path)] == [
        (None, None, 1),
        (None, None, 2),
    ]


def no_number(soft, bits):
    return (soft * float("nan")).mean(1)


def test_a_run_that_goes_wrong_is_rolled_back_and_tries_other_seeds(tmp_path, folder, tiny, monkeypatch):
    """Steps 3 and 4 fail the first time; what follows is another run from step 2 on."""
    settings = tiny(steps=5, checkpoint_every=2, max_skips=2)
    plain = Trainer(settings, folder, tmp_path / "plain")
    plain.run()
    trainer, calls = Trainer(settings, folder, tmp_path / "rolled"), itertools.count()

    def fails_for_a_while(soft, bits):
        return no_number(soft, bits) if next(calls) in (2, 3) else bit_loss(soft, bits)

    monkeypatch.setattr(step, "bit_loss", fails_for_a_while)
    seen = []
    trainer.run(lambda metrics: seen.append((metrics["step"], metrics["skipped"], metrics["rollbacks"])))
    assert seen == [(1, 0, 0), (2, 0, 0), (3, 1, 0), (4, 2, 0), (3, 0, 1), (4, 0, 1), (5, 0, 1)]
    expected, written = without_time(lines(tmp_path / "plain")), without_time(lines(tmp_path / "rolled"))
    assert written[:2] == expected[:2]
    assert [line["step"] for line in written] == [1, 2, 3, 4, 5]
    assert written[2]["bits"] != expected[2]["bits"]
    assert trainer.watch.rollbacks == 1


def test_a_run_that_stays_wrong_stops_and_says_why(tmp_path, folder, tiny, monkeypatch):
    monkeypatch.setattr(step, "bit_loss", no_number)
    trainer = Trainer(tiny(max_skips=2, max_rollbacks=1), folder, tmp_path)
    with pytest.raises(SettingsError, match="at step 2 after 1 rollbacks: 2 steps in a row gave no finite"):
        trainer.run()
    assert not (tmp_path / "model.safetensors").exists()


def test_a_fall_of_the_accuracy_is_rolled_back(tmp_path, folder, tiny):
    trainer = Trainer(tiny(max_drop=0.02, max_rollbacks=0), folder, tmp_path)
    trainer.curriculum.accuracy = trainer.watch.best = 0.85
    with pytest.raises(SettingsError, match=r"bit accuracy fell to 0\.8\d, from a best of 0.85"):
        trainer.run()


def test_accumulated_micro_batches_are_the_whole_batch(tmp_path, folder, tiny):
    """The gradient norm of the first step, and the run that follows."""
    changes = {"steps": 3, "batch": 4, "adversarial_start": 0.0, "adversarial_every": 1, "mine_every": 2}
    for accumulate in (1, 4):
        Trainer(tiny(accumulate=accumulate, **changes), folder, tmp_path / str(accumulate)).run()
    for whole, cut in zip(*(without_time(lines(tmp_path / name)) for name in "14"), strict=True):
        assert cut == pytest.approx(whole, rel=2e-3, abs=1e-5)
    first, same = (lines(tmp_path / name)[0]["gradient_norm"] for name in "14")
    assert same == pytest.approx(first, rel=1e-4)


def test_two_processes_are_one_run(tmp_path, folder, tiny, monkeypatch):
    """This process is the first of two, as torchrun would start them."""
    settings = tiny(steps=3, adversarial_start=0.0, adversarial_every=1, mine_every=2, candidates=2)
    Trainer(settings, folder, tmp_path / "one").run()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    place = {"TORCHELASTIC_RUN_ID": "test", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    for name, value in place.items():
        monkeypatch.setenv(name, value)
    recipe = tmp_path / "tiny.toml"
    recipe.write_text("\n".join(f"{name} = {json.dumps(value)}" for name, value in asdict(settings).items()))
    command = [sys.executable, "-m", "watermark.cli.main", "train", "--data", folder, "--out", tmp_path / "two"]
    environment = {**os.environ, "RANK": "1", "LOCAL_RANK": "1", "PYTHONPATH": str(Path(loop.__file__).parents[2])}
    with subprocess.Popen([*command, "--settings", recipe, "--json"], env=environment, stdout=subprocess.PIPE) as other:
        monkeypatch.setenv("RANK", "0")
        with join_workers("cpu") as (workers, device):
            assert (workers.rank, workers.count, device) == (0, 2, "cpu")
            Trainer(settings, folder, tmp_path / "two", device, workers).run()
        printed, _ = other.communicate(timeout=60)
    assert (other.returncode, printed) == (0, b"")  # the first process writes for both
    for alone, shared in zip(*(without_time(lines(tmp_path / name)) for name in ("one", "two")), strict=True):
        assert shared == pytest.approx(alone, rel=2e-3, abs=1e-5)


def test_a_warm_start_is_a_new_run_with_old_weights(tmp_path, folder, tiny):
    weights = Trainer(tiny(steps=2), folder, tmp_path / "old").run()
    starts = []
    for path in (weights, tmp_path / "old" / CHECKPOINT):
        trainer = Trainer(tiny(steps=1), folder, tmp_path / path.suffix)
        trainer.warm_start(path)
        assert trainer.step == 0
        assert trainer.curriculum.strength == 30.0
        starts.append({name: value.clone() for name, value in trainer.learner.model.state_dict().items()})
        (phase,) = load_card(trainer.run())["training"]["phases"]
        assert phase["warm_start_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert states_equal(starts[0], load_model(weights).state_dict())
    assert states_equal(*starts)


@pytest.mark.parametrize("name", ["model.safetensors", CHECKPOINT])
def test_a_warm_start_from_other_networks_is_refused(tmp_path, folder, tiny, name):
    Trainer(tiny(steps=1), folder, tmp_path / "old").run()
    with pytest.raises(SettingsError, match=r"of another shape: .*decoder"):
        Trainer(tiny(decoder_channels=16), folder, tmp_path / "new").warm_start(tmp_path / "old" / name)


def test_a_checkpoint_of_an_older_version_is_refused(tmp_path, folder, tiny):
    torch.save({"step": 3, "phases": []}, tmp_path / CHECKPOINT)
    with pytest.raises(SettingsError, match="must be of version 2, but is of 1"):
        Trainer(tiny(), folder, tmp_path).resume()


def test_a_run_leaves_a_checkpoint_before_its_first_step(tmp_path, folder, tiny, monkeypatch):
    trainer = Trainer(tiny(), folder, tmp_path)

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "compute_step", interrupt)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    Trainer(tiny(), folder, tmp_path).resume()


def test_bit_loss_rewards_the_right_sign():
    bits = torch.tensor([[0.0, 1.0]])
    assert bit_loss(torch.zeros(1, 2), bits).item() == pytest.approx(math.log(2))
    right, wrong = (bit_loss(sign * torch.tensor([[2.0, -2.0]]), bits).item() for sign in (1, -1))
    assert right < 0.1
    assert wrong > 3


def test_pilot_loss_falls_as_the_tones_rise():
    losses = [pilot_loss(torch.full((1, 48), level)).item() for level in (-1.0, 0.0, 2.0, 5.0)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.1
