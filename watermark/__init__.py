"""Keyed image watermarks that survive crops, rotations and compression.

Example:
    >>> import numpy as np
    >>> import watermark as wm
    >>> rng = np.random.default_rng(1)
    >>> pixels = rng.integers(60, 200, (160, 160, 3), dtype=np.uint8)
    >>> marked = wm.Embedder(strength=36).embed(pixels, wm.Payload.from_text("hi"))
    >>> wm.Detector().detect(marked.pixels, search="none").payload.text
    'hi'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from watermark.detect import Check, Detection, Detector
    from watermark.embed import Embedder, Marked
    from watermark.errors import WatermarkError
    from watermark.payload.frame import Payload
    from watermark.payload.keys import Key
    from watermark.registration.geometry import Geometry

__version__ = "0.1.0"

# Where each public name lives; loaded on first use, since torch takes seconds to import.
_HOMES = {
    "Check": "watermark.detect",
    "Detection": "watermark.detect",
    "Detector": "watermark.detect",
    "Embedder": "watermark.embed",
    "Geometry": "watermark.registration.geometry",
    "Key": "watermark.payload.keys",
    "Marked": "watermark.embed",
    "Payload": "watermark.payload.frame",
    "WatermarkError": "watermark.errors",
}

__all__ = [
    "Check",
    "Detection",
    "Detector",
    "Embedder",
    "Geometry",
    "Key",
    "Marked",
    "Payload",
    "WatermarkError",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'watermark' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
