"""Watermarking methods behind one protocol: ours, peers, and anybody's.

* :mod:`.base`: what a method is, what it reads, and what goes wrong.
* :mod:`.registry`: methods by name, third parties' among them.
* :mod:`.claims`: presence for methods that only give bits.
* :mod:`.ours`, :mod:`.invisible_watermark`, :mod:`.blind_watermark`, :mod:`.trustmark`, :mod:`.videoseal`: adapters.
* :mod:`.command` and :mod:`.folder`: any program, and pictures that were marked elsewhere.

The extra ``peers`` names the packages of the peers that run from the package index. Their requirements would pull in a
second OpenCV (``opencv-python`` beside ``opencv-python-headless``) and any torch, so install them without::

    pip install --no-deps invisible-watermark blind-watermark PyWavelets onnxruntime flatbuffers protobuf
"""

from __future__ import annotations

from benchmarks.methods.base import Bits, Method, MethodError, MethodMissing, Pixels, Reading
from benchmarks.methods.registry import method, method_names

__all__ = [
    "Bits",
    "Method",
    "MethodError",
    "MethodMissing",
    "Pixels",
    "Reading",
    "method",
    "method_names",
]
