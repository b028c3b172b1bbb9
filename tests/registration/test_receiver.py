"""The receiver's numbers are those of the carriers in torch; shifts are undone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from watermark.carriers import ENVELOPE_BINS, Carriers, analyse, frequencies, synthesise
from watermark.payload.keys import Key
from watermark.registration.receiver import SHIFT_SAMPLES, Receiver, moved_back

ENVELOPE = torch.linspace(0.5, 2.0, ENVELOPE_BINS)


@pytest.fixture(scope="module")
def receiver(carriers):
    return Receiver(carriers, ENVELOPE)


@pytest.fixture
def noise():
    return np.random.default_rng(5).standard_normal((3, 128, 128)).astype(np.float32)


def test_coefficients_are_those_of_the_analysis(receiver, noise):
    expected = analyse(torch.from_numpy(noise)).numpy()
    found = np.stack([receiver.coefficients(tile) for tile in noise])
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize("key", [Key.open(), Key(bytes(range(32)))])
def test_soft_bits_are_those_of_the_demodulator(key, noise):
    drawn = Carriers.from_key(key)
    coefficients = analyse(torch.from_numpy(noise))
    expected = drawn.demodulate(coefficients, ENVELOPE)
    for found, wanted in zip(Receiver(drawn, ENVELOPE).soft_bits(coefficients.numpy()), expected, strict=False):
        assert found.dtype == np.float32
        assert found == pytest.approx(wanted.numpy(), rel=1e-4, abs=1e-5)


def test_silence_reads_as_finite_numbers(receiver):
    silence = receiver.coefficients(np.zeros((128, 128), np.float32))
    soft, energy = receiver.soft_bits(silence[None])
    assert np.isfinite(soft).all()
    assert energy.tolist() == [0]
    assert np.isfinite(receiver.pilot_correlation(silence)).all()


@pytest.mark.parametrize(("right", "down"), [(0, 0), (5, -17), (-60, 63)])
def test_the_pilot_correlates_where_the_pattern_lies(receiver, tile, right, down):
    """Sample j is a shift of (j + 1/2) / 2 - 64 tile samples, so a whole shift lies between two samples."""
    correlation = receiver.pilot_correlation(receiver.coefficients(np.roll(tile, (down, right), (0, 1))))
    assert correlation.shape == (SHIFT_SAMPLES, SHIFT_SAMPLES)
    row, column = np.unravel_index(correlation.argmax(), correlation.shape)
    assert abs((row + 0.5) / 2 - 64 - down) < 0.5
    assert abs((column + 0.5) / 2 - 64 - right) < 0.5
    assert correlation.max() > 8 * correlation.std()  # of 65536 normals, the highest is at 4 or so


def test_the_correlation_is_the_pilots_pattern_over_the_responses(receiver, carriers, noise):
    """Against the synthesis in torch, up to a factor."""
    coefficients = analyse(torch.from_numpy(noise[:1]))
    pilot = torch.zeros_like(coefficients)
    response = coefficients[:, carriers.tones] * carriers.tone_phasors.conj()
    pilot[:, carriers.tones] = response / response.abs().sqrt()
    expected = synthesise(pilot, SHIFT_SAMPLES)[0].numpy()
    found = receiver.pilot_correlation(coefficients[0].numpy())
    assert np.abs(found / found.std() - expected / expected.std()).max() < 1e-4


def test_shifts_are_undone(receiver, noise):
    """Two shifts that differ by (9, -4) tile samples give patterns that differ by a roll of as much."""
    received = receiver.coefficients(noise[0])
    first, second = moved_back(received, np.array([[40, 200], [40 + 2 * 9, 200 - 2 * 4]]))
    patterns = synthesise(torch.from_numpy(np.stack([first, second]))).numpy()
    assert np.abs(np.roll(patterns[0], (-9, 4), (0, 1)) - patterns[1]).max() < 1e-4


def test_the_shift_that_is_undone_is_the_one_that_was_found(receiver, tile, coefficients):
    """What remains of a whole shift is a quarter of a tile sample on each axis, half of the grid's step."""
    moved = receiver.coefficients(np.roll(tile, (11, -30), (0, 1)))
    place = np.array(np.unravel_index(receiver.pilot_correlation(moved).argmax(), (SHIFT_SAMPLES, SHIFT_SAMPLES)))
    back = moved_back(moved, place[None])[0]
    power = np.abs(coefficients[0].numpy()) ** 2
    remains = np.prod(np.cos(2 * np.pi * frequencies() * 0.25 / 128), axis=1)  # mean over the signs
    alike = np.vdot(coefficients[0].numpy(), back).real / power.sum()
    assert alike == pytest.approx(np.average(remains, weights=power), abs=0.01)
