"""All bits of a part of the tile read together, beside each on its own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from watermark.carriers import ENVELOPE_BINS, Carriers
from watermark.payload.keys import Key
from watermark.registration.geometry import centred, linear, rotation, translation
from watermark.registration.joint import JointListener, Patterns

SHAPE = (128, 192)
MAGNIFIED = centred(linear(4.5, 0, 0, 4.5) @ translation(20.3, -12.2), *SHAPE)  # a crop: 28 x 43 of 128 samples seen
NOISE = 0.5


@pytest.fixture(scope="module")
def patterns(carriers):
    return Patterns(carriers, torch.ones(ENVELOPE_BINS), torch.ones(ENVELOPE_BINS))


def wrong(reading, bits):
    return float(np.mean((reading.soft > 0) != (bits.numpy() > 0)))


def test_patterns_are_the_tile(patterns, bits, tile):
    """Oracle: the modulated tile. Bits share .8 of its energy evenly, 48 tones of unit amplitude the rest."""
    pilot = patterns.pilot.numpy() * np.sqrt(2 * 0.2 / 48)
    together = (bits @ patterns.bits).numpy() * np.sqrt(0.8 / 256) + pilot
    assert np.allclose(together.reshape(128, 128), tile, atol=1e-4)


def test_a_part_reads_better_jointly(see, listen, patterns, bits):
    listener = listen(see(MAGNIFIED, noise=NOISE))
    alone = listener.read(MAGNIFIED)
    together = JointListener(listener, patterns, alone).read(MAGNIFIED)
    assert wrong(alone, bits) > 0.05
    assert wrong(together, bits) < 0.5 * wrong(alone, bits)


def test_what_is_heard_unevenly_reads_better_jointly(see, listen, patterns, bits):
    placed = centred(np.eye(3), *SHAPE)
    heard = np.where(np.arange(SHAPE[1]) % 64 < 12, 1.0, 0.03).astype(np.float32)
    listener = listen(heard * see(placed, noise=3 * NOISE))
    alone = listener.read(placed)
    together = JointListener(listener, patterns, alone).read(placed)
    assert wrong(together, bits) < 0.5 * wrong(alone, bits)


def test_the_energy_is_that_of_single_reading_and_of_the_soft_bits(see, listen, patterns):
    listener = listen(see(MAGNIFIED, noise=NOISE))
    alone = listener.read(MAGNIFIED)
    together = JointListener(listener, patterns, alone).read(MAGNIFIED)
    assert together.energy == alone.energy
    assert np.mean(together.soft**2) == pytest.approx(alone.energy, rel=1e-4)


def test_another_key_reads_chance(see, listen, bits):
    stranger = Carriers.from_key(Key(bytes(32)))
    listener = listen(see(MAGNIFIED, noise=NOISE))
    patterns = Patterns(stranger, torch.ones(ENVELOPE_BINS), torch.ones(ENVELOPE_BINS))
    reading = JointListener(listener, patterns, listener.read(MAGNIFIED)).read(MAGNIFIED)
    assert 0.35 < wrong(reading, bits) < 0.65


def test_silence_and_absurd_maps(see, listen, patterns):
    placed = centred(np.eye(3), *SHAPE)
    silent = listen(np.zeros(SHAPE, dtype=np.float32))
    reading = JointListener(silent, patterns, silent.read(placed)).read(placed)
    assert np.all(np.isfinite(reading.soft))
    listener = listen(see(placed))
    joint = JointListener(listener, patterns, listener.read(placed))
    assert joint.read(centred(linear(0.01, 0, 0, 0.01), *SHAPE)) is None


def test_upright_removes_a_slight_tilt(see, listen):
    turned = MAGNIFIED @ rotation(0.8) @ linear(1.01, 0.004, 0.0, 0.99)
    listener = listen(see(MAGNIFIED, noise=NOISE))
    upright = listener.upright(listener.read(turned))
    assert np.allclose(upright.matrix[[0, 1], [1, 0]], 0)
    assert np.isclose(upright.matrix[0, 0], 4.5, rtol=0.004)
    assert upright.energy > listener.read(turned).energy


def test_upright_leaves_what_is_turned_to_others(see, listen):
    turned = MAGNIFIED @ rotation(20)
    assert listen(see(turned)).upright(listen(see(turned)).read(turned)) is None
