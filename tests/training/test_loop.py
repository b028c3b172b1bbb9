"""The training loop: it learns, resumes to the bit, and writes only whole files."""

from __future__ import annotations

import json
import math

import pytest
import torch
from torch import nn

from watermark.errors import SettingsError
from watermark.nets.discriminator import Discriminator
from watermark.nets.model import load_card, load_model
from watermark.training import loop
from watermark.training.loop import CHECKPOINT, METRICS, Trainer
from watermark.training.losses import adversarial_loss, bit_loss, discriminator_loss, pilot_loss


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
    torch.rand(100)  # nothing may depend on torch's own generator
    second = Trainer(settings, folder, tmp_path / "parts")
    second.resume()
    assert second.step == 3
    weights = second.run()

    for name in ("model", "average", "discriminator"):
        assert states_equal(getattr(whole, name).state_dict(), getattr(second, name).state_dict()), name
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
    first, same, other = (run.model.state_dict() for run in runs)
    assert states_equal(first, same)
    assert not states_equal(first, other)


def test_the_weights_load_and_are_the_average(tmp_path, folder, tiny):
    trainer = Trainer(tiny(steps=3), folder, tmp_path)
    weights = trainer.run()
    assert states_equal(load_model(weights).state_dict(), trainer.average.state_dict())
    assert not states_equal(trainer.average.state_dict(), trainer.model.state_dict())
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
    with pytest.raises(SettingsError, match="cannot resume"):
        trainer.resume()


def test_a_checkpoint_of_other_networks_is_refused(tmp_path, folder, tiny):
    Trainer(tiny(steps=1), folder, tmp_path).run()
    with pytest.raises(SettingsError, match="cannot resume"):
        Trainer(tiny(decoder_channels=16), folder, tmp_path).resume()


def test_the_discriminator_takes_part_when_told(tmp_path, folder, tiny):
    settings = tiny(steps=4, adversarial_start=0.0, adversarial_every=2)
    trainer = Trainer(settings, folder, tmp_path)
    before = {name: value.clone() for name, value in trainer.discriminator.named_parameters()}
    trainer.run()
    for name, value in trainer.discriminator.named_parameters():
        # while every score lies within the hinge, its gradient on the last bias is exactly zero
        assert name == "head.bias" or not torch.equal(value, before[name]), name
        assert torch.isfinite(value).all()
    metrics = lines(tmp_path)
    assert [("adversary" in line, "discriminator_accuracy" in line) for line in metrics] == [
        (True, True),
        (False, False),
    ] * 2


def test_the_discriminator_rests_until_its_time(tmp_path, folder, tiny):
    trainer = Trainer(tiny(steps=2), folder, tmp_path)
    before = {name: value.clone() for name, value in trainer.discriminator.named_parameters()}
    trainer.run()
    assert all(torch.equal(value, before[name]) for name, value in trainer.discriminator.named_parameters())
    assert "adversary" not in lines(tmp_path)[0]


def test_validation_is_reported_and_changes_nothing(tmp_path, folder, tiny):
    trainer = Trainer(tiny(steps=2, validate_every=2), folder, tmp_path)
    trainer.run()
    first, second = lines(tmp_path)
    assert "validation_clean" not in first
    for case in ("clean", "jpeg50", "mixed"):
        assert 0 <= second[f"validation_{case}_worst"] <= second[f"validation_{case}"] <= 1
    assert second["validation_visible_contrast"] > 0
    assert trainer.curriculum.strength == 30.0
    assert trainer.validate() == trainer.validate()
    plain = Trainer(tiny(steps=2), folder, tmp_path / "plain")
    plain.run()
    assert states_equal(plain.model.state_dict(), trainer.model.state_dict())


def test_the_learning_rate_is_flat_and_then_falls_to_nothing(tmp_path, folder, tiny):
    trainer = Trainer(tiny(steps=100), folder, tmp_path)
    rates = []
    for step in (0, 49, 75, 99):
        trainer.step = step
        rates.append(trainer._rate())
    assert rates == pytest.approx([1, 1, 0.5, 0.5 * (1 - math.cos(0.02 * math.pi))], abs=1e-6)


def test_a_step_that_gives_no_number_is_skipped(tmp_path, folder, tiny, monkeypatch):
    trainer = Trainer(tiny(steps=1), folder, tmp_path)
    before = {name: value.clone() for name, value in trainer.model.named_parameters()}
    monkeypatch.setattr(loop, "bit_loss", lambda soft, bits: soft.sum() * float("nan"))
    trainer.run()
    assert all(torch.equal(value, before[name]) for name, value in trainer.model.named_parameters())


def test_known_geometry_reads_what_was_embedded(tmp_path, folder, tiny):
    """With a decoder that passes a loud residual through, every zoom and place reads all bits."""
    trainer = Trainer(tiny(crop=256, batch=3, strength_start=12.0, strength_spread=0.0), folder, tmp_path)
    trainer.curriculum.level = 0.6
    flat = torch.full((3, 1, 256, 256), 0.5)
    carriers = loop._random_carriers(torch.Generator().manual_seed(1))
    bits = torch.randint(2, (3, 256), generator=torch.Generator().manual_seed(2)).float()
    trainer.model.decoder = Pass()
    places = set()
    for seed in range(12):
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            marked, _, _, place = trainer._embed(trainer.model, flat, bits, carriers, generator)
            soft, _ = trainer._read(trainer.model, marked, place, carriers, generator)
        places.add(tuple(place.flatten().tolist()))
        assert ((soft > 0) == (bits == 0)).float().mean() > 0.93
    assert len(places) > 2


class Pass(nn.Module):
    """A decoder that knows the host: the marked picture less its grey, at half the size."""

    def forward(self, luma):
        return nn.functional.avg_pool2d(luma - 0.5, 2)


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


def test_discriminator_and_generator_pull_apart():
    torch.manual_seed(1)
    critic = Discriminator(16)
    optimiser = torch.optim.Adam(critic.parameters(), lr=5e-3)
    hosts = 0.5 + 0.1 * torch.randn(4, 1, 32, 32)
    marked = hosts.round(decimals=1)  # banding that is easy to see
    for _ in range(60):
        loss, accuracy = discriminator_loss(critic, hosts, marked)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert accuracy > 0.8
    assert not accuracy.requires_grad
    assert adversarial_loss(critic, marked) > adversarial_loss(critic, hosts)
