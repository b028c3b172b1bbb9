"""The model: what strength means, and weights files that are checked before they are used."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
import torch
from skimage import data

from watermark.errors import WeightsError
from watermark.nets.model import RELEASE, TYPICAL_VISIBILITY, Model, load_card, load_model, save_model
from watermark.visibility import visibility_map
from watermark.working import reduced_luma


@pytest.fixture(scope="module")
def model():
    """A small model with weights unlike the fresh ones."""
    torch.manual_seed(1)
    model = Model(generator_channels=8, decoder_channels=8, decoder_blocks=1, pilot_share=0.25)
    torch.nn.init.normal_(model.generator.head.weight, std=0.1)
    torch.nn.init.normal_(model.log_transmit, std=0.3)
    return model


@pytest.fixture
def saved(model, tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(model, path, {"name": "test"})
    return path


@pytest.fixture(scope="module")
def lumas():
    pictures = (data.astronaut(), data.coffee(), data.chelsea(), data.rocket())
    return torch.from_numpy(np.stack([reduced_luma(picture)[:256, :256] for picture in pictures])[:, None])


def energies(model, luma, strengths):
    pattern = torch.randn(luma.shape, generator=torch.Generator().manual_seed(1))
    pattern = pattern / pattern.square().mean((1, 2, 3), keepdim=True).sqrt()
    with torch.inference_mode():
        return model.residual(luma, pattern, torch.tensor(strengths)).square().mean((1, 2, 3))


def test_twenty_decibels_are_a_factor_of_ten_in_amplitude(model, lumas):
    luma = lumas[:1].expand(3, -1, -1, -1)
    loud, middle, quiet = energies(model, luma, [30.0, 40.0, 50.0]).tolist()
    assert loud / middle == pytest.approx(10, rel=1e-3)
    assert middle / quiet == pytest.approx(10, rel=1e-3)


def test_strength_is_the_psnr_where_the_visibility_is_typical(model, lumas):
    """Whatever the generator does: it moves energy about, but adds none."""
    for network in (model, Model(8, 8, 1)):
        psnr = -10 * energies(network, lumas, [42.0] * len(lumas)).log10()
        typical = visibility_map(lumas).square().mean((1, 2, 3)).sqrt() / TYPICAL_VISIBILITY
        assert (psnr + 20 * typical.log10()).tolist() == pytest.approx([42.0] * len(lumas), abs=0.01)


def test_typical_visibility_is_that_of_photographs(lumas):
    root_mean_square = visibility_map(lumas).square().mean((1, 2, 3)).sqrt()
    assert TYPICAL_VISIBILITY / 2 < root_mean_square.log().mean().exp() < TYPICAL_VISIBILITY * 2


def test_envelopes_are_positive(model):
    assert (model.transmit > 0).all()
    assert torch.allclose(model.transmit.log(), model.log_transmit)
    assert torch.equal(model.receive, torch.ones(16))


def test_round_trip_through_a_file(model, saved, lumas):
    loaded = load_model(saved)
    assert loaded.architecture == model.architecture
    assert loaded.pilot_share == 0.25
    for name, value in model.state_dict().items():
        assert torch.equal(value, loaded.state_dict()[name]), name
    with torch.inference_mode():
        assert torch.allclose(loaded.estimate(lumas), model.estimate(lumas), atol=1e-5)
    assert not loaded.training
    assert not any(value.requires_grad for value in loaded.parameters())
    assert load_model(saved) is loaded


def test_card_names_architecture_hash_and_what_was_given(model, saved):
    card = load_card(saved)
    assert card["name"] == "test"
    assert card["architecture"] == model.architecture
    assert card["sha256"] == hashlib.sha256(saved.read_bytes()).hexdigest()


def test_saving_leaves_only_the_two_files(saved):
    assert sorted(path.name for path in saved.parent.iterdir()) == ["model.json", "model.safetensors"]


def edit_card(path, **changes):
    card = path.with_suffix(".json")
    card.write_text(json.dumps(json.loads(card.read_text()) | changes))


def test_a_flipped_bit_is_refused(saved):
    content = bytearray(saved.read_bytes())
    content[-1] ^= 1
    saved.write_bytes(content)
    with pytest.raises(WeightsError, match="SHA-256"):
        load_model(saved)


@pytest.mark.parametrize("card", [None, b"", b"{", b"\xff\xfe"])
def test_a_missing_or_malformed_card_is_refused(saved, card):
    path = saved.with_suffix(".json")
    path.unlink() if card is None else path.write_bytes(card)
    with pytest.raises(WeightsError, match="card"):
        load_model(saved)


def test_missing_weights_are_refused(saved):
    saved.unlink()
    with pytest.raises(WeightsError, match="cannot read the weights"):
        load_model(saved)


@pytest.mark.parametrize(
    "architecture",
    [
        {"generator_channels": 16, "decoder_channels": 8, "decoder_blocks": 1, "pilot_share": 0.2},
        {"generator_channels": 8, "decoder_channels": 8, "decoder_blocks": 2, "pilot_share": 0.2},
        {"another": 1},
    ],
)
def test_another_architecture_is_refused(saved, architecture):
    edit_card(saved, architecture=architecture)
    with pytest.raises(WeightsError, match="does not fit"):
        load_model(saved)


def test_a_card_without_architecture_is_refused(saved):
    card = saved.with_suffix(".json")
    values = json.loads(card.read_text())
    del values["architecture"]
    card.write_text(json.dumps(values))
    with pytest.raises(WeightsError, match="does not fit"):
        load_model(saved)


def test_a_card_that_is_no_object_is_refused(saved):
    saved.with_suffix(".json").write_text("[1]")
    with pytest.raises(WeightsError):
        load_model(saved)


def test_weights_that_are_no_safetensors_are_refused(saved):
    saved.write_bytes(b"not weights")
    edit_card(saved, sha256=hashlib.sha256(b"not weights").hexdigest())
    with pytest.raises(WeightsError, match="does not fit"):
        load_model(saved)


def test_release_is_small_and_has_a_card():
    assert RELEASE.stat().st_size < 2_000_000
    card = load_card()
    assert card["sha256"] == hashlib.sha256(RELEASE.read_bytes()).hexdigest()
    assert load_model().architecture == card["architecture"]
