"""Peak memory of a call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Value = TypeVar("Value")
_PROCESS = Path("/proc/self")


def with_peak(call: Callable[[], Value]) -> tuple[Value, int | None]:
    """What a call returns, and the most resident memory of the process during it in bytes, libraries included.

    By Linux's high-water mark, set back before the call (proc(5), ``clear_refs``); ``None`` on other systems. Memory
    that the process holds from earlier calls counts: a call that finds it there needs it all the same.
    """
    try:
        (_PROCESS / "clear_refs").write_text("5")
    except OSError:
        return call(), None
    value = call()
    lines = (_PROCESS / "status").read_text().splitlines()
    kibibytes = next(line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return value, 1024 * int(kibibytes)
