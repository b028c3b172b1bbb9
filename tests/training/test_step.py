"""A training step: what is marked is read, the worst attack is found, and parts can be switched off."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from skimage import data
from torch import nn

from attacks import Chain, GaussianBlur
from watermark.nets.model import Model
from watermark.training.draw import draw_step
from watermark.training.learner import Learner, rate_factor
from watermark.training.step import bit_accuracy, compute_step, embed_views, read_attacked
from watermark.visibility import visibility_map

CPU = torch.device("cpu")


class Pass(nn.Module):
    """A decoder that knows the host: the marked picture less its grey, at half the size."""

    def forward(self, luma):
        return nn.functional.avg_pool2d(luma - 0.5, 2)


def generator(seed):
    return torch.Generator().manual_seed(seed)


def model(decoder):
    made = Model(8, 8, 1)
    made.decoder = decoder
    return made.requires_grad_(False)


def photograph(size):
    picture = torch.from_numpy(data.camera()[100 : 100 + size, 150 : 150 + size].copy())
    return (picture.float() / 255)[None, None]


def test_known_geometry_reads_what_was_embedded(tiny):
    """With a decoder that passes a loud residual through, every zoom and place reads all bits."""
    settings, places = tiny(strength_spread=0.0), set()
    for seed in range(12):
        draw = draw_step(generator(seed), 3, level=0.6)
        marked = embed_views(model(Pass()), torch.full((3, 1, 256, 256), 0.5), draw, 12.0, settings)
        soft, pilot = read_attacked(model(Pass()), marked, draw, [Chain()] * 3, settings)
        assert bit_accuracy(soft, draw.bits).mean() > 0.93
        assert pilot.mean() > 2
        places.add(tuple(marked.place.flatten().tolist()))
    assert len(places) > 2


def test_part_of_a_draw_is_that_of_its_images():
    draw = draw_step(generator(1), 4, level=0.5, candidates=2)
    part = draw.part(slice(1, 3))
    assert torch.equal(part.bits, draw.bits[1:3])
    assert torch.equal(part.jitter, draw.jitter[1:3])
    assert part.chains == tuple(chains[1:3] for chains in draw.chains)
    assert (part.zoom, part.left, part.top) == (draw.zoom, draw.left, draw.top)


def test_clipped_pixels_are_counted(tiny):
    """On white nearly half of a loud residual is lost, on grey nothing of a quiet one."""
    draw = draw_step(generator(1), 1, level=0.0)
    views = torch.ones(1, 1, 64, 64)
    loud = embed_views(model(Pass()), views, draw, 20.0, tiny()).clipped
    quiet = embed_views(model(Pass()), views / 2, draw, 40.0, tiny()).clipped
    assert loud == pytest.approx(0.5, abs=0.1)
    assert quiet == 0


def test_the_worst_chain_of_each_image_counts(tiny):
    """Of doing nothing and blurring everything away, blurring is worst, whichever comes first."""
    settings = tiny(crop=128, strength_spread=0.0)
    draw = draw_step(generator(3), 2, level=0.0)
    views = torch.full((2, 1, 128, 128), 0.5)
    nothing, blur = Chain(), Chain((GaussianBlur(8.0),))

    def losses(*candidates):
        chosen = dataclasses.replace(draw, chains=candidates)
        return compute_step(model(Pass()), views, chosen, settings, 20.0)

    mild, harsh = losses((nothing, nothing)), losses((blur, blur))
    mined = losses((nothing, blur), (blur, nothing))
    assert harsh[0]["bits"] > 2 * mild[0]["bits"]
    assert mined[0]["bits"] == harsh[0]["bits"]
    # the log and the curriculum see the first, ordinary candidate
    ordinary = losses((nothing, blur))
    assert mined[1]["bit_accuracy"] == ordinary[1]["bit_accuracy"]
    assert ordinary[1]["bit_accuracy"] > harsh[1]["bit_accuracy"]


def test_gradients_pass_a_mined_step(tiny):
    learner = Learner(tiny(), CPU)
    losses, _, _ = compute_step(learner.model, photograph(64), draw_step(generator(1), 1, 0.5, 3), tiny(), 30.0)
    learner.backward(losses["bits"])
    assert learner.model.decoder.stem.weight.grad.abs().sum() > 0


def stepped(settings):
    """A learner after two steps, and its weights before them."""
    learner = Learner(settings, CPU)
    before = {name: value.clone() for name, value in learner.model.named_parameters()}
    for step in range(2):
        learner.begin(contested=False)
        draw = draw_step(generator(step), 1, level=0.0)
        losses, figures, _ = compute_step(learner.model, photograph(64), draw, settings, 30.0)
        learner.backward(torch.stack(list(losses.values())).sum())
        taken, changes = learner.update({name: float(value.detach()) for name, value in figures.items()}, None, step)
        assert taken
    after = dict(learner.model.named_parameters())
    moved = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    return learner, moved, changes


@pytest.mark.parametrize(
    ("changes", "learns"),
    [
        ({}, {"generator", "decoder", "log_transmit", "log_receive"}),
        ({"train_embedder": False}, {"decoder", "log_receive"}),
        ({"use_generator": False}, {"decoder", "log_transmit", "log_receive"}),
        ({"envelope_learning_rate": 0.0}, {"generator", "decoder"}),
        ({"learning_rate": 0.0}, set()),
    ],
)
def test_switches_decide_what_learns(tiny, changes, learns):
    _, moved, figures = stepped(tiny(**changes))
    assert moved == learns
    assert (figures["decoder_change"] > 0) == ("decoder" in learns)
    assert (figures["embedder_change"] > 0) == bool(learns & {"generator", "log_transmit"})


def test_without_generator_the_residual_is_the_pattern_under_the_visibility_map(tiny):
    settings = tiny(use_generator=False)
    learner = Learner(settings, CPU)
    other = Learner(tiny(seed=2), CPU)
    nn.init.normal_(other.model.generator.head.weight)
    learner.load_state_dict(other.state_dict())  # a generator that was used comes with it
    luma, pattern = photograph(64), torch.randn(1, 1, 64, 64, generator=generator(1))
    residual = learner.model.residual(luma, pattern, torch.tensor([40.0]))
    ratio = residual / (visibility_map(luma) * pattern)
    assert ratio.std() < 1e-4 * ratio.mean()


def test_the_learning_rate_is_flat_and_then_falls_to_nothing():
    rates = [rate_factor(progress) for progress in (0.0, 0.49, 0.6, 0.75, 0.9, 1.0)]
    assert rates[:2] == [1, 1]
    assert rates[3] == pytest.approx(0.5)
    assert rates[2] + rates[4] == pytest.approx(1)
    assert rates[5] == pytest.approx(0)
