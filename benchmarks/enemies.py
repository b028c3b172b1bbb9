"""Measure enemies who have code, weights and other pictures, and write their tables into docs/threat-model.md.

    python -m benchmarks.enemies --data FOLDER --out RESULT.json [--only kodim01,kodim02] [--workers 1]
    python -m benchmarks.enemies --out RESULT.json --table

FOLDER holds images and a ``manifest.csv``, as ``benchmarks.envelope`` wants them. Each photograph of ``--only`` gets a
key and a payload of its own at standard robustness; marks are forged into the next one. Other photographs of the
folder, up to a megapixel and brought to its size, are those that an enemy has with one key and payload. Attacked pixels
are rounded to 8 bits and read blindly with full search. ``--table`` measures nothing and writes the tables anew.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import cv2
import torch

import watermark as wm
from benchmarks.enemy_rows import ROWS, Scene, fitted
from benchmarks.envelope import outcome, photographs, rgb_pixels, to_pixels, to_tensor
from benchmarks.envelope_results import write_images
from benchmarks.metrics.intervals import wilson
from benchmarks.metrics.quality import psnr
from benchmarks.page_part import with_part
from benchmarks.report.markdown import markdown_table
from watermark.nets.model import RELEASE, load_card

MARKS = ("<!-- enemies: made by benchmarks.enemies -->\n", "<!-- end of enemies -->\n")
_ONLY = "kodim0,kodim10,kodim11,kodim12"
_PARTNERS = 16


def measure(job: tuple[Path, Path], partners: tuple[Path, ...]) -> dict[str, Any]:
    """Mark one picture, attack it in all ways, read every copy.

    Args:
        job: the picture, and the one that its mark is forged into.
        partners: pictures that an enemy has with one key and payload.

    Returns:
        What :func:`benchmarks.envelope.outcome` says of each row, with the PSNR of the attacked against the picture
        before in dB, ``None`` where both are equal.
    """
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    path, other = job
    host = to_tensor(rgb_pixels(path))
    scene = Scene(path.name, host, fitted(other, *host.shape[2:]), partners)
    rows = {}
    for row in ROWS:
        before, after = (to_pixels(image) for image in row.apply(scene))
        key, payload = row.reader(path.name)
        changed = round(psnr(before, after), 3) if (before != after).any() else None
        rows[row.name] = {"psnr": changed, **outcome(wm.Detector(key), after, payload)}
    return {"image": path.name, "rows": rows}


def tables(images: list[dict[str, Any]]) -> str:
    """What the marks stand, and the forgeries, as Markdown."""
    wrong = sum(read["wrong"] for image in images for read in image["rows"].values())
    lines = []
    for forged, head in ((False, "still read"), (True, "reads as marked")):
        cells = []
        for row in ROWS:
            if row.forged == forged:
                reads = [image["rows"][row.name] for image in images]
                hits = sum(read["recovered"] for read in reads)
                low, high = wilson(hits, len(reads))
                damages = [read["psnr"] for read in reads if read["psnr"] is not None]
                damage = f"{fmean(damages):.1f}" if damages else ""
                cells.append([row.name, damage, f"{hits} of {len(reads)} ({100 * low:.0f}-{100 * high:.0f} %)"])
        lines += [*markdown_table(["forgery" if forged else "attack", "PSNR dB", head], cells), ""]
    return "\n".join([*lines, f"Wrong payloads read: {wrong}.", ""])


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of images with a manifest.csv")
    parser.add_argument("--out", type=Path, required=True, help="result, JSON")
    parser.add_argument("--only", default=_ONLY, help="beginnings of the names of two images or more")
    parser.add_argument("--workers", type=int, default=1, help="processes, one thread each")
    parser.add_argument("--page", type=Path, default=Path("docs/threat-model.md"), help="page with the tables")
    parser.add_argument("--table", action="store_true", help="write the tables from the stored result only")
    arguments = parser.parse_args()
    if not arguments.table:
        if arguments.data is None:
            parser.error("give --data, or --table")
        _write(arguments.data, arguments.out, tuple(arguments.only.split(",")), arguments.workers)
    page = arguments.page.read_text(encoding="utf-8")
    text = tables(json.loads(arguments.out.read_text())["images"])
    arguments.page.write_text(with_part(page, MARKS, text), encoding="utf-8")


def _write(data: Path, out: Path, only: tuple[str, ...], workers: int) -> None:
    """Measure, and write the result."""
    paths = [path for path in photographs(data) if path.name.startswith(only)]
    partners = tuple(path for path in photographs(data, megapixels=1.0) if path not in paths)[:_PARTNERS]
    if len(paths) < 2 or len(partners) < _PARTNERS:
        raise SystemExit(
            f"enemies need two pictures and {_PARTNERS} others of a megapixel at most, but {data} has {len(paths)} "
            f"whose names begin with {' or '.join(only)}, and {len(partners)} others"
        )
    jobs = list(zip(paths, [*paths[1:], *paths[:1]], strict=True))  # none of the partners: those the enemy knows
    images = []
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        for image in pool.imap_unordered(partial(measure, partners=partners), jobs):
            images.append(image)
            print(f"{len(images)}/{len(paths)} {image['image']}", file=sys.stderr)
    head = {
        "schema": 1,
        "robustness": "standard",
        "weights_sha256": load_card(RELEASE)["sha256"],
        "partners": [path.name for path in partners],
    }
    write_images(out, head, images)


if __name__ == "__main__":
    main()
