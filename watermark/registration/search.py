"""From linear maps to registered readings: all shifts at once, ranking by bit energy, refinement.

Bit energy (mean square of the soft bits) needs the key but not the message: it is 1 +- .09 where there is
no mark and 1 + SNR where there is, so it ranks hypotheses far more sharply than the pilot does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from watermark.carriers import TILE_SAMPLES, Carriers, analyse, frequencies, shift, synthesise
from watermark.registration.fold import fold
from watermark.registration.geometry import Matrix, centred, linear, translation

_SHIFT_SAMPLES = 256
_SHIFTS = 3
# First steps of the refinement: tile samples, radians, and relative changes of scale, stretch, slope, and of
# the two perspective terms over one tile.
_STEPS = (0.5, 0.5, 0.006, 0.006, 0.006, 0.006, 0.01, 0.01)
AFFINE, HOMOGRAPHY = 6, 8
NEIGHBOURS = 4 * AFFINE


@dataclass(frozen=True, eq=False)
class Reading:
    """What one registration hears.

    Attributes:
        matrix: from tile samples to estimate pixels.
        soft: soft bits, positive for 0, shape (256,).
        energy: their mean square.
    """

    matrix: Matrix
    soft: NDArray[np.float32]
    energy: float


class Listener:
    """Reads one residual estimate under any hypothesis.

    Args:
        estimate: the decoder's output, float32, shape (h, w).
        carriers: of the key.
        receive: receive weight of each radial bin, shape (16,).
    """

    def __init__(self, estimate: NDArray[np.float32], carriers: Carriers, receive: Tensor) -> None:
        self.estimate, self.carriers, self.receive = estimate, carriers, receive

    def coefficients(self, matrix: Matrix) -> Tensor | None:
        """Coefficients of the folded tile, complex of shape (1, 4236); ``None`` where folding makes no sense."""
        tile = fold(self.estimate, matrix)
        return None if tile is None else analyse(torch.from_numpy(tile).unsqueeze(0))

    def read(self, matrix: Matrix) -> Reading | None:
        """Soft bits under one hypothesis; ``None`` where folding makes no sense."""
        coefficients = self.coefficients(matrix)
        if coefficients is None:
            return None
        soft, energy, _ = self.carriers.demodulate(coefficients, self.receive)
        return Reading(matrix, soft[0].numpy(), float(energy[0]))

    def locate(self, linear_map: Matrix) -> list[Reading]:
        """Readings of a linear map, and of the same turned by half a turn, at their most likely shifts."""
        matrix = centred(linear_map, *self.estimate.shape)
        received = self.coefficients(matrix)
        if received is None:
            return []
        readings = []
        # a half turn about the centre conjugates the spectrum
        for half_turn, coefficients in ((1.0, received), (-1.0, received.conj().resolve_conj())):
            offsets = self._shifts(coefficients)
            soft, energy, _ = self.carriers.demodulate(
                shift(coefficients, torch.from_numpy(-offsets.astype(np.float32))), self.receive
            )
            turned = matrix @ linear(half_turn, 0, 0, half_turn)
            readings += [
                Reading(turned @ translation(*(offset * TILE_SAMPLES)), soft[index].numpy(), float(energy[index]))
                for index, offset in enumerate(offsets)
            ]
        return readings

    def _shifts(self, coefficients: Tensor) -> NDArray[np.float64]:
        """The shifts (in tiles) at which the pilot correlates best, shape (3, 2)."""
        tones = self.carriers.tones
        pilot = torch.zeros_like(coefficients)
        # only the phases: one strong line in the host must not outvote the rest
        response = coefficients[:, tones] * self.carriers.tone_phasors.conj()
        pilot[:, tones] = response / response.abs().clamp_min(1e-20).sqrt()
        correlation = synthesise(pilot, _SHIFT_SAMPLES)[0].numpy().copy()
        offsets = []
        for _ in range(_SHIFTS):
            row, column = divmod(int(correlation.argmax()), _SHIFT_SAMPLES)
            offsets.append([(column + 0.5) / _SHIFT_SAMPLES - 0.5, (row + 0.5) / _SHIFT_SAMPLES - 0.5])
            rows, columns = ((np.arange(-2, 3) + place) % _SHIFT_SAMPLES for place in (row, column))
            correlation[np.ix_(rows, columns)] = -np.inf
        return np.array(offsets)

    def refine(
        self,
        reading: Reading,
        parameters: int = AFFINE,
        score: Callable[[Reading], float] = lambda reading: reading.energy,
        halvings: int = 4,
        sweeps: int = 1,
    ) -> Reading:
        """Climb in geometry and shift, one parameter at a time, halving the steps.

        Args:
            reading: where to start.
            parameters: :data:`AFFINE` or :data:`HOMOGRAPHY`.
            score: what to climb.
            halvings: number of step sizes.
            sweeps: how often each step size is tried for all parameters, as long as it helps.

        Returns:
            The best reading met.
        """
        centre = self._centre(reading)
        best, best_score = reading, score(reading)
        for step in (2.0**-halving for halving in range(halvings)):
            for _ in range(sweeps):
                before = best_score
                for index in range(parameters):
                    for size in (step * _STEPS[index], -step * _STEPS[index]):
                        moved = self.read(best.matrix @ _move(index, size, centre))
                        if moved is not None and score(moved) > best_score:
                            best, best_score = moved, score(moved)
                            break
                if best_score == before:
                    break
        return best

    def neighbours(self, reading: Reading) -> Iterator[Reading]:
        """Readings a half and a quarter of the first step away in each affine parameter: NEIGHBOURS in all.

        Where bits barely read, decoding goes by luck, and each of these is one more draw.
        """
        centre = self._centre(reading)
        for share in (0.5, -0.5, 0.25, -0.25):
            for index in range(AFFINE):
                moved = self.read(reading.matrix @ _move(index, share * _STEPS[index], centre))
                if moved is not None:
                    yield moved

    def _centre(self, reading: Reading) -> tuple[float, float]:
        """Where the middle of the estimate lies on the tile plane, in tile samples (x, y)."""
        height, width = self.estimate.shape
        x, y, weight = np.linalg.inv(reading.matrix) @ [width / 2, height / 2, 1]
        return x / weight, y / weight


def tone_frequencies(carriers: Carriers) -> NDArray[np.int64]:
    """Frequencies of the pilot tones (x, y) in cycles per tile, shape (48, 2)."""
    points: NDArray[np.int64] = frequencies()[carriers.tones.numpy()]
    return points


def _move(index: int, size: float, centre: tuple[float, float]) -> Matrix:
    """Matrix that changes one parameter of :func:`_small_map` about a point of the tile plane."""
    x, y = centre
    values = np.zeros(HOMOGRAPHY)
    values[index] = size
    return translation(x, y) @ _small_map(values) @ translation(-x, -y)


def _small_map(values: NDArray[np.float64]) -> Matrix:
    """Matrix near the identity from shift x, y, turn, scale, stretch, slope and two perspective terms."""
    across, down, turn, scale, stretch, slope, tilt_x, tilt_y = values
    cosine, sine = np.cos(turn), np.sin(turn)
    matrix: Matrix = (
        linear(cosine, sine, -sine, cosine)
        @ linear((1 + scale) * (1 + stretch), slope, slope, (1 + scale) / (1 + stretch))
        @ translation(across, down)
    )
    perspective = np.eye(3)
    perspective[2, :2] = tilt_x / TILE_SAMPLES, tilt_y / TILE_SAMPLES
    return perspective @ matrix
