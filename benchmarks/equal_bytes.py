"""Measure the envelope's row "AVIF in as many bytes as WebP 50": the codecs compared at equal bits per pixel.

    python -m benchmarks.equal_bytes --pairs FOLDER --data FOLDER --out RESULT.json [--robustness standard]

``--pairs`` is the folder of marked images that ``python -m benchmarks.envelope --pairs`` left, ``--data`` the one
that it measured. Each marked image is coded as AVIF at the highest quality that takes no more bytes than WebP 50 does,
headers included, and read blindly with full search under its own key.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from bisect import bisect_right
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from statistics import median
from typing import Any

from PIL import Image

import watermark as wm
from attacks import Avif
from attacks.codecs import encode
from benchmarks.envelope import name_seed, outcome, photographs, to_pixels, to_tensor
from benchmarks.envelope_results import write_images
from benchmarks.metrics.intervals import wilson
from watermark.imaging import read_image
from watermark.nets.model import RELEASE, load_card

_WEBP_QUALITY = 50


def closest_quality(size: Callable[[int], int], limit: int) -> int:
    """The highest quality, 1 to 100, whose file is no larger than ``limit``; 1 if none is.

    Args:
        size: bytes of the file at a quality; never falls as quality rises.
        limit: in bytes.

    Example:
        >>> closest_quality(lambda quality: 100 + quality, 155)
        55
    """
    return max(1, bisect_right(range(1, 101), limit, key=size))


def measure(path: Path, pairs: Path, robustness: str) -> dict[str, Any]:
    """Code the marked copy of one image as AVIF in as many bytes as WebP takes, and read it.

    Args:
        path: the unmarked image, whose name gives the key and the payload.
        pairs: folder with its marked copy.
        robustness: at which it was marked.

    Returns:
        Bytes and bits per pixel of both, the quality, and what :func:`benchmarks.envelope.outcome` says.

    Raises:
        UnreadableImage: there is no marked copy.
    """
    import cv2
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    marked = read_image(pairs / f"{path.stem}.{robustness}.marked.png").pixels
    picture = Image.fromarray(marked)

    @cache
    def size(quality: int) -> int:
        return len(encode(picture, "AVIF", quality=quality, max_threads=1))  # as the attack codes

    webp_bytes = len(encode(picture, "WEBP", quality=_WEBP_QUALITY))
    quality = closest_quality(size, webp_bytes)
    detector = wm.Detector(wm.Key(name_seed(path.name, "key")))
    payload = wm.Payload(name_seed(path.name, "payload")[:8])
    return {
        "image": path.name,
        "height": marked.shape[0],
        "width": marked.shape[1],
        "webp_bytes": webp_bytes,
        "webp_bits_per_pixel": round(8 * webp_bytes / (picture.width * picture.height), 4),
        "avif_quality": quality,
        "avif_bytes": size(quality),
        "avif_bits_per_pixel": round(8 * size(quality) / (picture.width * picture.height), 4),
        **outcome(detector, to_pixels(Avif(quality).apply(to_tensor(marked))), payload),
    }


def total(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Recovered images with the Wilson interval of their share, qualities, and how many were larger even at 1."""
    recovered = sum(result["recovered"] for result in results)
    qualities = [result["avif_quality"] for result in results]
    return {
        "images": len(results),
        "recovered": recovered,
        "wilson": [round(bound, 4) for bound in wilson(recovered, len(results))],
        "quality": {"lowest": min(qualities), "median": median(qualities), "highest": max(qualities)},
        "larger_even_at_1": sum(result["avif_bytes"] > result["webp_bytes"] for result in results),
    }


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, required=True, help="folder of marked images")
    parser.add_argument("--data", type=Path, required=True, help="folder of images with a manifest.csv")
    parser.add_argument("--out", type=Path, required=True, help="result, JSON")
    parser.add_argument("--robustness", default="standard", choices=["low", "standard", "high"])
    parser.add_argument("--workers", type=int, default=2, help="processes, one thread each")
    parser.add_argument("--only", default="", help="images whose name begins so")
    parser.add_argument("--megapixels", type=float, default=100.0, help="largest images measured")
    arguments = parser.parse_args()
    paths = [path for path in photographs(arguments.data, arguments.megapixels) if path.name.startswith(arguments.only)]
    job = partial(measure, pairs=arguments.pairs, robustness=arguments.robustness)
    results = []
    with multiprocessing.get_context("spawn").Pool(arguments.workers) as pool:
        for result in pool.imap_unordered(job, paths):
            results.append(result)
            print(f"{len(results)}/{len(paths)} {result['image']} quality {result['avif_quality']}", file=sys.stderr)
    head = {
        "schema": 1,
        "robustness": arguments.robustness,
        "weights_sha256": load_card(RELEASE)["sha256"],
        "total": total(results),
    }
    write_images(arguments.out, head, results)


if __name__ == "__main__":
    main()
