"""Keyed carriers on the canonical tile: channel bits to a periodic pattern, and back.

The tile is a torus of period 1 in both directions with its origin at the image centre. Its pattern is

    tile(u) = sum over f of Re(c_f exp(2 pi i f . u)),   c_f = a_f + i b_f

over the coefficients f = (fx, fy), in cycles per tile, of the half plane (fx > 0, or fx = 0 and fy > 0)
with 3 <= |f| <= 52, enumerated by fy then fx, ascending. Real dimension 2 i is a and 2 i + 1 is b of
coefficient i. The key draws (streams of :mod:`watermark.payload.keys` under the carriers subkey):

* ``tones``: a permutation of the coefficients with 28 <= |f| <= 48, taken in order while at least 4
  cycles from those taken and from their mirrors, until 48 *pilot tones* are found; ``phases``: a byte a tone.
* ``dimensions``: a permutation of the dimensions of all other coefficients; bit k owns entries
  32 k .. 32 k + 31. ``signs``: one bit a dimension, in that order (1 means minus).

Orthogonal by construction; synthesis and analysis are one FFT of 128 x 128 samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from watermark.payload.keys import Key, stream_bits, stream_bytes, stream_permutation

TILE_SAMPLES = 128
CODE_BITS = 256
DIMENSIONS_PER_BIT = 32
TONES = 48
ENVELOPE_BINS = 16
_LOWEST, _HIGHEST = 3, 52
_TONE_RING = (28, 48)
_TONE_DISTANCE = 4


@lru_cache(maxsize=1)
def frequencies() -> NDArray[np.int64]:
    """All coefficients as (fx, fy) in cycles per tile, int64 of shape (4236, 2)."""
    axis = np.arange(-_HIGHEST, _HIGHEST + 1)
    fy, fx = np.meshgrid(axis, axis, indexing="ij")
    square = fx**2 + fy**2
    keep = (square >= _LOWEST**2) & (square <= _HIGHEST**2) & ((fx > 0) | ((fx == 0) & (fy > 0)))
    return np.stack([fx[keep], fy[keep]], axis=1)


@lru_cache(maxsize=2)
def _fft_tables(samples: int) -> tuple[Tensor, Tensor, Tensor]:
    """Index of each coefficient in a flat rfft2 of the tile, its inverse-FFT gain, its centring phase."""
    fx, fy = frequencies().T
    index = (fy % samples) * (samples // 2 + 1) + fx
    gain = np.where(fx == 0, 1.0, 0.5) * samples**2  # irfft2 counts each fx > 0 twice
    first = 0.5 / samples - 0.5  # tile position of sample 0; the origin is the centre
    phase = np.exp(2j * np.pi * first * (fx + fy))
    tables = (index, gain.astype(np.float32), phase.astype(np.complex64))
    with torch.inference_mode(False):  # whoever fills the cache, training may use it
        return torch.from_numpy(tables[0]), torch.from_numpy(tables[1]), torch.from_numpy(tables[2])


@lru_cache(maxsize=1)
def envelope_bins() -> Tensor:
    """Radial bin (0 .. 15) of each coefficient, int64 of shape (4236,)."""
    radius = np.hypot(*frequencies().T)
    bins = np.minimum(((radius - _LOWEST) / (_HIGHEST - _LOWEST) * ENVELOPE_BINS).astype(np.int64), ENVELOPE_BINS - 1)
    with torch.inference_mode(False):
        return torch.from_numpy(bins)


def synthesise(coefficients: Tensor, samples: int = TILE_SAMPLES) -> Tensor:
    """Coefficients of the tile to its samples.

    Args:
        coefficients: complex, shape (B, 4236), in the order of :func:`frequencies`.
        samples: samples N of each side, at least 106.

    Returns:
        Float tensor of shape (B, N, N); sample j of an axis lies at (j + 1/2) / N - 1/2 of the tile.
    """
    index, gain, phase = (table.to(coefficients.device) for table in _fft_tables(samples))
    spectrum = coefficients.new_zeros((coefficients.shape[0], samples * (samples // 2 + 1)))
    spectrum = spectrum.index_copy(1, index, coefficients * gain * phase)
    tile: Tensor = torch.fft.irfft2(spectrum.unflatten(1, (samples, -1)), s=(samples, samples))
    return tile


def analyse(tile: Tensor) -> Tensor:
    """Samples of the tile to its coefficients, the inverse of :func:`synthesise`.

    Args:
        tile: float, shape (B, 128, 128).

    Returns:
        Complex tensor of shape (B, 4236).
    """
    index, _, phase = (table.to(tile.device) for table in _fft_tables(TILE_SAMPLES))
    spectrum: Tensor = torch.fft.rfft2(tile).flatten(1)[:, index]
    return spectrum * (phase.conj() * (2.0 / TILE_SAMPLES**2))


@dataclass(frozen=True, eq=False)
class Carriers:
    """The carriers of one key.

    Attributes:
        tones: index of each pilot tone among :func:`frequencies`, shape (48,).
        tone_phasors: unit complex phase of each tone, shape (48,).
        dimensions: real dimension of each carrier element, shape (256, 32).
        signs: its sign, +1 or -1, shape (256, 32).
    """

    tones: Tensor
    tone_phasors: Tensor
    dimensions: Tensor
    signs: Tensor

    @classmethod
    def from_key(cls, key: Key) -> Carriers:
        """Draw the carriers of ``key`` as specified in the module's description."""
        tones = _draw_tones(key)
        phases = stream_bytes(key.carriers, "phases", TONES).astype(np.float64) * (2 * np.pi / 256)
        free = np.setdiff1d(np.arange(len(frequencies())), tones)
        pool = np.stack([2 * free, 2 * free + 1], axis=1).ravel()
        count = CODE_BITS * DIMENSIONS_PER_BIT
        dimensions = pool[stream_permutation(key.carriers, "dimensions", len(pool))][:count]
        signs = 1.0 - 2.0 * stream_bits(key.carriers, "signs", count)
        shape = (CODE_BITS, DIMENSIONS_PER_BIT)
        return cls(
            tones=torch.from_numpy(tones),
            tone_phasors=torch.from_numpy(np.exp(1j * phases).astype(np.complex64)),
            dimensions=torch.from_numpy(dimensions.reshape(shape)),
            signs=torch.from_numpy(signs.astype(np.float32).reshape(shape)),
        )

    def to(self, device: torch.device | str) -> Carriers:
        """The same carriers on another device."""
        return Carriers(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))

    def modulate(self, amplitudes: Tensor, envelope: Tensor, pilot_share: float) -> Tensor:
        """Coefficients of the tile that carries ``amplitudes``, of unit mean square as samples.

        Args:
            amplitudes: signed amplitude of each channel bit (bit 0 positive), shape (B, 256).
            envelope: transmit weight of each radial bin, positive, shape (16,).
            pilot_share: share of the energy given to the pilot tones, 0 to 1.

        Returns:
            Complex tensor of shape (B, 4236).
        """
        weight = _per_dimension(envelope)[self.dimensions]  # (256, 32)
        values = (amplitudes.unsqueeze(-1) * self.signs * weight).flatten(1)
        # a dimension of amplitude a has mean square a^2 / 2
        values = values * torch.sqrt(2 * (1 - pilot_share) / values.square().sum(1, keepdim=True))
        flat = values.new_zeros((values.shape[0], 2 * len(frequencies())))
        flat = flat.index_copy(1, self.dimensions.flatten(), values)
        tone = self.tone_phasors * float(np.sqrt(2 * pilot_share / TONES))
        coefficients = torch.view_as_complex(flat.unflatten(1, (-1, 2)))
        return coefficients.index_copy(1, self.tones, tone.expand(values.shape[0], -1))

    def demodulate(self, coefficients: Tensor, envelope: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Soft bits, bit energy and pilot response of received coefficients.

        Args:
            coefficients: complex, shape (B, 4236).
            envelope: receive weight of each radial bin, shape (16,).

        Returns:
            ``soft`` (B, 256): one value a channel bit, positive for 0, of unit variance where there is no mark;
            ``energy`` (B,): mean square of ``soft``, 1 +- .09 where there is no mark, 1 + SNR where there is;
            ``pilot`` (B, 48): response of each tone in its own phase, in the same unit as one dimension.
        """
        flat = torch.view_as_real(coefficients.contiguous()).flatten(1)
        elements = flat[:, self.dimensions] * (_per_dimension(envelope)[self.dimensions] * self.signs)  # (B, 256, 32)
        scale = elements.square().mean((1, 2)).clamp_min(1e-20).sqrt()  # (B,)
        soft = elements.sum(2) / (scale.unsqueeze(1) * DIMENSIONS_PER_BIT**0.5)
        tones = coefficients[:, self.tones] * self.tone_phasors.conj()
        weight = envelope[envelope_bins().to(envelope.device)][self.tones]
        return soft, soft.square().mean(1), tones.real * weight / scale.unsqueeze(1)


def _per_dimension(envelope: Tensor) -> Tensor:
    """Radial bins (16,) to real dimensions (8472,)."""
    return envelope[envelope_bins().to(envelope.device)].repeat_interleave(2)


def _draw_tones(key: Key) -> NDArray[np.int64]:
    """Indices of the pilot tones among :func:`frequencies`, shape (48,)."""
    points = frequencies()
    radius = np.hypot(*points.T)
    ring = np.flatnonzero((radius >= _TONE_RING[0]) & (radius <= _TONE_RING[1]))
    chosen: list[int] = []
    for candidate in ring[stream_permutation(key.carriers, "tones", len(ring))]:
        taken = points[chosen]
        near = np.minimum(np.hypot(*(taken - points[candidate]).T), np.hypot(*(taken + points[candidate]).T))
        if not np.any(near < _TONE_DISTANCE):
            chosen.append(int(candidate))
            if len(chosen) == TONES:
                break
    return np.array(chosen, dtype=np.int64)
