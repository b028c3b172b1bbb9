"""What a detector listens to, one reading after the other: the plan of a search."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from watermark.registration.geometry import DIHEDRAL, Matrix, centred
from watermark.registration.joint import JointListener, Patterns
from watermark.registration.perspective import perspectives
from watermark.registration.search import AFFINE, HOMOGRAPHY, NEIGHBOURS, Listener, Reading
from watermark.registration.tones import hypotheses, power_spectrum

Search = Literal["none", "fast", "full"]
_STAGES = ((True, False), (False, False), (True, True), (False, True))  # upright or not, stretched or not
_HYPOTHESES = 64  # maps of a stage that are read at all shifts
_PERSPECTIVES = 24  # homographies that are
_REFINED = 6  # readings of a stage that are refined
_JOINT = 2  # places of a search at which all bits are read together
_SAME_PLACE = 0.3  # largest difference of two maps, in samples and estimate pixels


def candidates(listener: Listener, tones: NDArray[np.int64], patterns: Patterns, search: Search) -> Iterator[Reading]:
    """Readings worth a look, the likely and cheap first.

    As it was marked; flips and quarter turns; the best of each stage of registration by tones; the two best places with
    all bits read together; at last, perspectives.

    Args:
        listener: to the picture's estimate, with the key's carriers.
        tones: their frequencies, see :func:`watermark.registration.search.tone_frequencies`.
        patterns: of the carriers, for joint reading.
        search: how far to go; see :meth:`watermark.detect.Detector.detect`.
    """
    shape = listener.estimate.shape
    for orientation in DIHEDRAL if search != "none" else DIHEDRAL[:1]:
        reading = listener.read(centred(orientation, *shape))
        if reading is not None:
            yield reading
    if search == "none":
        return
    refined: list[Reading] = []
    spectrum = power_spectrum(listener.estimate)
    for upright, stretched in _STAGES if search == "full" else _STAGES[:1]:
        maps = hypotheses(spectrum, tones, upright=upright, stretched=stretched, count=_HYPOTHESES)
        for reading in _best_of(listener, maps, AFFINE):
            yield reading
            refined.append(reading)
    for place in _places(listener, refined):
        joint = JointListener(listener, patterns, place)
        yield from filter(None, [joint.read(place.matrix)])
        if search == "full":
            yield from joint.neighbours(place)
    if search == "full":
        yield from _best_of(listener, perspectives(listener.estimate, tones, _PERSPECTIVES), HOMOGRAPHY, sweeps=3)


def most_candidates(search: Search) -> int:
    """How many :func:`candidates` there are at most.

    Example:
        >>> most_candidates("none"), most_candidates("fast"), most_candidates("full")
        (1, 16, 112)
    """
    if search == "none":
        return 1
    fast = len(DIHEDRAL) + _REFINED + _JOINT
    later_stages, perspectives_read = _REFINED * len(_STAGES[1:]), _REFINED
    return fast if search == "fast" else fast + later_stages + _JOINT * NEIGHBOURS + perspectives_read


def _best_of(listener: Listener, maps: list[Matrix], parameters: tuple[int, ...], sweeps: int = 1) -> list[Reading]:
    """The best readings over some maps at all shifts, refined, best first."""
    readings = [reading for matrix in maps for reading in listener.locate(matrix)]
    readings.sort(key=lambda reading: -reading.energy)
    refined = [listener.refine(reading, parameters, sweeps=sweeps) for reading in readings[:_REFINED]]
    return sorted(refined, key=lambda reading: -reading.energy)


def _places(listener: Listener, readings: list[Reading]) -> list[Reading]:
    """The best places among readings that are not the same; upright, where they nearly are."""
    places: list[Reading] = []
    for reading in sorted(readings, key=lambda reading: -reading.energy):
        place = listener.upright(reading) or reading
        if all(np.abs(place.matrix - other.matrix).max() > _SAME_PLACE for other in places):
            places.append(place)
        if len(places) == _JOINT:
            break
    return places
