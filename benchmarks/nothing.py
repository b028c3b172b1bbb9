"""False positives: decode what holds no mark of the key, and count what is found.

    python -m benchmarks.nothing --data FOLDER --out RESULT.json [--keys 40]

Three kinds of pictures: unmarked; marked, read under a wrong key; the same after JPEG 50. Each is read
under many fresh keys, and every reading is *decoded*, also those whose bit energy a detector would not look at twice:
the upright picture, its seven turns and mirror images, and the best registered readings of a full search for one key.
One decode attempt is one reading with all formats: 24 tags compared.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.envelope import name_seed, photographs


def attempt(path: Path, keys: int) -> dict[str, Any]:
    """Decode one picture in all its states under many keys.

    Returns:
        Attempts, tags compared and finds of each state, as plain values.
    """
    import cv2
    import torch

    import watermark as wm
    from attacks import RealJpeg
    from benchmarks.envelope import to_pixels, to_tensor
    from watermark.detect import Detector
    from watermark.imaging import read_image
    from watermark.payload.frame import decode_frame

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    host = read_image(path).pixels
    payload = wm.Payload(name_seed(path.name, "payload")[:8])
    marked = wm.Embedder(wm.Key(name_seed(path.name, "key"))).embed(host, payload).pixels
    coded = to_pixels(RealJpeg(50).apply(to_tensor(marked)))
    counts = {}
    for state, pixels in (("unmarked", host), ("marked, wrong key", marked), ("the same after JPEG 50", coded)):
        count = {"attempts": 0, "tags": 0, "found": 0}
        for number in range(keys):
            key = wm.Key(name_seed(path.name, f"stranger {number}"))
            detector = Detector(key)
            for reading in detector.readings(pixels, "full" if number == 0 else "none"):
                frame, tags = decode_frame(reading.soft, key)
                count["attempts"] += 1
                count["tags"] += tags
                count["found"] += frame is not None
        counts[state] = count
    return {"image": path.name, "states": counts}


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of images with a manifest.csv")
    parser.add_argument("--out", type=Path, required=True, help="result, JSON")
    parser.add_argument("--keys", type=int, default=40, help="keys a picture and state")
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
