"""Joint reading: the bits of a tile of which only parts are heard, all together.

The carriers of different bits are orthogonal on a whole tile that is heard evenly. A crop shows a part of the tile, and
the decoder hears some regions louder than others; then each bit leaks into all others. The linear estimate of all bits
of least mean square error undoes that (Verdu, Multiuser Detection, 1998, section 6.2), at the price of one system of
256 equations a neighbourhood.
"""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np
import torch
from torch import Tensor

from watermark.carriers import CODE_BITS, Carriers, analyse, envelope_bins, synthesise
from watermark.registration.fold import fold
from watermark.registration.geometry import Matrix
from watermark.registration.search import Listener, Reading

_NEIGHBOURHOOD = 3.0  # standard deviation of the window in which loudness is measured, in estimate pixels
_EXPONENT = 0.75  # from local power to loudness
_NOISE = 1.0  # noise on a bit over the mean energy of a bit's carrier
_LEAST = 1e-4  # loudness, over the greatest, under which a sample of the tile counts as not heard
_SILENCE = 1e-20


class Patterns:
    """What the bits and the tones of one key look like on the tile, filtered so that the noise is white.

    Args:
        carriers: of the key.
        transmit: transmit weight of each radial bin, shape (16,).
        receive: receive weight of each radial bin, shape (16,).

    Attributes:
        carriers: as given.
        transmit: as given, without gradient.
        receive: as given, without gradient.
    """

    def __init__(self, carriers: Carriers, transmit: Tensor, receive: Tensor) -> None:
        self.carriers, self.transmit, self.receive = carriers, transmit.detach(), receive.detach()

    @cached_property
    def whitening(self) -> Tensor:
        """Weight of each coefficient that makes the noise white, shape (4236,)."""
        return (self.receive / self.transmit).sqrt()[envelope_bins()]

    @cached_property
    def bits(self) -> Tensor:
        """The pattern of each bit alone, shape (256, 16384)."""
        alone = self.carriers.modulate(torch.eye(CODE_BITS), self.transmit, pilot_share=0.0)
        return synthesise(alone * self.whitening).flatten(1)

    @cached_property
    def pilot(self) -> Tensor:
        """The pattern of the tones, shape (16384,)."""
        tones = torch.zeros_like(self.whitening, dtype=torch.complex64)
        tones[self.carriers.tones] = self.carriers.tone_phasors
        return synthesise((tones * self.whitening)[None]).flatten()


class JointListener(Listener):
    """Reads all bits together under hypotheses near one reading, whose loudness it takes for all.

    The estimate is taken as  loudness x pattern + noise  of variance proportional to loudness, for that is what a
    decoder gives that weighs by trust. Loudness is the local power of the estimate to the power of .75.

    Args:
        listener: whose estimate is read.
        patterns: of its key.
        near: a reading of it.
    """

    def __init__(self, listener: Listener, patterns: Patterns, near: Reading) -> None:
        super().__init__(listener.estimate, patterns.carriers, patterns.receive)
        power = cv2.GaussianBlur(self.estimate**2, (0, 0), _NEIGHBOURHOOD)
        folded = fold(power**_EXPONENT, near.matrix)
        assert folded is not None  # the estimate itself was folded there
        loudness = torch.from_numpy(folded / max(float(folded.max()), _SILENCE)).flatten()
        self._heard = loudness > _LEAST
        self._loudness, self._whitening = loudness[self._heard], patterns.whitening
        self._bits, self._pilot = patterns.bits[:, self._heard], patterns.pilot[self._heard]
        system = (self._bits * self._loudness) @ self._bits.T  # (256, 256)
        system.diagonal().add_(_NOISE * system.diagonal().mean().clamp_min(_SILENCE))
        self._inverse = torch.linalg.inv(system)

    def read(self, matrix: Matrix) -> Reading | None:
        """Other soft bits of the same mean square as a single listener's; ``None`` where folding makes no sense."""
        alone, tile = super().read(matrix), fold(self.estimate, matrix)
        if alone is None or tile is None:
            return None
        samples = synthesise(analyse(torch.from_numpy(tile)[None]) * self._whitening).flatten()[self._heard]
        pilot = self._pilot * self._loudness
        samples = samples - pilot * (samples @ self._pilot) / (pilot @ self._pilot).clamp_min(_SILENCE)
        soft = (self._inverse @ (self._bits @ samples)).numpy()
        power = max(float(np.square(soft).mean()), _SILENCE)
        return Reading(matrix, soft * np.sqrt(alone.energy / power), alone.energy)
