"""Training the autoencoder: from principal components on, and better than they are within seconds."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from skimage import data

from attacks.autoencoder import LATENT, RegenerationNetwork, load_network
from benchmarks.train_autoencoder import start_from_principal_components, train, write
from watermark.training.data import Pictures


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Pictures:
    """Photographs of scikit-image."""
    folder = tmp_path_factory.mktemp("pictures")
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        Image.fromarray(getattr(data, name)()).save(folder / f"{name}.png")
    return Pictures(folder)


def error(network: RegenerationNetwork, luma: torch.Tensor) -> float:
    """Mean square error at 32 levels."""
    with torch.inference_mode():
        return float(F.mse_loss(network(luma, 32), luma))


def test_it_starts_with_the_best_linear_code() -> None:
    """Cells that lie in a space of as many dimensions as the code has values come back but for the rounding."""
    generator = torch.Generator().manual_seed(1)
    basis = torch.linalg.qr(torch.randn(64, LATENT, generator=generator))[0]
    cells = torch.einsum("pk,bkhw->bphw", basis, torch.rand(8, LATENT, 6, 6, generator=generator) - 0.5)
    luma = 0.5 + F.pixel_shuffle(0.5 * cells, 8)
    network = RegenerationNetwork()
    start_from_principal_components(network, luma)
    with torch.no_grad():
        network.encoder[-1].bias.zero_()
        network.decoder[-1].bias.zero_()
        drawn = network(luma, 10_001)
    assert float((drawn - luma).abs().median()) < 1e-4


def test_training_improves_on_the_start(pictures: Pictures) -> None:
    luma = pictures.batch(1000, 128, 16, seed=5)
    start = RegenerationNetwork()
    start_from_principal_components(start, pictures.batch(0, 128, 16, seed=1))
    seen: list[int] = []
    trained = train(pictures, 20, seed=1, report=lambda step, psnr: seen.append(step))
    assert seen == list(range(1, 21))
    assert error(trained, luma) < 0.9 * error(start, luma)


def test_what_is_written_loads(tmp_path: Path) -> None:
    network = RegenerationNetwork()
    path = tmp_path / "new" / "small.safetensors"
    write(network, path, {"recipe": "none"})
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert card["recipe"] == "none"
    loaded = load_network(path).state_dict()
    for name, value in network.state_dict().items():
        assert torch.allclose(loaded[name], value, rtol=1e-3, atol=1e-6), name
