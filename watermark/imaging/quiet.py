"""Keeping the warnings of decoders from people who can do nothing about them."""

from __future__ import annotations

import threading
import warnings


class Quiet:
    """A context that silences warnings; threads may overlap, as the last one out puts the filters back.

    ``warnings.catch_warnings`` alone, entered and left in another order by two threads, would leave the program
    without warnings for good.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._saved = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._saved = warnings.catch_warnings()
                self._saved.__enter__()
                warnings.simplefilter("ignore")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._saved.__exit__(None, None, None)


QUIET = Quiet()
"""The one instance all decoding shares."""
