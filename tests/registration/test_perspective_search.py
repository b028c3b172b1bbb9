"""Homographies from the local frequencies of the pilot tones."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from watermark.registration.geometry import centred, linear, rotation
from watermark.registration.perspective import (
    _LARGEST,
    _distinct,
    _draws,
    _quadrilaterals,
    _sharpened,
    _to_estimate,
    _untilted,
    _Windows,
    perspectives,
)
from watermark.registration.search import HOMOGRAPHY, tone_frequencies

SHAPE = (128, 192)


def tilted(linear_map, tilt_x, tilt_y):
    """From tile samples to estimate pixels, both from the centre; the tilts are those of the inverse, per tile."""
    to_tile = np.linalg.inv(linear_map)
    to_tile[2, :2] = tilt_x / 128, tilt_y / 128
    return np.linalg.inv(to_tile)


MAPS = [
    tilted(linear(0.86, 0, 0, 0.88), 0.18, -0.1),
    tilted(rotation(4) @ linear(0.8, 0.05, 0, 0.9), -0.12, 0.2),
    tilted(linear(0.75, 0, 0.04, 0.8), -0.3, -0.2),
]


@pytest.mark.parametrize("matrix", MAPS)
def test_the_way_through_perspective_reads_the_bits(see, listen, carriers, bits, matrix):
    listener = listen(see(centred(matrix, *SHAPE), SHAPE, noise=1.5))
    found = perspectives(listener.estimate, tone_frequencies(carriers), count=16)
    assert len(found) == 16
    best = max((reading for item in found for reading in listener.locate(item)), key=lambda reading: reading.energy)
    best = listener.refine(best, HOMOGRAPHY, sweeps=3)
    assert np.mean((best.soft > 0) == (bits.numpy() > 0)) > 0.98
    slant = np.linalg.inv(best.matrix @ np.diag([128, 128, 1]))
    true = np.linalg.inv(centred(matrix, *SHAPE) @ np.diag([128, 128, 1]))
    corners = np.array([[0, 192, 0, 192], [0, 0, 128, 128], [1, 1, 1, 1]])
    there, expected = ((item @ corners)[:2] / (item @ corners)[2] for item in (slant, true))
    offset = (there - expected).mean(axis=1)
    assert np.abs(offset - offset.round()).max() < 0.02  # in tiles; whole tiles are alike
    assert np.abs(there - expected - offset[:, None]).max() < 0.03


def test_the_true_homography_outshines_others(see, carriers):
    matrix = MAPS[0]
    reach = tone_frequencies(carriers).astype(np.float32) / 128
    windows = _Windows(see(centred(matrix, *SHAPE), SHAPE), reach, side=80, padded=128)
    true = np.linalg.inv(matrix).astype(np.float32)
    generator = np.random.default_rng(3)
    maps = true[None, :2, :2] + generator.uniform(-0.15, 0.15, (500, 2, 2)).astype(np.float32)
    tilts = generator.uniform(-0.3, 0.3, (500, 2)).astype(np.float32) / 128
    others = windows.score(maps, tilts)
    assert windows.score(true[None, :2, :2], true[None, 2, :2]) > others.mean() + 8 * others.std()


@pytest.mark.parametrize("matrix", MAPS)
def test_large_windows_tell_a_homography_that_is_nearly_right_from_others(see, carriers, matrix):
    estimate = see(centred(matrix, *SHAPE), SHAPE, noise=1.0)
    reach = tone_frequencies(carriers).astype(np.float32) / 128
    near = np.linalg.inv(matrix)
    near[:2, :2] += np.array([[0.008, -0.008], [0.008, 0.008]])
    near[2, :2] += np.array([0.015, -0.015]) / 128
    score, *found = _sharpened(estimate, reach, near[:2, :2].astype(np.float32), near[2, :2], *_LARGEST)
    other = near[:2, :2] @ np.array([[0.9, 0.1], [-0.1, 0.9]])
    assert score > 1.3 * _sharpened(estimate, reach, other.astype(np.float32), -near[2, :2], *_LARGEST)[0]
    corners = np.array([[-96, 96, -96, 96], [-64, -64, 64, 64], [1, 1, 1, 1]], dtype=float)
    there, expected = (np.linalg.inv(item) @ corners for item in (_to_estimate(*found), matrix))
    # as near as the refinement by the bits needs it, in tile samples
    assert np.sqrt(np.square(there[:2] / there[2] - expected[:2] / expected[2]).sum(axis=0).mean()) < 4


def test_what_is_left_of_a_tilt_is_the_difference():
    """A tilt undone: the picture of a plane under (L, t + d) looks as under (L, d)."""
    y, x = np.indices(SHAPE) + 0.5
    points = np.stack([x - SHAPE[1] / 2, y - SHAPE[0] / 2], axis=-1)
    tilt, rest = np.array([0.0012, -0.0016]), np.array([-0.0004, 0.0003])

    def plane(tilt):
        seen = points / (1 + points @ tilt)[..., None]
        return np.cos(seen @ [0.12, 0.07]).astype(np.float32)

    undone = _untilted(plane(tilt + rest), tilt)
    inside = cv2.erode((_untilted(np.ones(SHAPE, np.float32), tilt) == 1).astype(np.uint8), np.ones((3, 3))) > 0
    assert inside.mean() > 0.8
    assert np.abs(undone - plane(rest))[inside].max() < 0.02


def test_quadrilaterals_are_those_of_opencv():
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=np.float32)
    moved = (corners + np.random.default_rng(2).uniform(-0.2, 0.2, (20, 4, 2))).astype(np.float32)
    expected = [cv2.getPerspectiveTransform(corners, item) for item in moved]
    assert np.allclose(_quadrilaterals(moved.astype(np.float64)), expected, atol=1e-5)


def test_draws_shrink_the_picture_and_lie_near_their_tilt():
    """Corners that move inwards make the whole picture smaller: more tile samples to the pixel at the centre."""
    for tilt, (maps, tilts) in _draws(*SHAPE):
        assert np.abs(tilts * 128).max() <= 0.1 + 1e-6
        assert np.abs(tilt * 128).max() < 1.5
        assert np.linalg.det(maps).min() > 0.95
    assert sum(len(maps) for _, (maps, _) in _draws(*SHAPE)) > 39_000


def test_homographies_differ_from_each_other():
    maps = np.array([np.eye(2), np.eye(2) + 0.005, np.eye(2), np.eye(2) + 0.1], dtype=np.float32)
    tilts = np.array([[0, 0], [0, 0], [0.001, 0], [0, 0]], dtype=np.float32)
    assert _distinct(maps, tilts) == [0, 2, 3]


def test_silence_and_long_pictures_propose_nothing_absurd(carriers):
    tones = tone_frequencies(carriers)
    assert perspectives(np.zeros((128, 400), np.float32), tones, count=4) == []
    assert np.isfinite(perspectives(np.zeros((128, 128), np.float32), tones, count=4)).all()
