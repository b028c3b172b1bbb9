"""The pilot: power spectrum of an estimate and the maps that it proposes."""

from __future__ import annotations

import numpy as np
import pytest

from watermark.registration.geometry import centred, linear, rotation
from watermark.registration.search import tone_frequencies
from watermark.registration.tones import PowerSpectrum, hypotheses, power_spectrum


def wave(shape, fx, fy):
    y, x = np.indices(shape)
    return np.cos(2 * np.pi * (fx * x + fy * y)).astype(np.float32)


def noise(shape):
    return np.random.default_rng(1).standard_normal(shape).astype(np.float32)


def distance(first, second):
    """Largest difference of two linear maps, up to half a turn."""
    first, second = first[:2, :2], second[:2, :2]
    return min(np.abs(first - second).max(), np.abs(first + second).max())


@pytest.mark.parametrize("shape", [(128, 128), (128, 300), (400, 128), (128, 2048), (900, 128)])
def test_a_wave_is_a_peak_where_it_belongs(shape):
    amplitude = 12 / (min(768, shape[0]) * min(768, shape[1])) ** 0.5  # 36 times the noise's power
    spectrum = power_spectrum(noise(shape) + amplitude * wave(shape, 0.21, -0.13))
    assert np.abs(spectrum.peaks[:8] - [0.21, -0.13]).max(axis=1).min() < 0.0025
    assert spectrum.at(*np.float32([[[0.21, -0.21]], [[-0.13, 0.13]]])).min() > 8


def test_power_is_relative_to_its_neighbourhood_and_clipped():
    spectrum = power_spectrum(1000 * (noise((128, 192)) + wave((128, 192), 0.2, 0.1)))
    assert spectrum.power.mean() == pytest.approx(1, abs=0.1)
    assert spectrum.power.max() <= 12


def test_a_long_estimate_is_cut_to_its_middle():
    estimate = noise((128, 3000))
    cut = np.ascontiguousarray(estimate[:, (3000 - 768) // 2 : (3000 + 768) // 2])
    assert np.array_equal(power_spectrum(estimate).power, power_spectrum(cut).power)


def test_silence_and_constants_give_finite_power():
    for estimate in (np.zeros((128, 128), np.float32), np.ones((128, 200), np.float32)):
        assert np.isfinite(power_spectrum(estimate).power).all()


def test_beyond_the_nyquist_frequency_there_is_nothing():
    spectrum = PowerSpectrum(np.ones((8, 16), np.float32), np.zeros((0, 2)))
    looked_up = spectrum.at(*np.float32([[[0.6, 0.0, 0.1, -0.5]], [[0.0, -0.7, 0.1, -0.5]]]))
    assert looked_up.tolist() == [[0, 0, 1, 1]]


def test_frequencies_are_across_then_down():
    power = np.zeros((8, 16), np.float32)
    power[4 + 1, 8 + 3] = 5
    assert PowerSpectrum(power, np.zeros((0, 2))).at(*np.float32([[[3 / 16]], [[1 / 8]]])) == 5


@pytest.mark.parametrize(
    ("matrix", "upright", "stretched"),
    [
        (np.eye(3), True, False),
        (linear(1.41, 0, 0, 1.41), True, False),
        (rotation(90) @ linear(0.85, 0, 0, 0.85), True, False),
        (linear(-1.2, 0, 0, 1.2), True, False),
        (rotation(33), False, False),
        (rotation(-71) @ linear(1.6, 0, 0, 1.6), False, False),
        (rotation(33) @ linear(-1.3, 0, 0, 1.3), False, False),
        (linear(1.07, 0, 0, 1 / 1.07), True, True),
    ],
)
def test_the_true_map_is_among_the_first(see, carriers, matrix, upright, stretched):
    spectrum = power_spectrum(see(centred(matrix, 128, 192), noise=1.5))
    found = hypotheses(spectrum, tone_frequencies(carriers), upright=upright, stretched=stretched, count=12)
    assert len(found) == 12
    assert min(distance(matrix, candidate) for candidate in found[:3]) < 0.012 * abs(np.linalg.det(matrix)) ** 0.5


def test_without_peaks_nothing_is_proposed(carriers):
    spectrum = PowerSpectrum(np.ones((512, 512), np.float32), np.zeros((0, 2)))
    assert hypotheses(spectrum, tone_frequencies(carriers), upright=False, stretched=True, count=4) == []


def test_hypotheses_differ_from_each_other(see, carriers):
    spectrum = power_spectrum(see(centred(np.eye(3), 128, 192), noise=1.5))
    found = hypotheses(spectrum, tone_frequencies(carriers), upright=False, stretched=False, count=20)
    apart = [distance(first, second) for place, first in enumerate(found) for second in found[:place]]
    assert min(apart) > 0.004


def test_upright_keeps_only_quarter_turns(see, carriers):
    spectrum = power_spectrum(see(centred(rotation(33), 128, 192), noise=1.5))
    for candidate in hypotheses(spectrum, tone_frequencies(carriers), upright=True, stretched=False, count=30):
        turn = np.degrees(np.arctan2(candidate[1, 0], candidate[0, 0]))
        assert abs((turn + 45) % 90 - 45) < 2


def test_scales_beyond_reach_are_not_proposed(see, carriers):
    spectrum = power_spectrum(see(centred(np.eye(3), 128, 192), noise=1.5))
    found = hypotheses(spectrum, tone_frequencies(carriers), upright=False, stretched=False, count=100)
    scales = [abs(np.linalg.det(candidate)) ** 0.5 for candidate in found]
    assert min(scales) > 0.68
    assert max(scales) < 3.7


def test_another_keys_tones_find_nothing_outstanding(see, carriers):
    """The right tones stand out of all other maps' score; mirrored ones do not."""
    spectrum = power_spectrum(see(centred(np.eye(3), 128, 192), noise=1.5))
    across, down = (tone_frequencies(carriers).astype(np.float32) / 128).T[:, None]
    right = spectrum.at(across, down).mean()
    assert right > 3
    assert right > 1.7 * spectrum.at(down, across).mean()
