"""Methods by name.

Third parties add theirs through the entry-point group ``watermark.methods``: the entry's name is the method's, and it
points to a class or function that gives a :class:`~benchmarks.methods.base.Method` when called without arguments::

    [project.entry-points."watermark.methods"]
    mine = "my_package.adapter:Mine"

``command:FILE`` and ``folder:FILE`` are methods too, described by a TOML file: see :mod:`.command` and :mod:`.folder`.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from benchmarks.methods.base import Method, MethodError
from watermark.errors import UsageError, WatermarkError

GROUP = "watermark.methods"
_HOME = "benchmarks.methods"
_OURS = tuple(
    EntryPoint(name, f"{_HOME}.{value}", GROUP)
    for name, value in (
        ("watermark-toolkit", "ours:Toolkit"),
        ("dwtDct", "invisible_watermark:DwtDct"),
        ("dwtDctSvd", "invisible_watermark:DwtDctSvd"),
        ("rivaGan", "invisible_watermark:RivaGan"),
        ("blind-watermark", "blind_watermark:BlindWatermark"),
        ("trustmark", "trustmark:TrustMark"),
        ("videoseal", "videoseal:VideoSeal"),
    )
)

PEERS = frozenset(entry.name for entry in _OURS) - {"watermark-toolkit"}
"""Methods of others that come with the benchmark: they mark and read with nothing of the package ``watermark``."""


def method_names() -> tuple[str, ...]:
    """Names of all registered methods, ours first; those whose packages are missing too.

    Raises:
        MethodError: two distributions register one name.
    """
    return tuple(_entries())


def method(name: str) -> Method:
    """The method of a name, at its default strength.

    Args:
        name: as registered, or ``command:FILE`` or ``folder:FILE``.

    Raises:
        UsageError: no method has this name, or FILE describes none.
        MethodMissing: what the method needs is not there.
        MethodError: a third party's method does not load, or is none.
    """
    kind, colon, file = name.partition(":")
    if colon and kind == "command":
        from benchmarks.methods.command import Command

        return Command.load(Path(file))
    if colon and kind == "folder":
        from benchmarks.methods.folder import Folder

        return Folder.load(Path(file))
    entries = _entries()
    if name not in entries:
        near = difflib.get_close_matches(name, entries, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(entries)}"
        raise UsageError(f"no method is named {name!r}; {hint}")
    entry = entries[name]
    try:
        made = entry.load()()
    except WatermarkError:
        raise
    except Exception as error:
        raise MethodError(
            f"method {name!r} of {_owner(entry)} does not load: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(made, Method):
        raise MethodError(
            f"method {name!r} of {_owner(entry)}: {entry.value} gave a {type(made).__name__}, "
            "which has not all that benchmarks.methods.Method names"
        )
    return made


def identity_files(name: str) -> list[Path]:
    """Files beside the toolkit's own on which the rows of a method depend, though its version may stay the same.

    Of a third party's entry point it is the module that the entry names, but nothing that this imports; of
    ``folder:FILE`` all pictures. A program's version holds its hash, see :mod:`.command`.

    Args:
        name: of a method that :func:`method` makes.
    """
    if name.startswith("folder:"):
        from benchmarks.methods.folder import Folder

        return Folder.load(Path(name.removeprefix("folder:"))).files()
    entry = _entries().get(name)
    if entry is None or entry in _OURS:
        return []
    source = inspect.getsourcefile(importlib.import_module(entry.module))
    return [] if source is None else [Path(source)]


def _entries() -> dict[str, EntryPoint]:
    entries: dict[str, EntryPoint] = {}
    for entry in (*_OURS, *entry_points(group=GROUP)):
        if entry.name in entries:
            raise MethodError(
                f"two methods are named {entry.name!r}: of {_owner(entries[entry.name])} and of {_owner(entry)}; "
                "uninstall one of them"
            )
        entries[entry.name] = entry
    return entries


def _owner(entry: EntryPoint) -> str:
    return f"the distribution {entry.dist.name}" if entry.dist else "the toolkit itself"
