"""Do peers read here as published? W-Bench's distortion table, measured again on other photographs.

    python -m benchmarks.validate_peers --data FOLDER --out benchmarks/results/wbench.json [--methods dwtDct,dwtDctSvd]
        [--message inverted]
    python -m benchmarks.validate_peers --data FOLDER --out benchmarks/results/wbench.json --drawn 12
    python -m benchmarks.validate_peers --out benchmarks/results/wbench.json --table docs/validation.md

FOLDER holds images and a ``manifest.csv``; photographs whose short side is 512 pixels or more are cut to the centre
square and resized to 512 x 512 (bicubic). All carry one message (:mod:`.wbench`): 30 bits for the first two methods and
32 for RivaGAN. Pictures in the result that were measured with the same versions are kept; ``--minutes`` ends each
method early, between images.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image

from attacks.presets import PRESETS
from benchmarks.envelope import photographs, to_pixels, to_tensor
from benchmarks.methods import Bits, Method, Pixels
from benchmarks.methods.invisible_watermark import DwtDct, DwtDctSvd, RivaGan
from benchmarks.metrics.quality import psnr
from benchmarks.runner.cache import package_versions
from benchmarks.validate_peers_table import CLEAN, DRAWN_SETTINGS, page
from benchmarks.wbench import MESSAGES, drawn_message, message
from watermark.imaging import read_image

SIDE = 512
_KEY = bytes(32)  # none of the methods has one
_DRAWN_PICTURES = 5

_MAKERS: dict[str, Callable[[], Method]] = {
    "dwtDct": partial(DwtDct, message_bits=30),
    "dwtDctSvd": partial(DwtDctSvd, message_bits=30),
    "rivaGan": RivaGan,
}


def square(pixels: Pixels) -> Pixels:
    """The centre square at 512 x 512 pixels."""
    side = min(pixels.shape[:2])
    top, left = ((length - side) // 2 for length in pixels.shape[:2])
    picture = Image.fromarray(pixels[top : top + side, left : left + side])
    return np.array(picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def pictures(folder: Path) -> Iterator[tuple[str, Pixels]]:
    """Names and squares of the photographs that are large enough, in the order of their names."""
    for path in sorted(photographs(folder)):
        pixels = read_image(path).pixels
        if min(pixels.shape[:2]) >= SIDE and pixels.dtype == np.uint8 and pixels.ndim == 3:
            yield path.name, square(np.asarray(pixels[:, :, :3], dtype=np.uint8))


def right(method: Method, pixels: Pixels, sent: Bits) -> int:
    """How many bits are read as sent."""
    bits = method.detect(pixels, _KEY).bits
    assert bits is not None  # none of them ever abstains
    return int(np.count_nonzero(bits == sent))


def measure(method: Method, host: Pixels, sent: Bits) -> dict[str, Any]:
    """One picture: the PSNR of its mark in dB, and how many bits are read rightly after each attack."""
    marked = method.embed(host, sent, _KEY)
    image = to_tensor(marked)
    attacked = {row.label: right(method, to_pixels(row.attack.apply(image)), sent) for row in PRESETS["wbench"].rows}
    return {"psnr": round(psnr(host, marked), 3), "right": {CLEAN: right(method, marked, sent), **attacked}}


def run(
    method: Method, name: str, folder: Path, minutes: float, before: dict[str, Any] | None = None
) -> dict[str, Any]:
    """All pictures, or as many as the time allows, at least two: one has no interval.

    Args:
        method: marks and reads.
        name: of the message.
        folder: of images, with a ``manifest.csv``.
        minutes: no picture begins later.
        before: an earlier result; its pictures are kept if they had the same pixels and versions.
    """
    end = time.monotonic() + 60 * minutes
    versions = {"method": method.version, **package_versions()}
    kept = {}
    if before and all(versions.get(package) == version for package, version in before["versions"].items()):
        kept = {(image["image"], image["sha256"]): image for image in before["images"]}
    sent = message(name, method.message_bits)
    images: list[dict[str, Any]] = []
    for file, host in pictures(folder):
        place = (file, hashlib.sha256(host.tobytes()).hexdigest())
        if place not in kept:
            if len(images) >= 2 and time.monotonic() > end:
                break
            kept[place] = {"image": file, "sha256": place[1], **measure(method, host, sent)}
            print(f"{method.name} {name} {len(images) + 1} {file} {kept[place]['psnr']} dB", file=sys.stderr)
        images.append(kept[place])
    return {"versions": versions, "message_bits": method.message_bits, "images": images}


def drawn(method: Method, folder: Path, count: int) -> dict[str, Any]:
    """Bits read rightly in the first pictures with each of several random messages, at :data:`DRAWN_SETTINGS`."""
    attacks = [row for row in PRESETS["wbench"].rows if row.label in DRAWN_SETTINGS]
    hosts = list(islice(pictures(folder), _DRAWN_PICTURES))
    found: dict[str, dict[str, list[int]]] = {}
    for sent in (message("stated", method.message_bits), *map(drawn_message, range(count))):
        marked = [to_tensor(method.embed(host, sent, _KEY)) for _, host in hosts]
        found["".join(map(str, sent))] = {
            row.label: [right(method, to_pixels(row.attack.apply(image)), sent) for image in marked] for row in attacks
        }
    return {"images": [name for name, _ in hosts], "right": found}


def _methods(text: str) -> list[str]:
    """Methods by name, separated by commas."""
    names = text.split(",")
    if unknown := [name for name in names if name not in _MAKERS]:
        raise argparse.ArgumentTypeError(f"no method {', '.join(unknown)}; there are {', '.join(_MAKERS)}")
    return names


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="result, JSON; what is not measured anew is kept")
    parser.add_argument(
        "--data", type=Path, help="folder of images with a manifest.csv; without it nothing is measured"
    )
    parser.add_argument("--methods", type=_methods, default=list(_MAKERS), help="some of them, with commas")
    parser.add_argument("--message", choices=MESSAGES, default="stated", help="default: stated")
    parser.add_argument("--drawn", type=int, help="instead: so many random messages, dwtDctSvd, a few settings")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="time for each method")
    parser.add_argument("--table", type=Path, help="Markdown page to write")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    results: dict[str, Any] = {"schema": 2, "methods": {}, "drawn": None}
    if arguments.out.exists():
        results = json.loads(arguments.out.read_text(encoding="utf-8"))
    if arguments.data and arguments.drawn is not None:
        results["drawn"] = drawn(_MAKERS["dwtDctSvd"](), arguments.data, arguments.drawn)
        _store(results, arguments.out)
    elif arguments.data:
        for name in arguments.methods:
            entry = results["methods"].setdefault(name, {})
            entry[arguments.message] = run(
                _MAKERS[name](), arguments.message, arguments.data, arguments.minutes, entry.get(arguments.message)
            )
            _store(results, arguments.out)
    if arguments.table:
        arguments.table.write_text(page(results), encoding="utf-8")


def _store(results: dict[str, Any], path: Path) -> None:
    """A picture a line."""
    path.write_text(json.dumps(results).replace('{"image"', '\n{"image"') + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
