"""The receiving side of the carriers in numpy, for the thousand small readings of one search.

The same numbers as :func:`watermark.carriers.analyse` and :meth:`watermark.carriers.Carriers.demodulate` give in torch,
without gradients and with every table drawn up beforehand, in a quarter of the time.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from watermark.carriers import CODE_BITS, DIMENSIONS_PER_BIT, TILE_SAMPLES, Carriers, envelope_bins, frequencies

SHIFT_SAMPLES = 256  # places of a shift along each axis of the tile


class Receiver:
    """Reads folded tiles under one key.

    Args:
        carriers: of the key.
        receive: receive weight of each radial bin, shape (16,).
    """

    def __init__(self, carriers: Carriers, receive: Tensor) -> None:
        self._dimensions = carriers.dimensions.numpy().ravel()
        weights = receive.detach().numpy()[envelope_bins().numpy()].repeat(2)  # (8472,)
        self._weights = weights[self._dimensions] * carriers.signs.numpy().ravel()
        self._tones = carriers.tones.numpy()
        fx, fy = frequencies()[self._tones].T
        self._pilot_places = _packed_places(fx, fy, SHIFT_SAMPLES)
        phasors = carriers.tone_phasors.numpy().conj() * _first_sample(fx + fy, SHIFT_SAMPLES)
        self._pilot_phasors = phasors.astype(np.complex64)

    def coefficients(self, tile: NDArray[np.float32]) -> NDArray[np.complex64]:
        """Samples of the tile (128, 128) to its coefficients (4236,)."""
        places, phasors = _analysis_tables()
        packed = np.asarray(cv2.dft(tile), dtype=np.float32).ravel().take(places)
        coefficients: NDArray[np.complex64] = packed.view(np.complex64) * phasors
        return coefficients

    def soft_bits(self, coefficients: NDArray[np.complex64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Soft bits and bit energy of received coefficients.

        Args:
            coefficients: shape (n, 4236).

        Returns:
            ``soft`` (n, 256) and ``energy`` (n,), as :meth:`watermark.carriers.Carriers.demodulate` defines them.
        """
        elements = coefficients.view(np.float32).take(self._dimensions, axis=1) * self._weights  # (n, 8192)
        power = np.einsum("ne,ne->n", elements, elements) / np.float32(elements.shape[1])
        bits = elements.reshape(-1, CODE_BITS, DIMENSIONS_PER_BIT) @ np.ones(DIMENSIONS_PER_BIT, dtype=np.float32)
        soft = bits / np.sqrt(np.maximum(power, np.float32(1e-20)) * np.float32(DIMENSIONS_PER_BIT))[:, None]
        return soft, np.einsum("nb,nb->n", soft, soft) / np.float32(CODE_BITS)

    def pilot_correlation(self, coefficients: NDArray[np.complex64]) -> NDArray[np.float32]:
        """How well the pilot fits coefficients (4236,) at every shift.

        Returns:
            Shape (256, 256), rows down, in no unit; sample j of an axis is a shift of (j + 1/2) / 256 - 1/2 tiles.
        """
        tones = coefficients[self._tones]
        # only the phases: one strong line in the host must not outvote the rest
        response = tones * self._pilot_phasors / np.sqrt(np.maximum(np.abs(tones), np.float32(1e-20)))
        packed = np.zeros(SHIFT_SAMPLES**2, dtype=np.float32)
        packed[self._pilot_places] = response.view(np.float32)
        return np.asarray(cv2.idft(packed.reshape(SHIFT_SAMPLES, SHIFT_SAMPLES)), dtype=np.float32)


def moved_back(coefficients: NDArray[np.complex64], shifts: NDArray[np.int64]) -> NDArray[np.complex64]:
    """Undo shifts of the pattern.

    Args:
        coefficients: of the moved pattern, shape (4236,).
        shifts: samples (row, column) of :meth:`Receiver.pilot_correlation`, shape (n, 2).

    Returns:
        Shape (n, 4236).
    """
    fx, fy, phasors = _shift_tables()
    down, across = (2 * shifts + 1 - SHIFT_SAMPLES).astype(np.int32).T[:, :, None]  # in 512ths of a tile
    moved: NDArray[np.complex64] = coefficients * phasors.take(fx * across + fy * down & 2 * SHIFT_SAMPLES - 1)
    return moved


@lru_cache(maxsize=1)
def _shift_tables() -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.complex64]]:
    """Both frequencies of each coefficient (4236,); the unit phasors of all 512ths of a turn."""
    fx, fy = np.ascontiguousarray(frequencies().T, dtype=np.int32)
    turns = np.arange(2 * SHIFT_SAMPLES) / (2 * SHIFT_SAMPLES)
    return fx, fy, np.exp(2j * np.pi * turns).astype(np.complex64)


@lru_cache(maxsize=1)
def _analysis_tables() -> tuple[NDArray[np.int64], NDArray[np.complex64]]:
    """Places of the real dimensions (8472,) in the packed FFT of a tile; phase and gain of the coefficients (4236,)."""
    fx, fy = frequencies().T
    phasors = _first_sample(fx + fy, TILE_SAMPLES).conj() * (2.0 / TILE_SAMPLES**2)
    return _packed_places(fx, fy, TILE_SAMPLES), phasors.astype(np.complex64)


def _packed_places(fx: NDArray[np.int64], fy: NDArray[np.int64], samples: int) -> NDArray[np.int64]:
    """Flat places of n coefficients, real and imaginary part in turn (2 n,), in OpenCV's packed real FFT (CCS).

    The two parts of fx > 0 lie side by side in the row of fy, those of fx = 0 below each other.
    """
    real = np.where(fx > 0, fy % samples * samples + 2 * fx - 1, (2 * fy - 1) * samples)
    return np.stack([real, real + np.where(fx > 0, 1, samples)], axis=1).ravel()


def _first_sample(frequency: NDArray[np.int64], samples: int) -> NDArray[np.complex128]:
    """Phasor of a wave at sample 0, which lies at (1/2) / samples - 1/2 of the tile on both axes."""
    phasors: NDArray[np.complex128] = np.exp(2j * np.pi * (0.5 / samples - 0.5) * frequency)
    return phasors
