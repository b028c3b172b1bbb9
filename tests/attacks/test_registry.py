"""What every entry of the registry promises."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import pytest
import torch
from torch import Tensor

import attacks
from attacks import ATTACKS, Attack, Brightness, InformedAttack, Knowledge
from attacks.base import Family, Gradient, Registry


def generator(seed: int) -> torch.Generator:
    """A generator with that seed."""
    return torch.Generator().manual_seed(seed)


def applied(attack: Attack, channels: int, weights: Path | None = None) -> Callable[[Tensor], Tensor]:
    """What the attack does to images of so many channels, the knowledge it needs given."""
    if not isinstance(attack, InformedAttack):
        return attack.apply
    knowledge = Knowledge(
        marked=torch.rand(8, channels, 24, 24, generator=generator(9)),
        embed=lambda image: image.roll(1, 3),
        score=lambda image: image.square().mean((1, 2, 3)),
        weights=weights,
    )
    return partial(attack.apply, knowledge=knowledge)


@pytest.fixture
def needed_weights(name: str, request: pytest.FixtureRequest) -> Path | None:
    """The folder of weights for an attack that needs one; skips where what reads it is not installed."""
    folder: Path | None = request.getfixturevalue("weights") if "weights" in ATTACKS[name].facts.needs else None
    return folder


RUNNABLE = [
    pytest.param(name, marks=pytest.mark.skipif(find_spec("pywt") is None, reason="PyWavelets is not installed"))
    if name == "wavelet_denoise"
    else name
    for name in ATTACKS
]


def test_duplicates_are_refused() -> None:
    registry = Registry()
    registry.add(Brightness)
    with pytest.raises(ValueError, match="'brightness' is registered already"):
        registry.add(Brightness)


def test_a_geometric_attack_says_where_pixels_go() -> None:
    """Without a matrix of its own it would claim that they stay."""

    class Wander(Brightness):
        pass

    Wander.facts = dataclasses.replace(Brightness.facts, name="wander", family="geometric")
    with pytest.raises(ValueError, match="'wander' is geometric, but has no matrix of its own"):
        Registry().add(Wander)


def test_a_miss_suggests_the_nearest_name() -> None:
    with pytest.raises(KeyError, match="did you mean 'brightness'"):
        ATTACKS["brigthness"]


def test_a_far_miss_lists_all_names() -> None:
    with pytest.raises(KeyError, match="there are affine"):
        ATTACKS["xyzzy"]


def test_it_is_a_sorted_mapping() -> None:
    assert list(ATTACKS) == sorted(ATTACKS)
    assert len(ATTACKS) == len(set(ATTACKS)) > 20
    assert ATTACKS["brightness"] is Brightness
    assert "xyzzy" not in ATTACKS


@pytest.mark.parametrize("name", ATTACKS)
def test_facts_are_present(name: str) -> None:
    entry = ATTACKS[name]
    assert entry.facts.name == name
    assert entry.facts.family in get_args(Family)
    assert entry.facts.gradient in get_args(Gradient)
    assert entry.facts.unit
    assert entry.__doc__
    assert getattr(attacks, entry.__name__) is entry
    assert entry.__name__ in attacks.__all__


@pytest.mark.parametrize("name", ATTACKS)
def test_instances_are_frozen_and_replayable(name: str) -> None:
    attack = ATTACKS[name].sample(generator(1))
    field = dataclasses.fields(attack)[0].name  # type: ignore[arg-type]
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(attack, field, None)
    assert eval(repr(attack), vars(attacks).copy()) == attack
    assert hash(attack) == hash(ATTACKS[name].sample(generator(1)))


@pytest.mark.parametrize("name", ATTACKS)
def test_sampling_depends_on_the_generator_alone(name: str) -> None:
    first = [ATTACKS[name].sample(generator(seed)) for seed in range(20)]
    torch.manual_seed(5)
    assert [ATTACKS[name].sample(generator(seed)) for seed in range(20)] == first
    assert any(attack != first[0] for attack in first)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", RUNNABLE)
def test_samples_give_images(
    name: str, channels: int, level: float, odd_photo: Tensor, needed_weights: Path | None
) -> None:
    image = odd_photo[:, :channels].expand(2, -1, -1, -1).clone()
    image[1] = image[1].flip(1)
    before = image.clone()
    for seed in range(3):
        attack = ATTACKS[name].sample(generator(seed), level)
        apply = applied(attack, channels, needed_weights)
        out = apply(image)
        assert torch.equal(image, before)
        assert torch.equal(apply(image), out)
        assert out.shape[:2] == image.shape[:2]
        assert out.dtype == image.dtype
        assert float(out.min()) >= 0
        assert float(out.max()) <= 1
        if not ATTACKS[name].facts.resizes:
            assert out.shape == image.shape
        matrix = attack.matrix(*image.shape[2:])
        if matrix is None:
            assert name == "elastic"
            continue
        assert matrix.shape == (3, 3)
        assert matrix.dtype == torch.float64
        if ATTACKS[name].facts.family in {"valuemetric", "codec", "removal", "forgery"}:
            assert torch.equal(matrix, torch.eye(3, dtype=torch.float64))


@pytest.mark.parametrize("name", [name for name in ATTACKS if ATTACKS[name].facts.gradient == "exact"])
def test_exact_gradients_are_exact(name: str) -> None:
    image = torch.rand(1, 3, 9, 8, generator=generator(0), dtype=torch.float64) * 0.4 + 0.2
    image.requires_grad_()
    for seed in range(2):
        attack: Attack = ATTACKS[name].sample(generator(seed))
        assert torch.autograd.gradcheck(applied(attack, 3), image, atol=1e-6, fast_mode=True)


@pytest.mark.parametrize("name", RUNNABLE)
def test_gradients_pass_unless_stated(name: str, needed_weights: Path | None) -> None:
    image = (torch.rand(1, 3, 24, 24, generator=generator(0)) * 0.4 + 0.2).requires_grad_()
    out = applied(ATTACKS[name].sample(generator(0)), 3, needed_weights)(image)
    if ATTACKS[name].facts.gradient == "none":
        assert not out.requires_grad
        return
    out.square().sum().backward()
    assert image.grad is not None
    assert bool(image.grad.isfinite().all())
    assert float(image.grad.abs().sum()) > 0
