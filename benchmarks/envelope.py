"""Measure the operating envelope: share of images whose payload survives each attack.

    python -m benchmarks.envelope --data FOLDER --out RESULT.json [--robustness standard] [--workers 2]

FOLDER holds images and a ``manifest.csv`` (columns ``name``, ``kind``, ``width``, ``height``); those of kind
``photo`` are measured.
Each image gets a key and a random 64-bit payload of its own, drawn from its name. Marked pixels are rounded to
8 bits as a PNG holds them; codecs are real. ``--pairs`` writes host and marked image as PNG, and their list for
``benchmarks/jod.py``. The table is made by ``python -m benchmarks.envelope_table``.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import multiprocessing
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import watermark as wm
from watermark.errors import ImageTooSmall
from watermark.imaging import read_image
from watermark.nets.model import RELEASE, load_card


def name_seed(name: str, purpose: str) -> bytes:
    """32 bytes drawn from an image's name, so that a rerun repeats them."""
    return hashlib.sha256(f"envelope {purpose} {name}".encode()).digest()


def kinds_of_pictures(folder: Path, megapixels: float = 100.0) -> dict[Path, str]:
    """The pictures of a folder up to a size and their kinds, as its manifest has them, largest first.

    One whose size the manifest does not say comes last.

    Raises:
        OSError: there is no manifest.
        KeyError, ValueError: it lacks a column, or a size is no number.
    """
    with (folder / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    sizes = {row["name"]: int(row["width"] or 0) * int(row["height"] or 0) for row in rows}
    rows.sort(key=lambda row: -sizes[row["name"]])
    return {folder / row["name"]: row["kind"] for row in rows if sizes[row["name"]] <= megapixels * 1e6}


def photographs(folder: Path, megapixels: float = 100.0) -> list[Path]:
    """The photographs of a folder up to a size, as its manifest has them, largest first."""
    return [path for path, kind in kinds_of_pictures(folder, megapixels).items() if kind == "photo"]


def measure(path: Path, robustness: str, weights: Path | None, pairs: Path | None) -> dict[str, Any]:
    """Mark one image, attack it in all ways, read every copy.

    Args:
        path: the image.
        robustness: ``low``, ``standard`` or ``high``.
        weights: weights file; the released ones if ``None``.
        pairs: folder for host and marked image as PNG, if wanted.

    Returns:
        What was measured, as plain values.
    """
    import cv2
    import torch

    from attacks import InformedAttack, Knowledge
    from benchmarks.enemy import embedding
    from benchmarks.grid import ENVELOPE

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    key = wm.Key(name_seed(path.name, "key"))
    other = wm.Key(name_seed(path.name, "other key"))
    payload = wm.Payload(name_seed(path.name, "payload")[:8])
    weights = weights or RELEASE
    pixels = read_image(path).pixels
    started = time.perf_counter()
    marked = wm.Embedder(key, robustness, weights=weights).embed(pixels, payload)  # type: ignore[arg-type]
    embed_seconds = time.perf_counter() - started
    if pairs is not None:
        for kind, image in (("host", pixels), ("marked", marked.pixels)):
            Image.fromarray(image).save(pairs / f"{path.stem}.{robustness}.{kind}.png", compress_level=1)
    detector = wm.Detector(key, weights=weights)
    tensor = to_tensor(marked.pixels)
    enemy = Knowledge(embed=embedding(other, wm.Payload(bytes(8))))
    attacks: dict[str, list[dict[str, Any]]] = {}
    for row in ENVELOPE:
        attacks[row.name] = []
        for attack in row.attacks:
            attacked = attack.apply(tensor, enemy) if isinstance(attack, InformedAttack) else attack.apply(tensor)
            attacks[row.name].append(_outcome(detector, to_pixels(attacked), payload))
    nothing = {
        "unmarked": detector.detect(pixels).present,
        "wrong key": wm.Detector(other, weights=weights).detect(marked.pixels).present,
    }
    return {
        "image": path.name,
        "height": pixels.shape[0],
        "width": pixels.shape[1],
        "robustness": robustness,
        "psnr": round(marked.psnr, 3),
        "ssim": round(marked.ssim, 5),
        "strength": marked.strength,
        "read_back": marked.read_back,
        "largest_change": int(np.abs(marked.pixels.astype(np.int32) - pixels.astype(np.int32)).max()),
        "embed_seconds": round(embed_seconds, 3),
        "attacks": attacks,
        "found_where_nothing_is": nothing,
    }


def _outcome(detector: wm.Detector, attacked: NDArray[np.uint8], payload: wm.Payload) -> dict[str, Any]:
    """What is read from one attacked copy; a copy under the detector's minimum is refused, not missed."""
    started = time.perf_counter()
    try:
        found = detector.detect(attacked)
    except ImageTooSmall:
        return {"refused": True}
    return {
        "recovered": found.payload == payload,
        "wrong": found.present and found.payload != payload,
        "bit_errors": found.bit_errors,
        "score": round(found.score, 3),
        "ms": round(1000 * (time.perf_counter() - started), 1),
    }


def to_tensor(pixels: NDArray[Any]) -> Any:
    """RGB pixels (H, W, 3), uint8, to an image (1, 3, H, W) in [0, 1]."""
    import torch

    return torch.from_numpy(pixels).permute(2, 0, 1).unsqueeze(0).float() / 255


def to_pixels(tensor: Any) -> NDArray[np.uint8]:
    """An image (1, 3, H, W) in [0, 1] to RGB pixels (H, W, 3), rounded to uint8."""
    rounded: NDArray[np.uint8] = (tensor[0].permute(1, 2, 0).clamp(0, 1) * 255).round().byte().contiguous().numpy()
    return rounded


def _finished(path: Path, head: dict[str, Any]) -> list[dict[str, Any]]:
    """Results of an unfinished run of the same weights and robustness."""
    if not path.exists():
        return []
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [line["result"] for line in lines if all(line[name] == value for name, value in head.items())]


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of images with a manifest.csv")
    parser.add_argument("--out", type=Path, required=True, help="result, JSON")
    parser.add_argument("--robustness", default="standard", choices=["low", "standard", "high"])
    parser.add_argument("--weights", type=Path, help="weights file; the released ones by default")
    parser.add_argument("--pairs", type=Path, help="folder for host and marked images")
    parser.add_argument("--only", default="", help="images whose name begins so")
    parser.add_argument("--megapixels", type=float, default=100.0, help="largest images measured")
    parser.add_argument("--workers", type=int, default=2, help="processes, one thread each")
    arguments = parser.parse_args()
    paths = [path for path in photographs(arguments.data, arguments.megapixels) if path.name.startswith(arguments.only)]
    if arguments.pairs:
        arguments.pairs.mkdir(parents=True, exist_ok=True)
    job = partial(measure, robustness=arguments.robustness, weights=arguments.weights, pairs=arguments.pairs)
    head = {
        "schema": 1,
        "robustness": arguments.robustness,
        "weights_sha256": load_card(arguments.weights or RELEASE)["sha256"],
    }
    partial_results = arguments.out.with_suffix(".partial")  # a line an image, so that a killed run goes on
    results = _finished(partial_results, head)
    left = [path for path in paths if path.name not in {result["image"] for result in results}]
    with (
        multiprocessing.get_context("spawn").Pool(arguments.workers) as pool,
        partial_results.open("a", encoding="utf-8") as file,
    ):
        for result in pool.imap_unordered(job, left):
            results.append(result)
            file.write(json.dumps({**head, "result": result}) + "\n")
            file.flush()
            print(f"{len(results)}/{len(paths)} {result['image']} {result['psnr']} dB", file=sys.stderr)
    results.sort(key=lambda result: str(result["image"]))
    if arguments.pairs:
        stems = [arguments.pairs / f"{Path(str(result['image'])).stem}.{arguments.robustness}" for result in results]
        pairs = [[f"{stem}.host.png", f"{stem}.marked.png"] for stem in stems]
        (arguments.pairs / f"{arguments.robustness}.json").write_text(json.dumps(pairs))
    lines = ",\n".join(json.dumps(result) for result in results)  # an image a line
    arguments.out.write_text(json.dumps(head)[:-1] + f', "images": [\n{lines}\n]}}\n')
    partial_results.unlink()


if __name__ == "__main__":
    main()
