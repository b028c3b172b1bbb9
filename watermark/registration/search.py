"""From maps to registered readings: all shifts at once, ranking by bit energy, refinement.

Bit energy (mean square of the soft bits) needs the key but not the message: it is 1 +- .09 where there is
no mark and 1 + SNR where there is, so it ranks hypotheses far more sharply than the pilot does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from watermark.carriers import TILE_SAMPLES, Carriers, frequencies
from watermark.registration.fold import fold
from watermark.registration.geometry import Matrix, centred, linear, translation
from watermark.registration.receiver import SHIFT_SAMPLES, Receiver, moved_back

_SHIFTS = 3
# First steps of the refinement: tile samples, radians, and relative changes of scale, stretch, slope, and of
# the two perspective terms over one tile.
_STEPS = (0.5, 0.5, 0.006, 0.006, 0.006, 0.006, 0.01, 0.01)
UPRIGHT, AFFINE, HOMOGRAPHY = (0, 1, 3), tuple(range(6)), tuple(range(8))  # parameters that a search moves
NEIGHBOURS = 6 * len(AFFINE)
_MOST_TILTED = 0.06  # largest element of a unit map's difference from a quarter turn for it to count as upright


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
        self.estimate = estimate
        self._receiver = Receiver(carriers, receive)

    def coefficients(self, matrix: Matrix) -> NDArray[np.complex64] | None:
        """Coefficients of the folded tile, shape (4236,); ``None`` where folding makes no sense."""
        tile = fold(self.estimate, matrix)
        return None if tile is None else self._receiver.coefficients(tile)

    def read(self, matrix: Matrix) -> Reading | None:
        """Soft bits under one hypothesis; ``None`` where folding makes no sense."""
        coefficients = self.coefficients(matrix)
        if coefficients is None:
            return None
        soft, energy = self._receiver.soft_bits(coefficients[None])
        return Reading(matrix, soft[0], float(energy[0]))

    def locate(self, matrix: Matrix) -> list[Reading]:
        """Readings of a map but for its shift, and of the same turned by half a turn, at their most likely shifts.

        Args:
            matrix: linear map or homography from tile samples to estimate pixels from the estimate's centre.
        """
        matrix = centred(matrix, *self.estimate.shape)
        received = self.coefficients(matrix)
        if received is None:
            return []
        # a half turn about the centre conjugates the spectrum
        turned = (received, received.conj())
        shifts = [_peaks(self._receiver.pilot_correlation(coefficients)) for coefficients in turned]
        soft, energy = self._receiver.soft_bits(np.concatenate(list(map(moved_back, turned, shifts))))
        readings = []
        for index, (row, column) in enumerate(np.concatenate(shifts)):
            half_turn = 1 if index < _SHIFTS else -1
            offset = (((place + 0.5) / SHIFT_SAMPLES - 0.5) * TILE_SAMPLES for place in (column, row))
            placed = matrix @ linear(half_turn, 0, 0, half_turn) @ translation(*offset)
            readings.append(Reading(placed, soft[index], float(energy[index])))
        return readings

    def refine(
        self,
        reading: Reading,
        parameters: tuple[int, ...] = AFFINE,
        score: Callable[[Reading], float] = lambda reading: reading.energy,
        halvings: int = 4,
        sweeps: int = 1,
    ) -> Reading:
        """Climb in geometry and shift, one parameter at a time, halving the steps.

        Args:
            reading: where to start.
            parameters: :data:`UPRIGHT` (shift and scale), :data:`AFFINE` or :data:`HOMOGRAPHY`.
            score: what to climb.
            halvings: number of step sizes.
            sweeps: how often each step size is tried for all parameters, as long as it helps.

        Returns:
            The best reading met.
        """
        to_centre, from_centre = self._centre(reading)
        best, best_score = reading, score(reading)
        for step in (2.0**-halving for halving in range(halvings)):
            for _ in range(sweeps):
                before = best_score
                for index in parameters:
                    for size in (step, -step):
                        moved = self.read(best.matrix @ to_centre @ _move(index, size) @ from_centre)
                        if moved is not None and score(moved) > best_score:
                            best, best_score = moved, score(moved)
                            break
                if best_score == before:
                    break
        return best

    def upright(self, reading: Reading) -> Reading | None:
        """The best reading nearby without tilt, stretch or slope: where a part is seen, the fewer to fit the better.

        Args:
            reading: where to start.

        Returns:
            A reading of a map that turns by quarters only, or ``None`` if ``reading`` is too far from any.
        """
        to_centre, from_centre = self._centre(reading)
        placed = reading.matrix @ to_centre
        scale = float(np.sqrt(abs(np.linalg.det(placed[:2, :2]))))
        turn = np.rint(placed[:2, :2] / scale)
        if np.abs(placed[:2, :2] / scale - turn).max() > _MOST_TILTED:
            return None
        straight = self.read(translation(*placed[:2, 2]) @ linear(*(scale * turn).ravel()) @ from_centre)
        return None if straight is None else self.refine(straight, UPRIGHT, sweeps=2)

    def neighbours(self, reading: Reading) -> Iterator[Reading]:
        """Readings one, a half and a quarter of the first step away in each affine parameter: NEIGHBOURS in all.

        Where bits barely read, decoding goes by luck, and each of these is one more draw.
        """
        to_centre, from_centre = self._centre(reading)
        for share in (1.0, -1.0, 0.5, -0.5, 0.25, -0.25):
            for index in AFFINE:
                moved = self.read(reading.matrix @ to_centre @ _move(index, share) @ from_centre)
                if moved is not None:
                    yield moved

    def _centre(self, reading: Reading) -> tuple[Matrix, Matrix]:
        """Shifts of the tile plane that bring its origin to the middle of the estimate, and back."""
        height, width = self.estimate.shape
        x, y, weight = np.linalg.inv(reading.matrix) @ [width / 2, height / 2, 1]
        return translation(x / weight, y / weight), translation(-x / weight, -y / weight)


def _peaks(correlation: NDArray[np.float32]) -> NDArray[np.int64]:
    """The highest samples (row, column) of a torus that are no neighbours of each other, shape (3, 2)."""
    correlation = correlation.copy()
    found = []
    for _ in range(_SHIFTS):
        found.append(divmod(int(correlation.argmax()), SHIFT_SAMPLES))
        rows, columns = ((np.arange(-2, 3) + place) % SHIFT_SAMPLES for place in found[-1])
        correlation[rows[:, None], columns] = -np.inf
    return np.array(found)


def tone_frequencies(carriers: Carriers) -> NDArray[np.int64]:
    """Frequencies of the pilot tones (x, y) in cycles per tile, shape (48, 2)."""
    points: NDArray[np.int64] = frequencies()[carriers.tones.numpy()]
    return points


@lru_cache(maxsize=2 * len(HOMOGRAPHY) * 8)
def _move(index: int, share: float) -> Matrix:
    """Matrix near the identity that changes one parameter by a share of its first step.

    The parameters are shift x, y, turn, scale, stretch, slope and two perspective terms.
    """
    values = np.zeros(len(HOMOGRAPHY))
    values[index] = share * _STEPS[index]
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
