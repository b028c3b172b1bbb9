"""How different two images look: ColorVideoVDP on a full-HD screen (``standard_fhd``), in JOD; 10 is no difference.

Run it with the interpreter of an environment made by ``benchmarks/jod_environment.sh``:

    ENVIRONMENT/bin/python benchmarks/jod.py PAIRS.json

PAIRS.json is a list of pairs [reference path, test path], both images of one size. Every pair becomes a line on
standard output: {"reference": ..., "test": ..., "jod": ...}.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import sys
from pathlib import Path

VERSION = "0.5.7"
DISPLAY = "standard_fhd"


def read_pairs(path: Path) -> list[tuple[str, str]]:
    """Pairs of image paths from a JSON file.

    Raises:
        ValueError: the file is not a list of pairs of strings, or an image is missing.
        OSError: the file cannot be read.
    """
    try:
        pairs = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if not isinstance(pairs, list):
        raise ValueError(f"{path} holds no list of [reference path, test path]")
    for number, pair in enumerate(pairs):
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(name, str) for name in pair)):
            raise ValueError(f"{path}: entry {number} is {pair!r}; it must be [reference path, test path]")
        for name in pair:
            if not Path(name).is_file():
                raise ValueError(f"{path}: entry {number} names {name!r}, which is no file")
    return [(reference, test) for reference, test in pairs]


def measure(pairs: list[tuple[str, str]]) -> None:
    """Print the JOD of each pair.

    Raises:
        ImportError: ColorVideoVDP is missing, or is another version: numbers are not comparable across versions.
        ValueError: the images of a pair differ in size.
    """
    installed = importlib.metadata.version("cvvdp")
    if installed != VERSION:
        raise ImportError(f"cvvdp {VERSION} is needed, not {installed}")
    import numpy as np
    from PIL import Image

    metric = importlib.import_module("pycvvdp").cvvdp(display_name=DISPLAY, quiet=True)
    for names in pairs:
        images = []
        for name in names:
            with Image.open(name) as opened:
                images.append(np.array(opened.convert("RGB")))
        reference, test = images
        if reference.shape != test.shape:
            sizes = " and ".join("x".join(map(str, image.shape[1::-1])) for image in images)
            raise ValueError(f"{names[0]} and {names[1]} differ in size: {sizes}")
        jod, _ = metric.predict(test, reference, dim_order="HWC")
        print(json.dumps({"reference": names[0], "test": names[1], "jod": float(jod)}), flush=True)


def main(arguments: list[str]) -> int:
    """Run the script; 0 on success, 2 on a wrong argument or environment."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: ENVIRONMENT/bin/python benchmarks/jod.py PAIRS.json", file=sys.stderr)
        return 2
    try:
        measure(read_pairs(Path(arguments[0])))
    except ImportError as error:
        print(f"jod.py: {error}; run it in an environment made by benchmarks/jod_environment.sh", file=sys.stderr)
        return 2
    except (OSError, ValueError) as error:
        print(f"jod.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
