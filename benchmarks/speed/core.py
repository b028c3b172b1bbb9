"""Embed and detect beside ``invisible-watermark``'s dwtDct, and the detector's budgets at 12 megapixels.

    python -m benchmarks.speed.core --out benchmarks/results/speed.json [--repeats 15]

Median and interquartile range of each, all in one process with the default number of threads. The peer
(``pip install --no-deps invisible-watermark PyWavelets``) is left out, visibly, where it is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from skimage import data

import watermark as wm
from attacks import Crop, Rotate
from benchmarks.envelope import to_pixels, to_tensor
from watermark.detect import Search
from watermark.payload import polar
from watermark.working import Pixels


def timed(function: Callable[[], Any], repeats: int) -> dict[str, float]:
    """Median and quartiles of a call in milliseconds, after one warm-up."""
    function()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        function()
        times.append(1000 * (time.perf_counter() - started))
    low, middle, high = np.percentile(times, [25, 50, 75])
    return {
        "median_ms": round(float(middle), 1),
        "quartile_1": round(float(low), 1),
        "quartile_3": round(float(high), 1),
    }


def photograph(height: int, width: int) -> NDArray[np.uint8]:
    """scikit-image's astronaut of 512 x 512, mirrored and enlarged to the size asked for: content is no matter here."""
    picture = np.concatenate([data.astronaut(), data.astronaut()[:, ::-1]], axis=1)
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def measure(repeats: int) -> dict[str, dict[str, float] | str]:
    """All figures by name."""
    payload = wm.Payload.from_hex("0123456789abcdef")
    embedder, fixed, detector = wm.Embedder(), wm.Embedder(strength=46), wm.Detector()
    figures: dict[str, dict[str, float] | str] = {}
    noise = np.random.default_rng(1).standard_normal((1, polar.CODE_LENGTH)).astype(np.float32)
    for size in polar.INFORMATION_SIZES:
        call = partial(polar.decode, noise, size)
        figures[f"polar list decoding, one word of {size} information bits"] = timed(call, 10 * repeats)
    for name, height, width in (("768 x 512", 512, 768), ("4000 x 3000", 3000, 4000)):
        host = photograph(height, width)
        marked = fixed.embed(host, payload).pixels
        cropped = to_pixels(Crop(0.71, 0.2, 0.7).apply(to_tensor(marked)))
        rotated = to_pixels(Rotate(30).apply(to_tensor(marked)))
        few = max(3, repeats // 3)
        figures[f"embed, adaptive strength, {name}"] = timed(partial(embedder.embed, host, payload), few)
        figures[f"embed, fixed strength, {name}"] = timed(partial(fixed.embed, host, payload), few)
        readings: tuple[tuple[str, Pixels, Search, int], ...] = (
            ("marked", marked, "none", repeats),
            ("marked and cropped", cropped, "fast", repeats),
            ("marked and rotated", rotated, "full", repeats),
            ("unmarked", host, "none", few),
            ("unmarked", host, "fast", few),
            ("unmarked", host, "full", few),
        )
        for what, pixels, search, count in readings:
            figures[f"detect {search}, {what}, {name}"] = timed(partial(detector.detect, pixels, search), count)
        figures.update(_peer(host, marked, name, few))
    return figures


def _peer(host: Pixels, marked: Pixels, name: str, repeats: int) -> dict[str, dict[str, float] | str]:
    try:
        from imwatermark import WatermarkDecoder, WatermarkEncoder
    except ImportError as error:
        return {f"invisible-watermark dwtDct, {name}": f"not measured: {error}"}
    encoder = WatermarkEncoder()
    encoder.set_watermark("bytes", bytes(8))
    decoder = WatermarkDecoder("bytes", 64)
    return {
        f"invisible-watermark dwtDct embed, {name}": timed(lambda: encoder.encode(host, "dwtDct"), repeats),
        f"invisible-watermark dwtDct detect, {name}": timed(lambda: decoder.decode(marked, "dwtDct"), repeats),
    }


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="result, JSON")
    parser.add_argument("--repeats", type=int, default=15)
    arguments = parser.parse_args()
    figures = measure(arguments.repeats)
    metadata = {
        "platform": platform.machine(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "repeats": arguments.repeats,
    }
    arguments.out.write_text(json.dumps({"schema": 1, "metadata": metadata, "figures": figures}, indent=1) + "\n")
    for name, figure in figures.items():
        print(f"{name}: {figure}", file=sys.stderr)


if __name__ == "__main__":
    main()
