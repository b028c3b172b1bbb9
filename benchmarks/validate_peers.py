"""Do peers read here as published? W-Bench's distortion table, measured again on other photographs.

    python -m benchmarks.validate_peers --data FOLDER --out benchmarks/results/wbench.json [--methods dwtDct,dwtDctSvd]
    python -m benchmarks.validate_peers --out benchmarks/results/wbench.json --table docs/validation.md

FOLDER holds images and a ``manifest.csv``; photographs whose short side is 512 pixels or more are cut to the centre
square and resized to 512 x 512 (bicubic). All carry one message, the first bits of ``Hello``, as in W-Bench: 30 bits
for the first two methods and 32 for RivaGAN. Methods that are measured replace those of the same name in the result;
``--minutes`` ends each one early, between images.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image

from attacks.presets import PRESETS
from benchmarks.envelope import photographs, to_pixels, to_tensor
from benchmarks.methods import Bits, Method, Pixels
from benchmarks.methods.invisible_watermark import DwtDct, DwtDctSvd, RivaGan
from benchmarks.metrics.intervals import bootstrap_mean
from benchmarks.metrics.quality import psnr
from benchmarks.runner.cache import package_versions
from watermark.imaging import read_image

SIDE = 512
BAND = 0.05
_CLEAN = "no attack"
_KEY = bytes(32)  # none of the methods has one

# Mean bit accuracy over 1000 pictures; Shilin-LU/VINE:data_release, CSV "[Distortion Measure]". The settings of a
# family stand in the order of the preset ``wbench``.
PUBLISHED: dict[str, dict[str, tuple[float, ...]]] = {
    "dwtDct": {
        "blurring": (0.6695, 0.4943, 0.4899, 0.4904, 0.4912),
        "brightness": (0.8667, 0.8156, 0.5915, 0.4520, 0.4611),
        "compression": (0.4921, 0.4951, 0.4916, 0.4921, 0.4996),
        "contrast": (0.8663, 0.8175, 0.6608, 0.4598, 0.4519),
        "noise": (0.8627, 0.8401, 0.7114, 0.5055, 0.4123),
    },
    "dwtDctSvd": {
        "blurring": (1.0, 0.7681, 0.5704, 0.5099, 0.4877),
        "brightness": (0.6450, 0.5926, 0.5504, 0.5529, 0.5163),
        "compression": (0.4631, 0.5357, 0.5030, 0.7543, 0.8569),
        "contrast": (0.6675, 0.6200, 0.5504, 0.5603, 0.5494),
        "noise": (1.0, 0.9994, 0.9974, 0.9735, 0.7310),
    },
    "rivaGan": {
        "blurring": (0.9986, 0.9785, 0.7766, 0.5791, 0.5192),
        "brightness": (0.9981, 0.9959, 0.9913, 0.9842, 0.9740),
        "compression": (0.6505, 0.8679, 0.9496, 0.9815, 0.9931),
        "contrast": (0.9982, 0.9969, 0.9937, 0.9885, 0.9811),
        "noise": (0.9986, 0.9973, 0.9881, 0.9581, 0.9081),
    },
}
_PUBLISHED_PSNR = {"dwtDct": 40.46, "dwtDctSvd": 40.40, "rivaGan": 40.43}
_MAKERS: dict[str, Callable[[], Method]] = {
    "dwtDct": partial(DwtDct, message_bits=30),
    "dwtDctSvd": partial(DwtDctSvd, message_bits=30),
    "rivaGan": RivaGan,
}


def message(bits: int) -> Bits:
    """The first bits of the ASCII text ``Hello``, the highest of a byte first."""
    return np.unpackbits(np.frombuffer(b"Hello", dtype=np.uint8))[:bits]


def published(method: str) -> dict[str, float]:
    """Published mean bit accuracy by label of the preset's rows."""
    left = {family: iter(values) for family, values in PUBLISHED[method].items()}
    return {row.label: next(left[row.family]) for row in PRESETS["wbench"].rows}


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


def measure(method: Method, name: str, host: Pixels) -> dict[str, Any]:
    """One picture: the PSNR of its mark in dB, and how many bits are read rightly after each attack."""
    sent = message(method.message_bits)
    marked = method.embed(host, sent, _KEY)

    def right(pixels: Pixels) -> int:
        bits = method.detect(pixels, _KEY).bits
        assert bits is not None  # none of them ever abstains
        return int(np.count_nonzero(bits == sent))

    image = to_tensor(marked)
    attacked = {row.label: right(to_pixels(row.attack.apply(image))) for row in PRESETS["wbench"].rows}
    return {
        "image": name,
        "sha256": hashlib.sha256(host.tobytes()).hexdigest(),
        "psnr": round(psnr(host, marked), 3),
        "right": {_CLEAN: right(marked), **attacked},
    }


def run(method: Method, folder: Path, minutes: float) -> dict[str, Any]:
    """All pictures, or as many as the time allows, at least two: one has no interval."""
    end = time.monotonic() + 60 * minutes
    images = []
    for name, host in pictures(folder):
        images.append(measure(method, name, host))
        print(f"{method.name} {len(images)} {name} {images[-1]['psnr']} dB", file=sys.stderr)
        if len(images) >= 2 and time.monotonic() > end:
            break
    return {
        "version": method.version,
        "versions": package_versions(),
        "message_bits": method.message_bits,
        "images": images,
    }


def accuracies(result: dict[str, Any], label: str) -> list[float]:
    """Bit accuracy of each picture after one attack."""
    return [image["right"][label] / result["message_bits"] for image in result["images"]]


def differences(name: str, result: dict[str, Any]) -> dict[str, float]:
    """Measured less published mean bit accuracy, by label."""
    return {label: fmean(accuracies(result, label)) - value for label, value in published(name).items()}


def page(results: dict[str, Any]) -> str:
    """The whole comparison as Markdown."""
    found = {name: differences(name, result) for name, result in results["methods"].items()}
    lines = [
        "# Validation: peers against their published numbers",
        "",
        "Generated by `python -m benchmarks.validate_peers --table`; do not edit.",
        "",
        "W-Bench's distortion table (Shilin-LU/VINE, `data_release`), mean bit accuracy over 1000 pictures, beside the",
        "same methods and settings measured by this benchmark: methods from the package index through",
        "`benchmarks/methods`, attacks of the preset `wbench`. The pictures are others: photographs, centre square at",
        "512 x 512 pixels, 8 bits between the steps. One message for all, as in W-Bench. JPEG is 4:2:0, blur is PIL's",
        "radius, noise has the standard deviation of values in [0, 1]. Intervals are 95 % (percentile bootstrap over",
        "pictures), too narrow for fewer than 20; they say nothing about W-Bench's own pictures or other messages.",
        "",
        "| method | bits | pictures | PSNR dB (published) | no attack "
        f"| settings within {BAND:g} | mean difference | largest difference |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, result in results["methods"].items():
        sizes = {label: abs(value) for label, value in found[name].items()}
        worst = max(sizes, key=lambda label: sizes[label])
        within = sum(size <= BAND for size in sizes.values())
        mean_psnr = fmean(image["psnr"] for image in result["images"])
        lines.append(
            f"| {name} {result['version']} | {result['message_bits']} | {len(result['images'])} "
            f"| {mean_psnr:.2f} ({_PUBLISHED_PSNR[name]:.2f}) | {fmean(accuracies(result, _CLEAN)):.3f} "
            f"| {within} of {len(sizes)} | {fmean(sizes.values()):.3f} | {sizes[worst]:.3f} ({worst}) |"
        )
    lines += ["", "Differences are measured less published; those in the last two columns are taken without sign."]
    for name, result in results["methods"].items():
        lines += [
            "",
            f"## {name}",
            "",
            "| setting | unit and parameter | published | measured | difference |",
            "|---|---|---|---|---|",
        ]
        values = published(name)
        for row in PRESETS["wbench"].rows:
            read = accuracies(result, row.label)
            low, high = bootstrap_mean(read)
            outside = "" if abs(found[name][row.label]) <= BAND else " **outside**"
            lines.append(
                f"| {row.label} | {row.published} | {values[row.label]:.3f} "
                f"| {fmean(read):.3f} ({low:.3f}-{high:.3f}) | {found[name][row.label]:+.3f}{outside} |"
            )
    return "\n".join(lines) + "\n"


def _methods(text: str) -> list[str]:
    """Methods by name, separated by commas."""
    names = text.split(",")
    if unknown := [name for name in names if name not in _MAKERS]:
        raise argparse.ArgumentTypeError(f"no method {', '.join(unknown)}; there are {', '.join(_MAKERS)}")
    return names


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="result, JSON; methods in it are kept")
    parser.add_argument(
        "--data", type=Path, help="folder of images with a manifest.csv; without it nothing is measured"
    )
    parser.add_argument("--methods", type=_methods, default=list(_MAKERS), help="some of them, with commas")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="time for each method")
    parser.add_argument("--table", type=Path, help="Markdown page to write")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    results: dict[str, Any] = {"schema": 1, "methods": {}}
    if arguments.out.exists():
        results = json.loads(arguments.out.read_text(encoding="utf-8"))
    if arguments.data:
        for name in arguments.methods:
            results["methods"][name] = run(_MAKERS[name](), arguments.data, arguments.minutes)
            text = json.dumps(results).replace('{"image"', '\n{"image"')  # a picture a line
            arguments.out.write_text(text + "\n", encoding="utf-8")
    if arguments.table:
        arguments.table.write_text(page(results), encoding="utf-8")


if __name__ == "__main__":
    main()
