"""Attacks one after the other, and the screenshot made of them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from attacks import (
    ATTACKS,
    Brightness,
    Chain,
    Crop,
    Elastic,
    Flip,
    Pad,
    QuarterTurn,
    RealJpeg,
    Resize,
    Rounding,
    Screenshot,
)


def test_attacks_are_applied_from_first_to_last(photo: Tensor) -> None:
    steps = (Brightness(1.4), Crop(0.5, 0.2, 0.7), Flip())
    expected = photo
    for step in steps:
        expected = step.apply(expected)
    assert torch.equal(Chain(steps).apply(photo), expected)


def test_each_matrix_is_of_the_size_it_meets() -> None:
    """Crop 100 x 80 at the right, then turn what is left: 50 wide, 40 high."""
    chain = Chain((Crop(0.5, 1.0, 0.0), QuarterTurn(1), Pad(left=0.1)))
    point = torch.tensor([60.0, 5.0, 1.0], dtype=torch.float64)  # cropped (10, 5), turned (5, 40), padded (9, 40)
    assert (chain.matrix(80, 100) @ point).tolist() == [9.0, 40.0, 1.0]


def test_one_step_without_a_matrix_leaves_the_chain_without() -> None:
    chain = Chain((Crop(0.5), Chain((Elastic(9.0), Flip()))))
    assert chain.matrix(80, 100) is None


def test_chains_nest(photo: Tensor) -> None:
    flat = Chain((Crop(0.7, 0.3, 0.1), QuarterTurn(1), Resize(0.8)))
    nested = Chain((Chain((Crop(0.7, 0.3, 0.1), QuarterTurn(1))), Resize(0.8)))
    assert torch.equal(flat.apply(photo), nested.apply(photo))
    assert torch.allclose(flat.matrix(128, 160), nested.matrix(128, 160))


@pytest.mark.parametrize("name", [name for name, entry in ATTACKS.items() if entry.facts.needs])
def test_attacks_that_need_knowledge_are_refused(name: str) -> None:
    """A chain has none to give them; ``watermark attack --attacks`` meets the same refusal."""
    informed = ATTACKS[name].sample(torch.Generator().manual_seed(0))
    (need, *_) = informed.facts.needs
    with pytest.raises(ValueError, match=rf"{name} needs Knowledge\.{need}.*; apply it by itself"):
        Chain((Flip(), informed))


def test_a_sample_is_crop_brightness_jpeg() -> None:
    chain = Chain.sample(torch.Generator().manual_seed(0))
    assert [attack.facts.name for attack in chain.attacks] == ["crop", "brightness", "jpeg"]
    mild = Chain.sample(torch.Generator().manual_seed(0), level=0.0)
    assert mild.attacks[1] == Brightness(1.0)


def test_the_screenshot_is_its_steps(photo: Tensor) -> None:
    expected = photo
    for step in (Resize(0.6), Crop(0.95, 0.25, 0.75), Rounding(), RealJpeg(85)):
        expected = step.apply(expected)
    screenshot = Screenshot(x=0.25, y=0.75)
    assert torch.equal(screenshot.apply(photo), expected)
    assert expected.shape[2:] == (73, 91)  # .95 of 77 x 96
    assert torch.equal(screenshot.matrix(128, 160), screenshot.chain().matrix(128, 160))


def test_screenshots_cut_at_sampled_positions() -> None:
    shots = [Screenshot.sample(torch.Generator().manual_seed(seed)) for seed in range(50)]
    assert max(shot.x for shot in shots) > 0.8 > 0.2 > min(shot.x for shot in shots)
    assert all(0 <= shot.crop <= 0.1 and 0.5 <= shot.scale <= 1 for shot in shots)
    mild = Screenshot.sample(torch.Generator().manual_seed(0), level=0.0)
    assert (mild.scale, mild.crop, mild.jpeg_quality) == (1.0, 0.0, 95)
