"""From linear maps to registered readings: shifts, half turns, refinement."""

from __future__ import annotations

import numpy as np
import pytest

from watermark.registration.geometry import Geometry, centred, linear, rotation, translation
from watermark.registration.search import HOMOGRAPHY, tone_frequencies
from watermark.registration.tones import hypotheses, power_spectrum

SHAPE = (128, 192)
NOISE = 1.5
MAPS = [
    linear(1.38, 0, 0, 1.38) @ translation(21.3, -40.2),
    rotation(29.3) @ translation(-11.6, 8.4),
    rotation(-123.4) @ linear(1.57, 0, 0, 1.57) @ translation(50.1, 3.3),
    rotation(77.7) @ linear(-1.2, 0, 0, 1.2) @ translation(5.5, 60.1),
]


def accuracy(reading, bits):
    return float(np.mean((reading.soft > 0) == (bits.numpy() > 0)))


def test_a_known_map_reads_every_bit(see, listen, bits):
    placed = centred(np.eye(3), *SHAPE)
    reading = listen(see(placed, noise=NOISE)).read(placed)
    assert accuracy(reading, bits) == 1
    assert reading.energy > 4
    assert reading.energy == pytest.approx(np.mean(reading.soft**2), rel=1e-4)


def test_where_there_is_no_mark_the_bit_energy_is_one(listen):
    estimates = np.random.default_rng(2).standard_normal((60, *SHAPE)).astype(np.float32)
    placed = centred(rotation(20) @ linear(1.3, 0, 0, 1.3), *SHAPE)
    energies = [listen(estimate).read(placed).energy for estimate in estimates]
    assert np.mean(energies) == pytest.approx(1, abs=0.06)
    assert max(energies) < 1.5


def test_absurd_maps_read_nothing(see, listen):
    listener = listen(see(centred(np.eye(3), *SHAPE)))
    absurd = linear(0.01, 0, 0, 0.01)
    assert listener.read(centred(absurd, *SHAPE)) is None
    assert listener.locate(absurd) == []


@pytest.mark.parametrize("half_turn", [1, -1])
@pytest.mark.parametrize("matrix", MAPS)
def test_locate_finds_the_shift_and_resolves_half_turns(see, listen, bits, matrix, half_turn):
    placed = centred(matrix, *SHAPE)
    linear_map = np.eye(3)
    linear_map[:2, :2] = half_turn * matrix[:2, :2]
    readings = listen(see(placed, noise=NOISE)).locate(linear_map)
    best = max(readings, key=lambda reading: reading.energy)
    assert accuracy(best, bits) > 0.95
    assert np.allclose(best.matrix[:2, :2], matrix[:2, :2])
    moved = np.linalg.inv(placed) @ best.matrix  # a shift by whole tiles, nearly
    offset = moved[:2, 2] / 128
    assert np.abs(offset - offset.round()).max() * 128 < 0.6


def test_located_soft_bits_are_those_of_their_matrix(see, listen):
    """Shifting the spectrum and folding anew agree."""
    matrix = rotation(10) @ translation(21.3, -40.2)
    listener = listen(see(centred(matrix, *SHAPE), noise=0.5))
    best = max(listener.locate(rotation(10)), key=lambda reading: reading.energy)
    again = listener.read(best.matrix)
    assert np.corrcoef(again.soft, best.soft)[0, 1] > 0.95


@pytest.mark.parametrize("matrix", MAPS)
def test_the_whole_way_finds_the_true_map(see, listen, carriers, bits, matrix):
    """Half a percent of scale, .3 degrees, half a sample of shift; blind."""
    placed = centred(matrix, *SHAPE)
    listener = listen(see(placed, noise=NOISE))
    spectrum = power_spectrum(listener.estimate)
    maps = hypotheses(spectrum, tone_frequencies(carriers), upright=False, stretched=False, count=24)
    readings = [reading for linear_map in maps for reading in listener.locate(linear_map)]
    best = listener.refine(max(readings, key=lambda reading: reading.energy))
    assert accuracy(best, bits) > 0.98
    found, true = (Geometry.of(item, SHAPE, SHAPE) for item in (best.matrix, placed))
    assert found.flipped == true.flipped
    assert abs((found.rotation_degrees - true.rotation_degrees + 180) % 360 - 180) < 0.3
    assert found.scale == pytest.approx(true.scale, rel=0.005)
    assert found.aspect == pytest.approx(true.aspect, rel=0.01)
    for a, b in ((found.shift_x, true.shift_x), (found.shift_y, true.shift_y)):
        assert abs((a - b + 0.5) % 1 - 0.5) * 128 < 0.7


def test_refine_climbs_from_an_error_of_half_a_step(see, listen):
    placed = centred(rotation(5), *SHAPE)
    listener = listen(see(placed, noise=0.5))
    off = centred(rotation(5.3) @ linear(1.005, 0, 0, 1.005), *SHAPE) @ translation(0.4, -0.4)
    start = listener.read(off)
    refined = listener.refine(start)
    assert refined.energy > 1.2 * start.energy
    assert refined.energy > 0.9 * listener.read(placed).energy
    assert np.abs(refined.matrix - placed)[:2, :2].max() < 0.003


def test_refine_never_returns_worse_than_it_started(listen):
    listener = listen(np.random.default_rng(3).standard_normal(SHAPE).astype(np.float32))
    start = listener.read(centred(np.eye(3), *SHAPE))
    assert listener.refine(start, halvings=1).energy >= start.energy
    assert listener.refine(start, halvings=0) is start


def test_refine_climbs_what_it_is_told_and_reaches_perspective(see, listen, bits):
    placed = centred(np.eye(3), *SHAPE)
    tilted = placed @ np.array([[1, 0, 0], [0, 1, 0], [6e-5, -5e-5, 1]])
    listener = listen(see(tilted, noise=0.5))

    def fit(reading):
        return float(reading.soft @ bits.numpy() / np.linalg.norm(reading.soft))

    start = listener.read(placed)
    affine, homography = listener.refine(start, score=fit), listener.refine(start, HOMOGRAPHY, fit)
    assert affine.matrix[2, 2] == pytest.approx(1)
    assert np.allclose(affine.matrix[2, :2], 0)
    assert homography.matrix[2, 0] != 0
    assert fit(homography) > fit(affine) > fit(start)
