"""Carriers: one-to-one and orthogonal, keyed by specified streams, and equal to the documented formula."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch

from watermark import carriers as carriers_module
from watermark.carriers import (
    CODE_BITS,
    DIMENSIONS_PER_BIT,
    ENVELOPE_BINS,
    TILE_SAMPLES,
    TONES,
    Carriers,
    analyse,
    envelope_bins,
    frequencies,
    synthesise,
)
from watermark.payload.keys import Key

FLAT = torch.ones(ENVELOPE_BINS)
ENVELOPE = torch.linspace(0.3, 2.0, ENVELOPE_BINS)
FIXED = Key(bytes(range(32)))


@pytest.fixture(scope="module")
def carriers():
    return Carriers.from_key(Key.open())


def random_amplitudes(count=2, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, CODE_BITS, generator=generator)


def random_coefficients(count=2, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, len(frequencies()), dtype=torch.complex64, generator=generator)


def test_the_band_has_8472_real_dimensions_in_the_documented_order():
    points = frequencies()
    assert 2 * len(points) == 8472
    expected = [
        (fx, fy)
        for fy in range(-52, 53)
        for fx in range(-52, 53)
        if 9 <= fx * fx + fy * fy <= 2704 and (fx > 0 or (fx == 0 and fy > 0))
    ]
    assert points.tolist() == [list(point) for point in expected]


def test_envelope_bins_cover_the_band_evenly_in_radius():
    bins, radius = np.asarray(envelope_bins()), np.hypot(*frequencies().T)
    assert set(bins) == set(range(ENVELOPE_BINS))
    for number in range(ENVELOPE_BINS):
        low, high = 3 + 49 * number / 16, 3 + 49 * (number + 1) / 16
        assert radius[bins == number].min() >= low - 1e-9
        assert radius[bins == number].max() <= high + 1e-9


def test_samples_equal_the_documented_formula():
    coefficients = random_coefficients(1)
    tile = synthesise(coefficients)[0].numpy()
    for row, column in ((0, 0), (64, 64), (5, 120), (127, 31)):
        u = np.array([(column + 0.5) / 128 - 0.5, (row + 0.5) / 128 - 0.5])
        expected = np.sum(np.real(coefficients[0].numpy() * np.exp(2j * np.pi * (frequencies() @ u))))
        assert tile[row, column] == pytest.approx(expected, abs=2e-3)


def test_analysis_inverts_synthesis():
    coefficients = random_coefficients()
    assert torch.allclose(analyse(synthesise(coefficients)), coefficients, atol=1e-4)


def test_finer_sampling_shows_the_same_pattern():
    """The mean of each 2 x 2 cell of a 256 tile, with the band's own attenuation undone, is the 128 tile."""
    coefficients = random_coefficients(1)
    fine = synthesise(coefficients, 256)
    cells = torch.nn.functional.avg_pool2d(fine.unsqueeze(1), 2).squeeze(1)
    fx, fy = torch.from_numpy(frequencies().T.astype(np.float32))
    attenuation = torch.cos(torch.pi * fx / 256) * torch.cos(torch.pi * fy / 256)
    assert torch.allclose(analyse(cells) / attenuation, coefficients, atol=1e-4)


@pytest.mark.parametrize("samples", [TILE_SAMPLES, 256])
def test_modulated_pattern_has_unit_mean_square(carriers, samples):
    tiles = synthesise(carriers.modulate(random_amplitudes(), ENVELOPE, 0.2), samples)
    assert tiles.square().mean((1, 2)).tolist() == pytest.approx([1.0, 1.0], abs=1e-4)
    assert tiles.mean((1, 2)).abs().max() < 1e-5


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_the_pilot_gets_its_share(carriers, share):
    coefficients = carriers.modulate(random_amplitudes(1), ENVELOPE, share)
    energy = coefficients.abs().square() / 2
    assert energy[:, carriers.tones].sum().item() == pytest.approx(share, abs=1e-5)
    assert energy.sum().item() == pytest.approx(1.0, abs=1e-5)


def test_round_trip_is_exact_and_bits_do_not_disturb_each_other(carriers):
    amplitudes = random_amplitudes()
    soft, energy, pilot = carriers.demodulate(analyse(synthesise(carriers.modulate(amplitudes, FLAT, 0.2))), FLAT)
    assert soft.shape == amplitudes.shape
    ratio = soft / amplitudes
    assert torch.allclose(ratio / ratio[:, :1], torch.ones(()), atol=1e-3)
    assert (ratio > 0).all()
    # without noise all 32 elements of a bit agree
    assert energy.tolist() == pytest.approx([DIMENSIONS_PER_BIT] * 2, rel=1e-3)
    # a tone has more than 10 times the energy of a bit's dimension, and all answer in phase and alike
    assert pilot.shape == (2, TONES)
    assert torch.allclose(pilot, pilot.mean().expand_as(pilot), rtol=1e-3)
    assert pilot.mean().item() == pytest.approx((0.2 / TONES / (0.8 / 8192)) ** 0.5, rel=1e-3)


def test_envelopes_weigh_the_spectrum(carriers):
    plain = carriers.modulate(random_amplitudes(1), FLAT, 0.0).abs()[0]
    shaped = carriers.modulate(random_amplitudes(1), ENVELOPE, 0.0).abs()[0]
    bins = torch.as_tensor(envelope_bins())
    used = plain > 1e-6
    gain = (shaped / plain)[used] / ENVELOPE[bins[used]]
    assert torch.allclose(gain, gain.mean().expand_as(gain), rtol=1e-3)

    received = random_coefficients(1)
    soft, _, _ = carriers.demodulate(received, ENVELOPE)
    direct, _, _ = carriers.demodulate(received * ENVELOPE[bins], FLAT)
    assert torch.allclose(soft, direct, atol=1e-5)


def test_white_noise_gives_unit_bit_energy(carriers):
    tiles = torch.randn(200, 128, 128, generator=torch.Generator().manual_seed(3))
    soft, energy, pilot = carriers.demodulate(analyse(tiles), FLAT)
    assert energy.mean().item() == pytest.approx(1.0, abs=0.02)
    assert energy.std().item() == pytest.approx(0.09, abs=0.015)
    assert soft.std().item() == pytest.approx(1.0, abs=0.02)
    assert pilot.mean().abs().item() < 0.05
    assert pilot.std().item() == pytest.approx(1.0, abs=0.03)


def test_silence_demodulates_to_finite_numbers(carriers):
    soft, energy, pilot = carriers.demodulate(torch.zeros(1, len(frequencies()), dtype=torch.complex64), FLAT)
    assert torch.isfinite(soft).all()
    assert energy.item() == 0
    assert torch.isfinite(pilot).all()


@pytest.mark.parametrize("number", range(20))
def test_every_key_draws_by_the_rules(number):
    drawn = Carriers.from_key(Key(hashlib.sha256(bytes([number])).digest()))
    points = frequencies()[drawn.tones.numpy()]
    assert points.shape == (TONES, 2) == (48, 2)
    radius = np.hypot(*points.T)
    assert radius.min() >= 28
    assert radius.max() <= 48
    both = np.concatenate([points, -points])
    distance = np.hypot(*(both[:, None] - both[None]).transpose(2, 0, 1))
    assert distance[~np.eye(96, dtype=bool)].min() >= 4
    assert torch.allclose(drawn.tone_phasors.abs(), torch.ones(()))
    used = drawn.dimensions.flatten().numpy()
    assert drawn.dimensions.shape == drawn.signs.shape == (CODE_BITS, DIMENSIONS_PER_BIT) == (256, 32)
    assert len(np.unique(used)) == 8192
    assert not np.intersect1d(used // 2, drawn.tones.numpy()).size
    assert used.min() >= 0
    assert used.max() < 8472
    assert set(drawn.signs.unique().tolist()) == {-1.0, 1.0}
    assert abs(drawn.signs.mean().item()) < 0.06


# Drawn by a program that shares no code with the product. A mark must read for ever: never change these.
@pytest.mark.parametrize(
    ("key", "tones", "phases", "dimensions", "last", "signs", "digest"),
    [
        (
            Key.open(),
            [1752, 2461, 2313, 2007, 3689, 646, 413, 788],
            [169, 89, 61, 175, 164, 123, 29, 138],
            [2186, 4674, 1449, 7790, 485, 2504, 7789, 3541],
            [874, 7811, 5946, 2032],
            "+-++-+++-++--+--",
            "d466da0b8f4776b1d4553289cfb0804ca8ab182906b2d9a0cd781b8a58351021",
        ),
        (
            FIXED,
            [1489, 3477, 3449, 3593, 955, 3787, 3615, 4040],
            [185, 247, 62, 28, 66, 148, 146, 153],
            [5459, 4818, 3649, 5442, 1303, 1471, 6804, 2769],
            [7103, 4775, 3523, 2174],
            "---++--+-+-+---+",
            "ca3f0afe7adfa80ccbda28bbfcd8a7ae8f01347adb97a6ceb2d081a57ed17987",
        ),
    ],
)
def test_carriers_hold_for_ever(key, tones, phases, dimensions, last, signs, digest):
    drawn = Carriers.from_key(key)
    assert drawn.tones[:8].tolist() == tones
    assert torch.allclose(drawn.tone_phasors[:8], torch.exp(2j * torch.pi * torch.tensor(phases) / 256), atol=1e-6)
    assert drawn.dimensions[0, :8].tolist() == dimensions
    assert drawn.dimensions[-1, -4:].tolist() == last
    assert "".join("+" if sign > 0 else "-" for sign in drawn.signs[0, :16]) == signs
    everything = (drawn.tones.tolist(), drawn.dimensions.flatten().tolist())
    assert hashlib.sha256(repr(everything).encode()).hexdigest() == digest


def test_training_can_use_what_inference_cached(carriers):
    for table in (carriers_module._fft_tables, envelope_bins):
        table.cache_clear()
    with torch.inference_mode():
        carriers.demodulate(analyse(synthesise(random_coefficients())), FLAT)
    amplitudes, envelope = random_amplitudes().requires_grad_(True), FLAT.clone().requires_grad_(True)
    soft, _, _ = carriers.demodulate(analyse(synthesise(carriers.modulate(amplitudes, envelope, 0.2))), envelope)
    soft.square().sum().backward()
    assert torch.isfinite(amplitudes.grad).all()
    assert envelope.grad.abs().max() > 0


def test_another_device_holds_the_same_carriers(carriers):
    copy = carriers.to("cpu")
    assert torch.equal(copy.dimensions, carriers.dimensions)
    assert torch.equal(copy.tone_phasors, carriers.tone_phasors)
