"""Regeneration by large models, here small ones of random weights; and what is said where there are none."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from attacks import DiffusionRegeneration, InformedAttack, Knowledge, KnowledgeMissing, VaeRegeneration

ATTACKS = [VaeRegeneration(0.1, seed=5), DiffusionRegeneration(60, 3, seed=5)]


def autoencoder(folder: Path) -> Any:
    """The autoencoder of a pipeline, read by the library itself."""
    from diffusers import AutoencoderKL

    return AutoencoderKL.from_pretrained(folder / "vae")


@torch.no_grad()
def round_trip(model: Any, image: Tensor) -> Tensor:
    """An image of whole cells through the autoencoder."""
    decoded: Tensor = model(image * 2 - 1).sample
    return (decoded / 2 + 0.5).clamp(0, 1)


def test_without_noise_it_is_the_autoencoder(weights: Path, photo: Tensor) -> None:
    expected = round_trip(autoencoder(weights), photo)
    for folder in (weights, weights / "vae"):
        assert torch.allclose(VaeRegeneration().apply(photo, Knowledge(weights=folder)), expected, atol=1e-5)


@pytest.mark.parametrize("attack", [VaeRegeneration(), VaeRegeneration(passes=2)], ids=repr)
def test_passes_are_one_after_the_other(attack: VaeRegeneration, weights: Path, photo: Tensor) -> None:
    expected, model = photo, autoencoder(weights)
    for _ in range(attack.passes):
        expected = round_trip(model, expected)
    assert torch.allclose(attack.apply(photo, Knowledge(weights=weights)), expected, atol=1e-5)


def test_noise_has_the_stated_deviation_in_the_latent(
    weights: Path, photo: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decoder that shows the latent finds the noise."""
    model = autoencoder(weights)
    latents = []
    decode = type(model).decode

    def spy(self: Any, latent: Tensor, *args: Any, **kwargs: Any) -> Any:
        latents.append(latent)
        return decode(self, latent, *args, **kwargs)

    monkeypatch.setattr(type(model), "decode", spy)
    large = photo.repeat(1, 1, 2, 2)
    for sigma in (0.0, 0.5):
        VaeRegeneration(sigma).apply(large, Knowledge(weights=weights))
    clean, noisy = latents
    assert float((noisy - clean).std()) * model.config.scaling_factor == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize(("timestep", "steps", "used"), [(60, 3, [59, 39, 19]), (1, 5, [0]), (37, 2, [36, 17])])
@torch.no_grad()
def test_diffusion_is_ddim_from_the_timestep_on(
    timestep: int, steps: int, used: list[int], weights: Path, photo: Tensor
) -> None:
    """By hand: noise at the first timestep, steps of equation 12 of Song et al. (2021), sigma 0, then decode."""
    from diffusers import UNet2DConditionModel
    from transformers import CLIPTextModel

    model, unet = autoencoder(weights), UNet2DConditionModel.from_pretrained(weights / "unet")
    text = CLIPTextModel.from_pretrained(weights / "text_encoder")
    empty = text(torch.tensor([[0, 1, 1, 1]]))[0]  # start, end and padding by the end
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    kept = (1 - betas).cumprod(0)

    generator = torch.Generator().manual_seed(9)
    scale = model.config.scaling_factor
    latent = model.encode(photo * 2 - 1).latent_dist.sample(generator) * scale
    noise = torch.randn(latent.shape, generator=generator)
    latent = kept[used[0]].sqrt() * latent + (1 - kept[used[0]]).sqrt() * noise
    for start, end in zip(used, [*used[1:], None], strict=True):
        error = unet(latent.float(), start, empty).sample
        clean = (latent - (1 - kept[start]).sqrt() * error) / kept[start].sqrt()
        latent = clean if end is None else kept[end].sqrt() * clean + (1 - kept[end]).sqrt() * error
    expected = (model.decode(latent.float() / scale).sample / 2 + 0.5).clamp(0, 1)

    out = DiffusionRegeneration(timestep, steps, seed=9).apply(photo, Knowledge(weights=weights))
    assert torch.allclose(out, expected, atol=1e-4)
    assert not torch.allclose(out, round_trip(model, photo), atol=1e-3)


@pytest.mark.parametrize("attack", ATTACKS, ids=repr)
@pytest.mark.parametrize("size", [(1, 1), (7, 9), (40, 33)])
def test_any_size(attack: InformedAttack, size: tuple[int, int], weights: Path) -> None:
    for channels in (1, 3):
        image = torch.rand(1, channels, *size, generator=torch.Generator().manual_seed(1))
        out = attack.apply(image, Knowledge(weights=weights))
        assert out.shape == image.shape
        assert 0 <= float(out.min()) <= float(out.max()) <= 1


@pytest.mark.parametrize("attack", ATTACKS, ids=repr)
def test_the_border_is_repeated_to_whole_cells(attack: InformedAttack, weights: Path, photo: Tensor) -> None:
    cut, knowledge = photo[..., :120, :150], Knowledge(weights=weights)
    padded = torch.nn.functional.pad(cut, (0, 10, 0, 8), mode="replicate")
    assert torch.equal(attack.apply(cut, knowledge), attack.apply(padded, knowledge)[..., :120, :150])


@pytest.mark.parametrize("attack", ATTACKS, ids=repr)
def test_grey_is_drawn_in_colour_and_averaged(attack: InformedAttack, weights: Path, photo: Tensor) -> None:
    grey, knowledge = photo[:, :1], Knowledge(weights=weights)
    colours = attack.apply(grey.expand(-1, 3, -1, -1), knowledge)
    assert torch.allclose(attack.apply(grey, knowledge), colours.mean(1, keepdim=True), atol=1e-6)


@pytest.mark.parametrize("attack", ATTACKS, ids=repr)
def test_images_have_seeds_of_their_own(attack: InformedAttack, weights: Path, photo: Tensor) -> None:
    knowledge = Knowledge(weights=weights)
    batch = attack.apply(photo.expand(2, -1, -1, -1), knowledge)
    next_seed = type(attack)(**{**vars(attack), "seed": 6})
    assert torch.equal(batch[1:], next_seed.apply(photo, knowledge))
    assert not torch.allclose(batch[0], batch[1], atol=1e-3)


@pytest.mark.parametrize(
    ("attack", "file"),
    [(VaeRegeneration(), r"config\.json"), (DiffusionRegeneration(), r"model_index\.json")],
    ids=repr,
)
def test_a_folder_without_weights_is_refused(attack: InformedAttack, file: str, photo: Tensor, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(KnowledgeMissing, match=rf"holds no {file}; no weights are downloaded"):
            attack.apply(photo, Knowledge(weights=folder))


@pytest.mark.parametrize("attack", ATTACKS, ids=repr)
def test_without_diffusers_the_extra_is_named(
    attack: InformedAttack, photo: Tensor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in ("config.json", "model_index.json"):
        (tmp_path / file).write_text("{}")
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(ImportError, match=r"needs diffusers and transformers; pip install .*\[regeneration\]"):
        attack.apply(photo, Knowledge(weights=tmp_path))
