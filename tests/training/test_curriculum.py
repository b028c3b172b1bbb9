"""The curriculum: attacked views with the matrices that belong to them, and progress while bits read."""

from __future__ import annotations

import pytest
import torch

from attacks import Affine
from attacks.base import ATTACKS
from watermark.training import curriculum
from watermark.training.curriculum import Curriculum, attack_views, draw_chain, draw_zoom


def blobs(centres, size=128):
    """Bright spots on grey at (x, y) pixel coordinates, shape (1, 1, size, size)."""
    axis = torch.arange(size) + 0.5
    image = torch.full((size, size), 0.1)
    for x, y in centres:
        image += 0.8 * torch.exp(-((axis - x)[None] ** 2 + (axis - y)[:, None] ** 2) / 18)
    return image[None, None]


def attacked_views(views, seed, level):
    """Each view after a chain drawn for it."""
    generator = torch.Generator().manual_seed(seed)
    return attack_views(views, [draw_chain(generator, level) for _ in views])


@pytest.mark.parametrize("seed", range(6))
def test_matrices_say_where_points_go(monkeypatch, seed):
    """A bright spot in every view is found where the matrix of the view puts it."""
    monkeypatch.setattr(curriculum, "_UNTOUCHED_CHANCE", 0.0)
    monkeypatch.setattr(curriculum, "_AFFINE_CHANCE", 1.0)
    monkeypatch.setattr(curriculum, "_CHAIN", (("resize", 1.0),))
    points = [(52.0, 60.0), (75.0, 58.0), (66.0, 80.0)]
    views = torch.cat([blobs([point]) for point in points])
    attacked, matrices = attacked_views(views, seed, 1.0)
    assert attacked.shape == views.shape
    assert matrices.shape == (3, 3, 3)
    assert matrices.dtype == torch.float64
    for view, matrix, point in zip(attacked, matrices, points, strict=True):
        x, y, _ = (matrix @ torch.tensor([*point, 1.0], dtype=torch.float64)).tolist()
        weight = (view[0] - 0.2).clamp_min(0)
        axis = torch.arange(128) + 0.5
        found = (weight.sum(0) @ axis / weight.sum()).item(), (weight.sum(1) @ axis / weight.sum()).item()
        assert found == pytest.approx((x, y), abs=0.5)


def test_each_view_meets_its_own_chain():
    views = blobs([(64, 64)]).expand(12, -1, -1, -1)
    attacked, matrices = attacked_views(views, 1, 1.0)
    assert len({matrix.numpy().tobytes() for matrix in matrices}) > 3
    untouched = [torch.equal(view, views[0]) for view in attacked]
    assert not all(untouched)
    assert attacked.min() >= 0
    assert attacked.max() <= 1


def test_the_generator_decides_everything():
    views = blobs([(64, 64)]).expand(4, -1, -1, -1)
    first, second = (attacked_views(views, 5, 0.7) for _ in range(2))
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])


def test_level_zero_hardly_touches_a_view():
    views = blobs([(64, 64)]).expand(16, -1, -1, -1)
    attacked, matrices = attacked_views(views, 2, 0.0)
    assert torch.allclose(matrices, torch.eye(3, dtype=torch.float64).expand_as(matrices))
    assert (attacked - views).abs().mean() < 0.01
    harsh, _ = attacked_views(views, 2, 1.0)
    assert (harsh - views).abs().mean() > 3 * (attacked - views).abs().mean()


def test_gradients_pass_the_whole_chain():
    views = blobs([(64, 64)]).expand(8, -1, -1, -1).clone().requires_grad_(True)
    attacked, _ = attacked_views(views, 3, 1.0)
    attacked.square().sum().backward()
    assert torch.isfinite(views.grad).all()
    assert (views.grad.abs().sum((1, 2, 3)) > 0).all()


def test_the_chain_names_attacks_that_exist():
    for name, chance in curriculum._CHAIN:
        assert name in ATTACKS
        assert 0 < chance <= 1
        assert not issubclass(ATTACKS[name], Affine)


@pytest.mark.parametrize(("level", "largest"), [(0.0, 1.0), (0.5, 2.6**0.5), (1.0, 2.6)])
def test_zoom_grows_with_the_level(level, largest):
    generator = torch.Generator().manual_seed(1)
    zooms = [draw_zoom(generator, level) for _ in range(300)]
    assert min(zooms) == 1
    assert max(zooms) <= largest + 1e-9
    if level:
        assert max(zooms) > 0.9 * largest
        assert 0.4 < sum(zoom == 1 for zoom in zooms) / 300 < 0.8


def test_the_curriculum_waits_until_the_bits_read(tiny):
    settings = tiny(strength_start=36.0, strength_target=36.5, strength_step=0.2, level_step=0.4, accuracy_gate=0.9)
    state = Curriculum(36.0)
    state.update(1.0, settings)
    assert state.accuracy == pytest.approx(0.525)
    assert (state.strength, state.level) == (36.0, 0.0)
    for _ in range(200):
        state.update(0.89, settings)
    assert state.accuracy == pytest.approx(0.89, abs=1e-3)
    assert (state.strength, state.level) == (36.0, 0.0)
    state.accuracy = 0.95
    state.update(0.95, settings)
    assert (state.strength, state.level) == (36.2, 0.4)
    for _ in range(5):
        state.update(1.0, settings)
    assert (state.strength, state.level) == (36.5, 1.0)
