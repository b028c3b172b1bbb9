"""Networks: shapes, invariances, and what they do before training."""

from __future__ import annotations

import pytest
import torch

from watermark.nets.decoder import Decoder
from watermark.nets.discriminator import Discriminator
from watermark.nets.generator import Generator
from watermark.nets.layers import HOST_CHANNELS, ResidualBlock, host_features


def random_luma(height, width, seed=1):
    """Noise with a contrast well above the noise floor, in [.2, .8]."""
    return 0.2 + 0.6 * torch.rand(2, 1, height, width, generator=torch.Generator().manual_seed(seed))


def parameters(network):
    return sum(value.numel() for value in network.parameters())


@torch.inference_mode()
@pytest.mark.parametrize(("height", "width"), [(24, 40), (56, 24), (8, 8)])
def test_networks_take_odd_multiples_of_eight(height, width):
    luma = random_luma(height, width)
    assert host_features(luma).shape == (2, HOST_CHANNELS, height // 4, width // 4)
    assert Decoder()(luma).shape == (2, 1, height // 2, width // 2)
    assert Generator()(luma, luma).shape == luma.shape
    scores = Discriminator()(luma)
    assert scores.shape[:2] == (2, 1)
    assert scores[0].numel() >= 1


@torch.inference_mode()
def test_decoder_is_translation_equivariant():
    """Far from the borders, a part of a picture reads as in the whole picture."""
    torch.manual_seed(1)
    decoder = Decoder()
    for block in decoder.blocks:
        torch.nn.init.normal_(block.second.weight, std=0.05)
    luma = random_luma(160, 160)
    whole, part = decoder(luma), decoder(luma[:, :, 16:, 8:])
    assert whole.std() > 0.01
    assert torch.allclose(whole[:, :, 48:, 44:], part[:, :, 40:, 40:], atol=1e-4)


@torch.inference_mode()
def test_generator_is_the_identity_before_training():
    luma, pattern = random_luma(32, 48), torch.randn(2, 1, 32, 48)
    assert torch.equal(Generator()(luma, pattern), pattern)


@torch.inference_mode()
def test_generator_modulates_within_bounds_and_adds_a_correction():
    generator, luma = Generator(), random_luma(32, 48)
    pattern = torch.randn(2, 1, 32, 48)
    generator.head.bias[:16] = 100.0
    assert torch.allclose(generator(luma, pattern), 1.9 * pattern, atol=1e-5)
    generator.head.bias[:16] = -100.0
    assert torch.allclose(generator(luma, pattern), 0.1 * pattern, atol=1e-5)
    generator.head.bias[:16], generator.head.bias[16:] = 0.0, 0.5
    assert torch.allclose(generator(luma, pattern), pattern + 0.5, atol=1e-5)


def test_networks_compute_on_pixels_in_place():
    """Pixel-unshuffled channels come back to the pixel that they were taken from."""
    generator, luma = Generator(), torch.full((1, 1, 16, 16), 0.5)
    torch.nn.init.constant_(generator.head.bias, 0.0)
    pattern = torch.zeros(1, 1, 16, 16)
    pattern[0, 0, 5, 10] = 1.0
    with torch.inference_mode():
        assert torch.equal(generator(luma, pattern).nonzero(), torch.tensor([[0, 0, 5, 10]]))
    pixels = torch.rand(1, 1, 16, 16)
    shuffled = torch.nn.functional.pixel_shuffle(host_features(pixels)[:, :16], 4)
    assert (shuffled - shuffled.mean()).flatten().dot((pixels - pixels.mean()).flatten()) > 0
    assert torch.corrcoef(torch.stack([shuffled.flatten(), pixels.flatten()]))[0, 1] > 0.9


@pytest.mark.parametrize(("gain", "offset"), [(0.5, 0.0), (1.0, 0.15), (0.6, 0.3)])
def test_host_features_ignore_brightness_and_contrast(gain, offset):
    luma = random_luma(40, 40)
    before, after = host_features(luma), host_features(gain * luma + offset)
    # the noise floor, under which regions count as flat, leaves less than a hundredth
    assert torch.allclose(before[:, :16], after[:, :16], atol=0.03)
    change = (after - before)[:, 16]
    assert torch.allclose(change, torch.full_like(change, gain).log(), atol=0.01)


def test_flat_luma_gives_finite_zero_features():
    features = host_features(torch.full((1, 1, 16, 16), 0.7))
    assert features.abs().max() < 0.2
    assert torch.isfinite(features).all()


def test_fresh_residual_block_is_the_identity():
    features = torch.randn(1, 8, 5, 5)
    assert torch.equal(ResidualBlock(8)(features), features)


def test_networks_stay_small():
    assert 10_000 < parameters(Generator()) < 80_000
    assert 10_000 < parameters(Decoder(48, 3)) < 200_000
    assert 5_000 < parameters(Discriminator()) < 50_000


def test_discriminator_is_bounded_by_spectral_normalisation():
    torch.manual_seed(1)
    critic = Discriminator()
    with torch.no_grad():
        for layer in [*critic.layers, critic.head]:
            layer.parametrizations.weight.original.mul_(1000)
    critic.train()
    for _ in range(30):
        critic(random_luma(32, 32))
    for layer in [*critic.layers, critic.head]:
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2) < 1.1


def test_gradients_reach_every_parameter():
    torch.manual_seed(1)
    generator, decoder = Generator(), Decoder()
    for module in (*generator.modules(), *decoder.modules()):
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.normal_(module.weight, std=0.05)
    luma = random_luma(32, 32)
    decoder(luma + 0.01 * generator(luma, torch.randn(2, 1, 32, 32))).square().mean().backward()
    for name, value in (*generator.named_parameters(), *decoder.named_parameters()):
        assert value.grad is not None, name
        assert value.grad.abs().max() > 0, name
