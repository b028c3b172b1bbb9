"""Measure the operating envelope: share of images whose payload survives each attack.

    python -m benchmarks.envelope --data FOLDER --out RESULT.json [--robustness standard] [--workers 2]

FOLDER holds images and a ``manifest.csv`` (columns ``name``, ``kind``, ``width``, ``height``); those of kind
``photo`` are measured, or those of ``--kinds``, but not one that cannot be read: its reason is in the result.
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
from benchmarks.envelope_results import write_images
from watermark.errors import ImageError, ImageTooSmall
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


def rgb_pixels(path: Path) -> NDArray[np.uint8]:
    """Pixels as methods are measured on: RGB, uint8, shape (H, W, 3); grey is tripled, alpha dropped, 16 bits rounded.

    Raises:
        ImageError: the file is no picture that can be used.
        OSError: it cannot be opened.
    """
    pixels: NDArray[Any] = read_image(path).pixels
    if pixels.dtype == np.uint16:
        pixels = np.round(pixels / 257.0).astype(np.uint8)
    if pixels.ndim == 2:
        pixels = np.stack([pixels] * 3, axis=2)
    return np.ascontiguousarray(pixels[:, :, :3], dtype=np.uint8)


def measure(path: Path, robustness: str, weights: Path | None, pairs: Path | None) -> dict[str, Any]:
    """Mark one image, attack it in all ways, read every copy.

    Args:
        path: the image.
        robustness: ``low``, ``standard`` or ``high``.
        weights: weights file; the released ones if ``None``.
        pairs: folder for host and marked image as PNG, if wanted.

    Returns:
        What was measured, as plain values; of a picture that cannot be read the name and the reason, as ``refused``.
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
    try:
        pixels = rgb_pixels(path)
    except ImageError as error:
        return {"image": path.name, "refused": str(error).replace(f"{path.parent}/", "")}
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
            attacks[row.name].append(outcome(detector, to_pixels(attacked), payload))
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


def outcome(detector: wm.Detector, attacked: NDArray[np.uint8], payload: wm.Payload) -> dict[str, Any]:
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
    parser.add_argument("--kinds", default="photo", help="kinds of images, separated by commas; others: all but photo")
    parser.add_argument("--only", default="", help="images whose name begins so")
    parser.add_argument("--megapixels", type=float, default=100.0, help="largest images measured")
    parser.add_argument("--workers", type=int, default=2, help="processes, one thread each")
    arguments = parser.parse_args()
    kinds = kinds_of_pictures(arguments.data, arguments.megapixels)
    wanted = set(kinds.values()) - {"photo"} if arguments.kinds == "others" else set(arguments.kinds.split(","))
    paths = [path for path, kind in kinds.items() if kind in wanted and path.name.startswith(arguments.only)]
    if arguments.pairs:
        arguments.pairs.mkdir(parents=True, exist_ok=True)
    job = partial(measure, robustness=arguments.robustness, weights=arguments.weights, pairs=arguments.pairs)
    head = {
        "schema": 1,
        "robustness": arguments.robustness,
        "weights_sha256": load_card(arguments.weights or RELEASE)["sha256"],
    }
    partial_results = arguments.out.with_suffix(".partial")  # a line an image, so that a killed run goes on
    results = [
        result for result in _finished(partial_results, head) if result["image"] in {path.name for path in paths}
    ]
    left = [path for path in paths if path.name not in {result["image"] for result in results}]
    with (
        multiprocessing.get_context("spawn").Pool(arguments.workers) as pool,
        partial_results.open("a", encoding="utf-8") as file,
    ):
        for result in pool.imap_unordered(job, left):
            results.append(result)
            file.write(json.dumps({**head, "result": result}) + "\n")
            file.flush()
            came = result["refused"] if "refused" in result else f"{result['psnr']} dB"
            print(f"{len(results)}/{len(paths)} {result['image']} {came}", file=sys.stderr)
    results.sort(key=lambda result: str(result["image"]))
    refused = {result["image"]: result["refused"] for result in results if "refused" in result}
    results = [result for result in results if "refused" not in result]
    if refused:
        head["refused"] = refused
    if arguments.pairs:
        stems = [arguments.pairs / f"{Path(str(result['image'])).stem}.{arguments.robustness}" for result in results]
        pairs = [[f"{stem}.host.png", f"{stem}.marked.png"] for stem in stems]
        (arguments.pairs / f"{arguments.robustness}.json").write_text(json.dumps(pairs))
    write_images(arguments.out, head, results)
    partial_results.unlink()


if __name__ == "__main__":
    main()
