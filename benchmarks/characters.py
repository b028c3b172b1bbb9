"""What is awkward about a picture, by its pixels: dark, bright, flat, clipped, saturated, small.

    python -m benchmarks.characters --data FOLDER --out RESULT.json

Manifests say what a picture shows; users complain of what its pixels are. The limits are ours.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.envelope import kinds_of_pictures, rgb_pixels
from watermark.errors import ImageError
from watermark.working import reduced_luma

CHARACTERS = {
    "dark": "mean luma below .25",
    "bright": "mean luma above .75",
    "flat": "more than a third of the blocks of 8 x 8 pixels, at a short side of 256, deviate by less than 1 / 255",
    "clipped": "more than a quarter of the pixels have a channel at 0 or 255",
    "saturated": "the largest channel lies above the smallest by more than .35 in the mean",
    "small": "a short side below 400 pixels",
}
_BLOCK = 8


def characters(pixels: NDArray[np.uint8]) -> list[str]:
    """Which of :data:`CHARACTERS` a picture has, in that order.

    Args:
        pixels: RGB, uint8, shape (H, W, 3), short side 128 pixels or more.

    Example:
        >>> characters(np.full((300, 500, 3), 30, np.uint8))
        ['dark', 'flat', 'small']
    """
    luma = reduced_luma(pixels)
    rows, columns = (length // _BLOCK for length in luma.shape)
    blocks = luma[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    spread = pixels.max(axis=2).astype(np.int16) - pixels.min(axis=2)
    has = {
        "dark": luma.mean() < 0.25,
        "bright": luma.mean() > 0.75,
        "flat": np.mean(blocks.std(axis=(1, 3)) < 1 / 255) > 1 / 3,
        "clipped": np.mean(((pixels == 0) | (pixels == 255)).any(axis=2)) > 0.25,
        "saturated": spread.mean() / 255 > 0.35,
        "small": min(pixels.shape[:2]) < 400,
    }
    return [character for character in CHARACTERS if has[character]]


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of images with a manifest.csv")
    parser.add_argument("--out", type=Path, required=True, help="result, JSON")
    arguments = parser.parse_args()
    found = {}
    for path, kind in sorted(kinds_of_pictures(arguments.data).items()):
        try:
            found[path.name] = {"kind": kind, "characters": characters(rgb_pixels(path))}
        except ImageError:  # the envelope says why
            continue
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(values)}" for name, values in found.items())
    arguments.out.write_text(f"{{\n{lines}\n}}\n")


if __name__ == "__main__":
    main()
