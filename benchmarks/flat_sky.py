"""A picture for the eye: a flat sky before and after marking, its contrast magnified four times.

    python -m benchmarks.flat_sky [--out docs/flat_sky.png]

The host is scikit-image's ``rocket``, a public-domain photograph of NASA's, 640 x 427.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage import data

import watermark as wm
from watermark.working import Pixels

GAIN = 4
_SKY = (slice(0, 213), slice(0, 250))


def magnified(pixels: Pixels, gain: int = GAIN) -> NDArray[np.uint8]:
    """Pixels (H, W, 3) whose distance from their mean colour is multiplied, about grey 128.

    Example:
        >>> magnified(np.array([[[9, 9, 9], [11, 11, 11]]], np.uint8))[0, :, 0].tolist()
        [124, 132]
    """
    values = pixels.astype(np.float32)
    result: NDArray[np.uint8] = (128 + gain * (values - values.mean((0, 1)))).clip(0, 255).round().astype(np.uint8)
    return result


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/flat_sky.png"))
    arguments = parser.parse_args()
    host = data.rocket()
    payload = wm.Payload.from_hex("0123456789abcdef")
    rows = [magnified(host[_SKY])]
    rows += [
        magnified(wm.Embedder(robustness=level).embed(host, payload).pixels[_SKY]) for level in ("standard", "high")
    ]
    Image.fromarray(np.hstack(rows)).save(arguments.out, optimize=True)


if __name__ == "__main__":
    main()
