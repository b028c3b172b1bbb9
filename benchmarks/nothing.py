"""False positives: decode what holds no mark of the key, and count what is found.

    python -m benchmarks.nothing --data FOLDER --out RESULT.json [--keys 44]

Pictures in seven states: unmarked, as they are and after four attacks; marked, read under a wrong key, before and
after JPEG 50. Each is read under many fresh keys, and every reading is *decoded*, also those whose bit energy a
detector would not look at twice: the upright picture, its seven turns and mirror images, and for one key all readings
of a full search. One decode attempt is one reading with all formats: 24 tags compared. A picture's residual is
estimated once a state, as that needs no key, and the readings of a key are decoded together.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import watermark as wm
from attacks import Attack, Crop, GaussianNoise, RealJpeg, Rotate
from benchmarks.envelope import name_seed, photographs, to_pixels, to_tensor
from watermark.carriers import Carriers
from watermark.detect import estimate_residual
from watermark.imaging import read_image
from watermark.nets.model import load_model
from watermark.payload.frame import decode_frames
from watermark.registration.geometry import DIHEDRAL, centred
from watermark.registration.search import Listener
from watermark.working import Pixels, reduced_luma

ATTACKS: dict[str, Attack] = {
    "JPEG 50": RealJpeg(50),
    "rotation 5": Rotate(5),
    "crop .71": Crop(0.71),
    "noise .04": GaussianNoise(0.04),
}


def states(path: Path) -> dict[str, Pixels]:
    """The picture in all its states, by their names: RGB pixels."""
    host = read_image(path).pixels
    payload = wm.Payload(name_seed(path.name, "payload")[:8])
    marked = wm.Embedder(wm.Key(name_seed(path.name, "key"))).embed(host, payload).pixels
    tensor = to_tensor(host)
    return {
        "unmarked": host,
        **{f"unmarked, {name}": to_pixels(attack.apply(tensor)) for name, attack in ATTACKS.items()},
        "marked, wrong key": marked,
        "the same after JPEG 50": to_pixels(ATTACKS["JPEG 50"].apply(to_tensor(marked))),
    }


def soft_bits(estimate: NDArray[np.float32], carriers: Carriers) -> NDArray[np.float32]:
    """Soft bits (8, 256) that a key's detector hears first: the picture upright, its turns and mirror images.

    Args:
        estimate: of the picture's residual, shape (h, w).
        carriers: of the key.
    """
    listener = Listener(estimate, carriers, load_model().receive)
    readings = (listener.read(centred(orientation, *estimate.shape)) for orientation in DIHEDRAL)
    return np.array([reading.soft for reading in readings if reading is not None])


def attempt(path: Path, keys: int) -> dict[str, Any]:
    """Decode one picture in all its states under many keys.

    Args:
        path: the picture.
        keys: how many; a full search is made for the first.

    Returns:
        Attempts, tags compared and finds of each state, as plain values.
    """
    import cv2
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    pictures = states(path)
    estimates = {state: estimate_residual(load_model(), reduced_luma(pixels)) for state, pixels in pictures.items()}
    counts = {state: {"attempts": 0, "tags": 0, "found": 0} for state in pictures}
    for number in range(keys):
        key = wm.Key(name_seed(path.name, f"stranger {number}"))
        carriers = Carriers.from_key(key)
        for state, pixels in pictures.items():
            if number == 0:
                soft = np.array([reading.soft for reading in wm.Detector(key).readings(pixels)])
            else:
                soft = soft_bits(estimates[state], carriers)
            for frame, tags in decode_frames(soft, key):
                counts[state]["attempts"] += 1
                counts[state]["tags"] += tags
                counts[state]["found"] += frame is not None
    return {"image": path.name, "states": counts}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of images with a manifest.csv")
    parser.add_argument("--out", type=Path, required=True, help="result, JSON")
    parser.add_argument("--keys", type=int, default=44, help="keys a picture")
    parser.add_argument("--only", default="", help="images whose name begins so")
    parser.add_argument("--workers", type=int, default=2, help="processes, one thread each")
    arguments = parser.parse_args()
    paths = [path for path in photographs(arguments.data) if path.name.startswith(arguments.only)]
    results = []
    with multiprocessing.get_context("spawn").Pool(arguments.workers) as pool:
        for result in pool.imap_unordered(partial(attempt, keys=arguments.keys), paths):
            results.append(result)
            print(f"{len(results)}/{len(paths)} {result['image']}", file=sys.stderr)
    results.sort(key=lambda result: str(result["image"]))
    total = {
        name: sum(state[name] for result in results for state in result["states"].values())
        for name in ("attempts", "tags", "found")
    }
    arguments.out.write_text(json.dumps({"schema": 1, "total": total, "images": results}, indent=1) + "\n")
    print(json.dumps(total))


if __name__ == "__main__":
    main()
