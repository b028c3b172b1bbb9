"""The discriminator: it learns, takes part when told, and rests while it wins."""

from __future__ import annotations

import copy
import json

import pytest
import torch
from skimage import data

from watermark.nets.discriminator import Discriminator
from watermark.training.adversary import Adversary
from watermark.training.checkpoint import METRICS
from watermark.training.learner import Learner
from watermark.training.loop import Trainer
from watermark.training.losses import adversarial_loss, discriminator_loss
from watermark.training.settings import TrainingSettings
from watermark.visibility import visibility_map


def lines(output):
    return [json.loads(line) for line in (output / METRICS).read_text().splitlines()]


def weights(adversary):
    return {name: value.clone() for name, value in adversary.discriminator.named_parameters()}


def judged(adversary, share=1.0):
    """Gradient left in the discriminator by one judgement of the same pictures."""
    hosts = torch.rand(4, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    adversary.prepare()
    loss, accuracy = adversary.judge(hosts, hosts.round(decimals=1), share)
    return loss, accuracy, [parameter.grad.clone() for parameter in adversary.discriminator.parameters()]


@pytest.fixture
def adversary(tiny):
    torch.manual_seed(1)
    return Adversary(tiny(adversarial_start=0.0), torch.device("cpu"))


def test_it_takes_part_when_told(tmp_path, folder, tiny):
    trainer = Trainer(tiny(steps=4, adversarial_start=0.0, adversarial_every=2), folder, tmp_path)
    before = weights(trainer.learner.adversary)
    trainer.run()
    for name, value in trainer.learner.adversary.discriminator.named_parameters():
        # while every score lies within the hinge, its gradient on the last bias is exactly zero
        assert name == "head.bias" or not torch.equal(value, before[name]), name
        assert torch.isfinite(value).all()
    metrics = lines(tmp_path)
    assert ["adversary" in line for line in metrics] == [True, False] * 2
    assert all("discriminator_accuracy" in line for line in metrics)  # the last known


@pytest.mark.parametrize("changes", [{"adversarial_start": 1.0}, {"adversarial_start": 0.0, "train_embedder": False}])
def test_it_rests_where_it_has_no_part(tmp_path, folder, tiny, changes):
    trainer = Trainer(tiny(steps=2, **changes), folder, tmp_path)
    before = weights(trainer.learner.adversary)
    trainer.run()
    after = weights(trainer.learner.adversary)
    assert all(torch.equal(value, before[name]) for name, value in after.items())
    assert not {"adversary", "discriminator_accuracy"} & lines(tmp_path)[0].keys()


def test_it_learns_only_while_it_does_not_win(adversary):
    def learns(accuracy):
        before = weights(adversary)
        judged(adversary)
        adversary.learn(accuracy)
        return any(not torch.equal(value, before[name]) for name, value in weights(adversary).items())

    assert [learns(accuracy) for accuracy in (0.5, 1.0, 1.0)] == [True] * 3  # mean 0.83
    for _ in range(19):
        adversary.learn(1.0)
    assert adversary.accuracy == 1.0
    assert not learns(1.0)
    assert not learns(0.5)  # mean 0.975
    assert learns(0.5)


def test_the_share_weighs_its_gradient_but_not_its_verdict(adversary):
    loss, accuracy, whole = judged(adversary)
    same, also, half = judged(adversary, 0.5)
    # the norms are renewed in between, so the gradients agree but for that
    assert same.item() == pytest.approx(loss.item(), abs=1e-3)
    assert also == accuracy
    for one, other in zip(whole, half, strict=True):
        torch.testing.assert_close(0.5 * one, other, rtol=1e-2, atol=1e-4)


def test_judging_leaves_the_norms_alone(adversary):
    adversary.prepare()
    before = {name: value.clone() for name, value in adversary.discriminator.named_buffers()}
    assert before
    adversary.judge(torch.rand(1, 1, 32, 32), torch.rand(1, 1, 32, 32), 1.0)
    after = dict(adversary.discriminator.named_buffers())
    assert all(torch.equal(after[name], value) for name, value in before.items())
    for layer in [*adversary.discriminator.layers, adversary.discriminator.head]:
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, abs=0.1)


def test_its_state_comes_back(adversary, tiny):
    judged(adversary)
    adversary.learn(0.6)
    other = Adversary(tiny(), torch.device("cpu"))
    other.load_state_dict(copy.deepcopy(adversary.state_dict()))
    assert other.accuracies == adversary.accuracies
    assert other.accuracies.maxlen == adversary.accuracies.maxlen
    judged(adversary)
    judged(other)
    adversary.learn(0.5)
    other.learn(0.5)
    assert all(torch.equal(value, weights(other)[name]) for name, value in weights(adversary).items())


def test_the_models_gradient_leaves_the_discriminators_alone(tiny):
    learner = Learner(tiny(), torch.device("cpu"))
    learner.begin(contested=True)
    hosts, pattern = torch.rand(1, 1, 32, 32), torch.randn(1, 1, 32, 32)
    marked = hosts + learner.model.residual(hosts, pattern, torch.tensor([30.0]))
    loss, _ = learner.adversary.judge(hosts, marked, 1.0)
    before = [parameter.grad.clone() for parameter in learner.adversary.discriminator.parameters()]
    learner.backward(loss)
    after = [parameter.grad for parameter in learner.adversary.discriminator.parameters()]
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))
    assert learner.model.generator.head.weight.grad.abs().sum() > 0


def test_discriminator_and_generator_pull_apart():
    """On photographs, at the learning rate of the settings: the gradient penalty must not hold it at chance."""
    torch.manual_seed(1)
    critic = Discriminator()
    optimiser = torch.optim.Adam(critic.parameters(), lr=TrainingSettings().discriminator_learning_rate)
    picture = torch.from_numpy(data.camera()).float() / 255
    corners = ((100, 150), (300, 300), (30, 30), (200, 50))
    hosts = torch.stack([picture[None, top : top + 96, left : left + 96] for top, left in corners])
    for _ in range(90):
        marked = hosts + visibility_map(hosts) * torch.randn_like(hosts)
        loss, accuracy = discriminator_loss(critic, hosts, marked)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert accuracy > 0.7
    assert not accuracy.requires_grad
    assert adversarial_loss(critic, marked) > adversarial_loss(critic, hosts)
