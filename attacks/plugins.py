"""Attacks of others: what installed distributions offer under the entry-point group ``watermark.attacks``.

An entry names a module or a class in one; loading it runs the :func:`~attacks.base.register` of the attacks in it::

    [project.entry-points."watermark.attacks"]
    acme = "acme.attacks"
"""

from __future__ import annotations

import threading
from importlib.metadata import entry_points

GROUP = "watermark.attacks"

_failures: list[PluginError] | None = None  # of the one search; None before it
_search = threading.RLock()  # plug-ins look into the registry while they load


class PluginError(ImportError):
    """An installed plug-in cannot be loaded, or registers a name that is taken."""


def load_plugins() -> None:
    """Load all plug-ins, once in a process.

    :class:`~attacks.base.Registry` calls this when it is listed or misses a name, so that attacks of the library cost
    nothing and work whatever is installed.

    Raises:
        PluginError: one of them failed, now or before; the others are loaded.
    """
    global _failures
    with _search:
        if _failures is None:
            _failures = []  # what a plug-in meets there are no failures of others
            _failures = _load()
    if _failures:
        raise _failures[0]


def _load() -> list[PluginError]:
    failures = []
    for entry in entry_points(group=GROUP):
        try:
            entry.load()
        except Exception as error:  # a stranger's code raises anything
            origin = entry.dist.name if entry.dist else "an unknown distribution"
            failure = PluginError(
                f"the attacks that {origin} offers as {entry.name!r} ({entry.value}) cannot be loaded: "
                f"{type(error).__name__}: {error}; update or uninstall {origin}"
            )
            failure.__cause__ = error
            failures.append(failure)
    return failures
