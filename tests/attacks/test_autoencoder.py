"""The autoencoder and its weights."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from skimage import data
from skimage.metrics import peak_signal_noise_ratio
from torch import Tensor

from attacks import Autoencoder
from attacks.autoencoder import WEIGHTS, load_network

PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket")


def photograph(name: str) -> Tensor:
    """A photograph of scikit-image, shape (1, 3, H, W)."""
    return torch.from_numpy(getattr(data, name)().copy()).permute(2, 0, 1)[None].float() / 255


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_photographs_look_alike_and_fewer_levels_lose_more(name: str) -> None:
    image = photograph(name)
    qualities = [
        peak_signal_noise_ratio(image.numpy(), Autoencoder(levels).apply(image).numpy(), data_range=1.0)
        for levels in (64, 24, 6)
    ]
    assert 28 < qualities[0] < 36
    assert qualities == sorted(qualities, reverse=True)
    assert 22 < qualities[2] < qualities[0] - 2


@pytest.mark.parametrize("size", [(1, 1), (7, 9), (64, 31)])
def test_any_size(size: tuple[int, int]) -> None:
    for channels in (1, 3):
        image = torch.full((2, channels, *size), 0.5)
        out = Autoencoder(64).apply(image)
        assert out.shape == image.shape
        assert float((out - image).abs().mean()) < 6 / 255


def test_channels_and_images_are_drawn_alone(photo: Tensor) -> None:
    out = Autoencoder().apply(torch.cat([photo, photo.flip(1)]))
    for channel in range(3):
        alone = Autoencoder().apply(photo[:, channel : channel + 1])
        assert torch.allclose(out[:1, channel : channel + 1], alone, atol=1e-5)
    assert torch.allclose(out[1:], out[:1].flip(1), atol=1e-5)


@pytest.mark.parametrize("levels", [5, 65])
def test_levels_it_was_not_trained_for_are_refused(levels: int) -> None:
    with pytest.raises(ValueError, match=f"levels must be 6 to 64, but is {levels}"):
        Autoencoder(levels)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Weights and card in a folder of their own."""
    path = tmp_path / WEIGHTS.name
    shutil.copy(WEIGHTS, path)
    shutil.copy(WEIGHTS.with_suffix(".json"), path.with_suffix(".json"))
    return path


def test_weights_load_frozen(copied: Path) -> None:
    assert not any(parameter.requires_grad for parameter in load_network(copied).parameters())


def test_gradients_pass_even_if_the_weights_were_read_where_none_are(photo: Tensor) -> None:
    load_network.cache_clear()
    with torch.inference_mode():
        Autoencoder().apply(photo)
    image = photo.clone().requires_grad_()
    Autoencoder().apply(image).sum().backward()
    assert image.grad is not None
    assert float(image.grad.abs().sum()) > 0


def test_tampered_weights_are_refused(copied: Path) -> None:
    content = bytearray(copied.read_bytes())
    content[-1] ^= 1
    copied.write_bytes(content)
    with pytest.raises(ValueError, match="but its card says"):
        load_network(copied)


@pytest.mark.parametrize("suffix", [".safetensors", ".json"])
def test_missing_files_are_named(copied: Path, suffix: str) -> None:
    copied.with_suffix(suffix).unlink()
    with pytest.raises(FileNotFoundError, match=rf"autoencoder\{suffix}"):
        load_network(copied)


def test_the_card_says_what_the_weights_are() -> None:
    card = json.loads(WEIGHTS.with_suffix(".json").read_text())
    assert card["licence"] == "Apache-2.0"
    assert card.keys() >= {"data", "recipe", "command", "metrics", "sha256"}
    assert card["parameters"] == sum(parameter.numel() for parameter in load_network().parameters())
    assert WEIGHTS.stat().st_size < 500_000
