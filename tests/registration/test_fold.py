"""Folding: copies of the tile under known maps come back to their samples, to half a pixel."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from watermark.carriers import frequencies, synthesise
from watermark.registration.fold import fold
from watermark.registration.geometry import DIHEDRAL, centred, linear, rotation, translation

IDENTITY = np.eye(3)


def correlation(first, second):
    return np.corrcoef(first.ravel(), second.ravel())[0, 1]


def test_one_tile_folds_to_itself(tile):
    assert np.allclose(fold(tile, centred(IDENTITY, 128, 128)), tile, atol=1e-5)


def test_copies_add_up_and_what_is_missing_counts_as_zero(tile):
    copies = np.tile(tile, (3, 3))
    wide = copies[128:256, 96:288]  # 1.5 tiles across, centred on the tile's centre
    weight = np.where((np.arange(128) < 32) | (np.arange(128) >= 96), 2, 1)
    assert np.allclose(fold(wide, centred(IDENTITY, 128, 192)), tile * weight, atol=1e-5)
    part = copies[128 + 14 : 256 - 14, 128:256]
    weight = np.where((np.arange(128) < 14) | (np.arange(128) >= 114), 0, 1)[:, None]
    assert np.allclose(fold(part, centred(IDENTITY, 100, 128)), tile * weight, atol=1e-5)


def test_whole_samples_of_shift_roll_the_torus(tile):
    copies = np.tile(tile, (3, 3))
    moved = copies[128 - 5 : 256 - 5, 128 + 9 : 256 + 9]  # the centre is now 9 to the left and 5 down
    assert np.allclose(fold(moved, centred(IDENTITY, 128, 128) @ translation(-9, 5)), tile, atol=1e-5)
    assert np.allclose(fold(moved, centred(IDENTITY, 128, 128)), np.roll(tile, (5, -9), (0, 1)), atol=1e-5)


@pytest.mark.parametrize(("right", "down"), [(0.5, 0.0), (0.0, -0.5), (0.25, 0.5)])
def test_half_a_sample_counts(right, down):
    """Slow waves, which linear interpolation leaves alone, come back exactly in phase."""
    square = torch.from_numpy((frequencies() ** 2).sum(axis=1))
    slow = torch.where(square < 25, torch.polar(torch.ones(()), square.sqrt()), 0)[None]
    turns = torch.from_numpy(frequencies() @ [right / 128, down / 128])
    moved = synthesise((slow * torch.exp(-2j * torch.pi * turns)).to(slow.dtype))[0].numpy()
    folded = fold(np.tile(moved, (3, 3)), centred(IDENTITY, 384, 384) @ translation(right, down))
    expected = 9 * synthesise(slow)[0].numpy()
    assert np.abs(folded - expected)[2:-2, 2:-2].max() < 0.02 * np.abs(expected).max()


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_turned_and_mirrored_copies(tile, turns, mirrored):
    seen = np.rot90(tile[:, ::-1] if mirrored else tile, turns)
    matrix = DIHEDRAL[turns + 4 * mirrored]
    assert np.allclose(fold(np.ascontiguousarray(seen), centred(matrix, 128, 128)), tile, atol=1e-4)


@pytest.mark.parametrize(
    "matrix",
    [
        rotation(30),
        rotation(-100) @ linear(1.4, 0, 0, 1.4),
        linear(2, 0, 0, 2),
        linear(1.1, 0.05, 0, 1 / 1.1) @ linear(-1, 0, 0, 1),
        rotation(200) @ linear(1.5, 0, 0, 1.3) @ translation(31.3, -17.8),
    ],
)
def test_a_warped_plane_folds_to_the_tile(see, tile, matrix):
    """The map that the plane was warped by is the map that folds it: signs, centres and order agree."""
    placed = centred(matrix, 256, 300)
    folded = fold(see(placed, (256, 300)), placed)
    assert correlation(folded, tile) > 0.75
    assert correlation(fold(see(placed, (256, 300)), placed @ translation(1, 0)), tile) < 0.5


def test_a_perspective_map_folds_too(see, tile):
    placed = centred(linear(1.3, 0, 0, 1.3), 200, 220)
    placed[2, :2] = 4e-4, -3e-4
    folded = fold(see(placed, (200, 220)), placed)
    assert correlation(folded, tile) > 0.75


def test_absurd_maps_are_refused(tile):
    assert fold(tile, centred(linear(0.01, 0, 0, 0.01), 128, 128)) is None
    horizon = centred(IDENTITY, 128, 128)
    horizon[2, 0] = 0.05
    assert fold(tile, horizon) is None
