"""A marked plane seen through a known map, as an ideal decoder network would see it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from attacks.warp import scaling, translation, warp
from watermark.carriers import CODE_BITS, ENVELOPE_BINS, Carriers, synthesise
from watermark.payload.keys import Key
from watermark.registration.search import Listener

FINE = 512  # samples of a tile on the plane that is warped
TILES = 5


@pytest.fixture(scope="session")
def carriers():
    return Carriers.from_key(Key.open())


@pytest.fixture(scope="session")
def bits():
    """Signed channel bits, shape (256,)."""
    generator = torch.Generator().manual_seed(7)
    return 1.0 - 2.0 * torch.randint(2, (CODE_BITS,), generator=generator)


@pytest.fixture(scope="session")
def coefficients(carriers, bits):
    return carriers.modulate(bits[None], torch.ones(ENVELOPE_BINS), 0.2)


@pytest.fixture(scope="session")
def tile(coefficients):
    """The canonical tile, float32, shape (128, 128), unit mean square."""
    return synthesise(coefficients)[0].numpy().copy()


@pytest.fixture(scope="session")
def see(coefficients):
    """Function from a matrix (tile samples to estimate pixels) and a shape to an estimate with noise."""
    plane = synthesise(coefficients, FINE).tile(1, TILES, TILES)[None]
    place = translation(-64 * TILES, -64 * TILES) @ scaling(128 / FINE, 128 / FINE)

    def see(matrix, shape=(128, 192), noise=0.0):
        estimate = warp(plane, torch.from_numpy(np.asarray(matrix, dtype=np.float64)) @ place, *shape)[0, 0].numpy()
        return estimate + np.float32(noise) * np.random.default_rng(1).standard_normal(shape).astype(np.float32)

    return see


@pytest.fixture(scope="session")
def listen(carriers):
    """Function from an estimate to its listener."""
    return lambda estimate: Listener(estimate, carriers, torch.ones(ENVELOPE_BINS))
