"""ColorVideoVDP's verdict on known changes to known pictures, as references for the model in ``watermark.perception``.

    python -m benchmarks.jod_references --jod ENVIRONMENT/bin/python

ENVIRONMENT is that of ``benchmarks/jod_environment.sh``. Writes benchmarks/results/jod_references.json.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from skimage import data

from benchmarks.runner.calibrate import measure_jod
from watermark.visibility import gaussian_blur, visibility_map
from watermark.working import Luma, Pixels, add_residual, reduced_luma

RESULT = Path(__file__).parent / "results" / "jod_references.json"
PICTURES = ("astronaut", "camera", "coffee", "chelsea")
DECIBELS = (40.0, 44.0, 48.0)


def changes() -> Iterator[tuple[str, Pixels, Luma]]:
    """Name, pixels and working-size residual of each reference: band-passed noise, even or where activity hides it."""
    for picture, decibels in itertools.product(PICTURES, DECIBELS):
        pixels: NDArray[np.uint8] = getattr(data, picture)()
        luma = torch.from_numpy(reduced_luma(pixels))[None, None]
        noise = torch.randn(luma.shape, generator=torch.Generator().manual_seed(1))
        band, coarse = (gaussian_blur(noise, width) - gaussian_blur(noise, 2.5 * width) for width in (0.8, 2.4))
        for kind, residual in (("even", band), ("hidden", band * visibility_map(luma)), ("coarse", coarse)):
            scaled = residual * (10 ** (-decibels / 20) / residual.square().mean().sqrt())
            yield f"{picture} {kind} {decibels:g} dB", pixels, scaled[0, 0].numpy()


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jod", type=Path, required=True, help="interpreter of an environment with ColorVideoVDP")
    arguments = parser.parse_args()
    names, pairs = [], []
    with tempfile.TemporaryDirectory() as folder:
        for name, pixels, residual in changes():
            files = [str(Path(folder) / f"{name} {kind}.png") for kind in ("host", "marked")]
            for file, image in zip(files, (pixels, add_residual(pixels, residual)), strict=True):
                Image.fromarray(image).convert("RGB").save(file)
            names.append(name)
            pairs.append(files)
        jods = [round(jod, 4) for jod in measure_jod(pairs, arguments.jod)]
    RESULT.write_text(json.dumps(dict(zip(names, jods, strict=True)), indent=1) + "\n")


if __name__ == "__main__":
    main()
