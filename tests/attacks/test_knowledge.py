"""What informed attacks do with their knowledge, and without it."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from torch import Tensor

from attacks import (
    ATTACKS,
    Averaging,
    Copy,
    GaussianBlur,
    GradientAttack,
    InformedAttack,
    Knowledge,
    KnowledgeMissing,
    Overwrite,
)
from attacks.residuals import add_residual

EVERYTHING = Knowledge(
    marked=torch.full((8, 3, 16, 16), 0.4),
    host=torch.full((8, 3, 16, 16), 0.5),
    embed=lambda image: image * 0.9,
    score=lambda image: image.mean((1, 2, 3)),
)
INFORMED = [name for name in ATTACKS if ATTACKS[name].facts.needs]


def pattern(height: int = 64, width: int = 80) -> Tensor:
    """A mark: independent signs of one grey level and a half, shape (1, 3, height, width)."""
    signs = torch.randint(2, (1, 3, height, width), generator=torch.Generator().manual_seed(3)) * 2 - 1
    return signs * 1.5 / 255


def scenes(count: int, seed: int) -> Tensor:
    """Smooth pictures, shape (count, 3, 64, 80)."""
    noise = torch.rand(count, 3, 64, 80, generator=torch.Generator().manual_seed(seed))
    smooth = GaussianBlur(8.0).apply(noise)
    return 0.5 + (smooth - smooth.mean()) / smooth.std() * 0.05


def correlation(first: Tensor, second: Tensor) -> float:
    """Normalised correlation, -1 to 1."""
    return float(torch.nn.functional.cosine_similarity(first.flatten(), second.flatten(), dim=0))


def test_informed_attacks_are_those_with_needs() -> None:
    assert set(INFORMED) >= {"averaging", "copy", "overwrite", "gradient_attack", "diffusion_regeneration"}
    knowable = {field.name for field in dataclasses.fields(Knowledge)}
    for name, entry in ATTACKS.items():
        assert issubclass(entry, InformedAttack) == bool(entry.facts.needs), name
        assert set(entry.facts.needs) <= knowable


@pytest.mark.parametrize("name", INFORMED)
def test_each_need_is_asked_for_by_name(name: str) -> None:
    entry = ATTACKS[name]
    assert issubclass(entry, InformedAttack)
    image = torch.full((1, 3, 16, 16), 0.5)
    for need in entry.facts.needs:
        for knowledge in (Knowledge(), dataclasses.replace(EVERYTHING, **{need: None})):
            with pytest.raises(KnowledgeMissing, match=rf"needs Knowledge.{need}.*Knowledge\({need}=...\)"):
                entry().apply(image, knowledge)


@pytest.mark.parametrize("name", INFORMED)
def test_what_is_not_needed_may_be_missing(name: str, request: pytest.FixtureRequest) -> None:
    entry = ATTACKS[name]
    assert issubclass(entry, InformedAttack)
    needed = {need: getattr(EVERYTHING, need) for need in entry.facts.needs}
    if "weights" in needed:
        needed["weights"] = request.getfixturevalue("weights")  # skips where what reads them is not installed
    entry().apply(torch.full((1, 3, 16, 16), 0.5), Knowledge(**needed))


@pytest.mark.parametrize("attack", [Averaging(gain=0.0), Copy(0.0), Overwrite(0.0), GradientAttack(0.0)], ids=repr)
def test_identities(attack: InformedAttack, photo: Tensor) -> None:
    assert torch.equal(attack.apply(photo, EVERYTHING), photo)


def test_averaging_takes_out_what_the_marked_images_share() -> None:
    mark = pattern()
    image = scenes(1, seed=1) + mark
    knowledge = Knowledge(marked=scenes(8, seed=2) + mark)
    taken = [image - Averaging(count).apply(image, knowledge) for count in (1, 8)]
    assert correlation(taken[1], mark) > 0.9
    assert correlation(taken[1], mark) > correlation(taken[0], mark)
    assert correlation(Averaging(8).apply(image, knowledge) - scenes(1, seed=1), mark) < 0.7


def test_averaging_is_exact_where_the_hosts_are_known() -> None:
    mark = pattern()
    image, hosts = scenes(1, seed=1), scenes(3, seed=2)
    knowledge = Knowledge(marked=hosts + mark, host=hosts)
    assert torch.allclose(Averaging(3).apply(image + mark, knowledge), image, atol=1e-6)


def test_averaging_wants_as_many_images_as_it_counts() -> None:
    with pytest.raises(KnowledgeMissing, match=r"needs 9 images in Knowledge\.marked, but there are 8"):
        Averaging(9).apply(torch.zeros(1, 3, 16, 16), EVERYTHING)


def test_copy_carries_the_mark_to_another_image() -> None:
    mark = pattern()
    image, hosts = scenes(1, seed=1), scenes(2, seed=2)
    blind = Copy().apply(image, Knowledge(marked=hosts + mark)) - image
    assert correlation(blind, mark) > 0.7
    informed = Copy().apply(image, Knowledge(marked=hosts + mark, host=hosts)) - image
    assert torch.allclose(informed, mark, atol=1e-6)


def test_a_residual_is_fitted_to_the_image_and_clipped() -> None:
    residual = torch.full((1, 3, 10, 12), 0.25)
    assert torch.allclose(add_residual(torch.full((2, 3, 33, 21), 0.5), residual, -1), torch.tensor(0.25))
    assert add_residual(torch.ones(1, 3, 5, 5), residual, 4).eq(1).all()
    with pytest.raises(ValueError, match="have 3 channels, the picture 1"):
        add_residual(torch.zeros(1, 1, 10, 12), residual, 1)


@pytest.mark.parametrize("gain", [0.5, 1.0, 2.0])
def test_overwriting_scales_what_the_embedder_adds(gain: float, photo: Tensor) -> None:
    image = photo * 0.5 + 0.2
    out = Overwrite(gain).apply(image, Knowledge(embed=lambda host: host + 0.02))
    assert torch.allclose(out - image, torch.tensor(0.02 * gain), atol=1e-6)


@pytest.mark.parametrize("epsilon", [1.0, 3.0])
def test_gradient_attack_lowers_the_score_within_its_budget(epsilon: float) -> None:
    mark = pattern()
    image = scenes(2, seed=1) + mark
    image[1] = image[1].round()  # black and white: the budget meets the end of the range

    def score(images: Tensor) -> Tensor:
        correlations: Tensor = (images * mark).mean((1, 2, 3)) / mark.square().mean()
        return correlations.tanh()

    out = GradientAttack(epsilon, 10, epsilon / 4).apply(image, Knowledge(score=score))
    assert (score(out) < score(image)).all()
    assert float((out - image).abs().max()) <= epsilon / 255 + 1e-6
    assert 0 <= float(out.min()) <= float(out.max()) <= 1
    # of a linear correlation, the best that the budget allows is epsilon against each sign
    gap = float(score(image)[0].atanh() - score(out)[0].atanh())
    assert gap == pytest.approx(epsilon / 255 * float(mark.abs().mean() / mark.square().mean()), rel=1e-3)
    alone = GradientAttack(epsilon, 10, epsilon / 4).apply(image[1:], Knowledge(score=score))
    assert torch.equal(out[1:], alone)


def test_gradient_attack_turns_back_where_the_score_is_lowest() -> None:
    """Steps of a quarter grey level around the least of a parabola: it ends within one step of it."""
    image = torch.full((1, 1, 4, 4), 0.5)
    target = 0.5 + 1.4 / 255
    with torch.inference_mode():
        out = GradientAttack(4.0, 20, 0.25).apply(
            image, Knowledge(score=lambda images: (images - target).square().sum((1, 2, 3)))
        )
    assert math.isclose(float(out.mean()), target, abs_tol=0.25 / 255)
