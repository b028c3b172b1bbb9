"""Noise against the laws it should follow."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from skimage import util
from torch import Tensor

from attacks import Attack, PoissonNoise, SaltPepperNoise, SpeckleNoise
from attacks.seeded import draw_each


@pytest.mark.parametrize("attack", [PoissonNoise(), SaltPepperNoise(), SpeckleNoise()], ids=repr)
def test_no_noise_is_the_image_itself(attack: Attack, photo: Tensor) -> None:
    assert attack.apply(photo) is photo


def test_each_image_draws_from_its_own_seed() -> None:
    batch = torch.zeros(3, 1, 4, 5, dtype=torch.float64)
    drawn = draw_each(batch, 5, lambda item, generator: torch.rand(item.shape, generator=generator))
    assert drawn.dtype == torch.float64
    assert len({tuple(item.flatten().tolist()) for item in drawn}) == 3
    expected = torch.rand(1, 4, 5, generator=torch.Generator().manual_seed(7))
    assert torch.equal(drawn[2].float(), expected)


@pytest.mark.parametrize(("value", "photons"), [(0.5, 8.0), (0.25, 20.0)])
def test_photons_are_counted_by_poissons_law(value: float, photons: float) -> None:
    grey = torch.full((1, 3, 200, 200), value, dtype=torch.float64)
    counts = PoissonNoise(photons, seed=3).apply(grey) * photons
    assert torch.allclose(counts, counts.round(), atol=1e-9)
    mean = value * photons
    for count in range(math.ceil(photons)):  # all but what is clipped at white
        chance = math.exp(-mean) * mean**count / math.factorial(count)
        share = float((counts.round() == count).double().mean())
        assert share == pytest.approx(chance, abs=5 * math.sqrt(chance / counts.numel()))


@pytest.mark.parametrize("value", [0.1, 0.5, 0.8])
def test_the_variance_of_photons_is_their_mean(value: float) -> None:
    noise = PoissonNoise(1000.0, seed=1).apply(torch.full((1, 1, 300, 300), value, dtype=torch.float64)) - value
    assert float(noise.mean()) == pytest.approx(0, abs=5 * math.sqrt(value / 1000 / noise.numel()))
    assert float(noise.var()) == pytest.approx(value / 1000, rel=5 * math.sqrt(2 / noise.numel()))


def test_black_has_no_photons() -> None:
    image = torch.zeros(1, 1, 64, 64)
    assert torch.equal(PoissonNoise(10.0).apply(image), image)


def test_poisson_noise_lets_the_gradient_pass() -> None:
    image = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)).requires_grad_()
    PoissonNoise(10.0).apply(image).sum().backward()
    assert torch.equal(image.grad, torch.ones_like(image))  # type: ignore[arg-type]


@pytest.mark.parametrize("share", [0.02, 0.3, 1.0])
def test_salt_and_pepper_are_even_and_of_their_share(share: float) -> None:
    noisy = SaltPepperNoise(share, seed=5).apply(torch.full((1, 3, 250, 250), 0.5))
    assert torch.equal(noisy[:, 0], noisy[:, 1])
    assert torch.equal(noisy[:, 0], noisy[:, 2])
    spread = 5 * math.sqrt(share / 2 / 250**2)
    assert float((noisy[:, 0] == 1).double().mean()) == pytest.approx(share / 2, abs=spread)
    assert float((noisy[:, 0] == 0).double().mean()) == pytest.approx(share / 2, abs=spread)
    assert float((noisy == 0.5).double().mean()) == pytest.approx(1 - share, abs=2 * spread)


def test_more_salt_and_pepper_falls_on_the_same_pixels_first(photo: Tensor) -> None:
    grey = torch.full_like(photo, 0.5)
    few, many = (SaltPepperNoise(share, seed=2).apply(grey) for share in (0.1, 0.2))
    assert torch.equal(many[few != 0.5], few[few != 0.5])
    assert int((many != 0.5).sum()) > int((few != 0.5).sum()) > 0


@pytest.mark.parametrize("sigma", [0.05, 0.2])
def test_speckle_against_scikit_image(sigma: float) -> None:
    """The same law: mean and spread agree at every value, and the noise is normal."""
    ramp = np.repeat(np.linspace(0.1, 0.5, 5), 40_000).reshape(5, 200, 200)
    theirs = util.random_noise(ramp, mode="speckle", rng=0, var=sigma**2)
    ours = SpeckleNoise(sigma, seed=4).apply(torch.from_numpy(ramp)[:, None])[:, 0].numpy()
    for value, first, second in zip(ramp[:, 0, 0], ours, theirs, strict=True):
        assert first.mean() == pytest.approx(second.mean(), abs=5 * value * sigma * math.sqrt(2 / first.size))
        assert first.std() == pytest.approx(second.std(), rel=5 * math.sqrt(1 / first.size))
        normal = (first - value) / (value * sigma)
        assert (normal**4).mean() == pytest.approx(3, abs=5 * math.sqrt(96 / first.size))
