"""What every valuemetric and every occluding attack promises beyond the registry's tests; of places, every attack."""

from __future__ import annotations

import dataclasses
from importlib.util import find_spec

import pytest
import torch
from torch import Tensor

from attacks import ATTACKS, Attack

NAMES = [name for name in ATTACKS if ATTACKS[name].facts.family in {"valuemetric", "occlusion"}]
WITHOUT_KNOWLEDGE = [
    pytest.param(name, marks=pytest.mark.skipif(find_spec("pywt") is None, reason="PyWavelets is not installed"))
    if name == "wavelet_denoise"
    else name
    for name in ATTACKS
    if not ATTACKS[name].facts.needs
]


def at_place(attack: Attack, index: int) -> Attack:
    """The attack that does to a single image what ``attack`` does to image ``index`` of a batch."""
    if not hasattr(attack, "seed"):
        return attack
    moved: Attack = dataclasses.replace(attack, seed=attack.seed + index)  # type: ignore[type-var]
    return moved


@pytest.mark.parametrize("name", NAMES)
def test_level_0_is_the_identity_or_almost(name: str, photo: Tensor) -> None:
    for seed in range(5):
        attack = ATTACKS[name].sample(torch.Generator().manual_seed(seed), level=0.0)
        error = attack.apply(photo) - photo
        assert float(error.square().mean()) < 1e-6  # 60 dB; only Poisson noise has no identity to sample


@pytest.mark.parametrize("name", WITHOUT_KNOWLEDGE)
def test_images_come_out_of_a_batch_as_alone(name: str, photo: Tensor) -> None:
    batch = torch.cat([photo, photo.flip(3) * 0.8, photo.flip(2)])
    attack = ATTACKS[name].sample(torch.Generator().manual_seed(3))
    together = attack.apply(batch)
    for index in range(3):
        alone = at_place(attack, index).apply(batch[index : index + 1])
        assert torch.allclose(alone[0], together[index], atol=1e-6)  # sums may be ordered otherwise


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("name", NAMES)
def test_black_and_white_stay_in_range(name: str, value: float) -> None:
    for seed in range(4):
        out = ATTACKS[name].sample(torch.Generator().manual_seed(seed)).apply(torch.full((1, 3, 40, 50), value))
        assert 0 <= float(out.min()) <= float(out.max()) <= 1


@pytest.mark.parametrize("name", NAMES)
def test_full_level_changes_the_picture(name: str, photo: Tensor) -> None:
    attacks = [ATTACKS[name].sample(torch.Generator().manual_seed(seed)) for seed in range(8)]
    outs = [attack.apply(photo) for attack in attacks]
    assert any(out.shape != photo.shape or float((out - photo).abs().mean()) > 1e-3 for out in outs)
