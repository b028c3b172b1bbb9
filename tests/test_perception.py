"""The model of visibility: against what the eye is known to do, and ColorVideoVDP's own verdicts."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from skimage import data

from benchmarks.jod_references import RESULT, changes
from watermark.perception import quality_loss
from watermark.visibility import visibility_map
from watermark.working import reduced_luma


@pytest.fixture(scope="module")
def luma():
    return torch.from_numpy(reduced_luma(data.astronaut()))[None, None]


def noise(shape, seed=1):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_it_agrees_with_colorvideovdp():
    measured = json.loads(RESULT.read_text())  # made by python -m benchmarks.jod_references
    losses: dict[str, list[tuple[float, float]]] = {}
    for name, pixels, residual in changes():
        luma = torch.from_numpy(reduced_luma(pixels))[None, None]
        expected = quality_loss(luma, torch.from_numpy(residual)[None, None], min(pixels.shape[:2])).item()
        losses.setdefault(name.split()[1], []).append((expected, 10 - measured[name]))
    for kind in losses.values():
        assert np.corrcoef(np.log(kind).T)[0, 1] > 0.95
    expected, real = np.log(np.concatenate(list(losses.values()))).T
    assert np.corrcoef(expected, real)[0, 1] > 0.9
    assert np.abs(expected - real).max() < np.log(2.5)
    assert abs(np.mean(expected - real)) < np.log(1.5)


def test_nothing_added_costs_nothing_and_more_costs_more(luma):
    losses = [quality_loss(luma, amplitude * noise(luma.shape), 512).item() for amplitude in (0, 0.003, 0.01, 0.03)]
    assert losses[0] < 1e-4
    assert losses == sorted(losses)


def test_texture_masks():
    plain = torch.full((1, 1, 128, 128), 0.5)
    rough = plain + 0.1 * noise(plain.shape, 2)
    added = 0.005 * noise(plain.shape)
    assert quality_loss(rough, added, 512) < 0.5 * quality_loss(plain, added, 512)


def test_dark_regions_show_more_of_the_same_residual_than_bright_ones():
    added = 0.005 * noise((1, 1, 128, 128))
    dark, bright = (quality_loss(torch.full_like(added, level), added, 512) for level in (0.3, 0.9))
    assert dark > bright


def test_the_map_hides_better_than_a_uniform_residual(luma):
    mapped = visibility_map(luma) * noise(luma.shape)
    uniform = noise(luma.shape) * mapped.square().mean().sqrt()
    assert quality_loss(luma, mapped, 512) < 0.7 * quality_loss(luma, uniform, 512)


def test_each_picture_of_a_batch_is_measured_alone(luma):
    added = 0.01 * noise((2, *luma.shape[1:]))
    both = quality_loss(torch.cat([luma, 1 - luma]), added, 512)
    assert both.shape == (2,)
    assert both[1].item() == pytest.approx(quality_loss(1 - luma, added[1:], 512).item(), rel=1e-5)


def test_gradients_are_finite_even_where_nothing_is_added(luma):
    for level in (0.0, 0.5, 1.0):
        residual = torch.zeros_like(luma, requires_grad=True)
        quality_loss(torch.full_like(luma, level), residual, 512).sum().backward()
        assert torch.isfinite(residual.grad).all()
