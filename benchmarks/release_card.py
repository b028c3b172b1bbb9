"""Turn the weights of a training run into the released weights, with a card that holds what was measured of them.

    python -m benchmarks.release_card weights RUN --data train-open   # copies RUN/model.safetensors to the package
    python -m benchmarks.release_card metrics                         # adds the results of benchmarks/results

Between the two lies ``make envelope``, which measures the weights in the package.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
from collections import Counter
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.envelope_results import Image, load, load_kinds, measured_quality, measured_rows, outcomes
from benchmarks.grid import ENVELOPE, EQUAL_BYTES, QUALITY_TARGETS
from watermark.files import write_atomically
from watermark.nets.model import RELEASE, load_card

NAME = "tile256.first"
_LICENCES_NAMED = 12
_SEEN = (
    "a mottled pattern shows in flat sky at 4 x contrast",  # by eye, in docs/flat_sky.png
    "the discriminator very likely taught these weights nothing",  # its penalty was too heavy, see docs/training.md
)


def describe_data(folder: Path) -> dict[str, Any]:
    """What a data folder with a ``manifest.csv`` holds: images, hash of the manifest, licences by frequency."""
    manifest = folder / "manifest.csv"
    with manifest.open(newline="") as file:
        rows = list(csv.DictReader(file))
    licences = Counter(row["licence"].split(" (")[0] for row in rows).most_common()
    return {
        "name": folder.resolve().name,
        "images": len(rows),
        "manifest_sha256": hashlib.sha256(manifest.read_bytes()).hexdigest(),
        "licences": dict(licences[:_LICENCES_NAMED]),
        "further_licences": len(licences[_LICENCES_NAMED:]),
    }


def metrics(results: dict[str, Any]) -> dict[str, Any]:
    """Missed targets first, then quality and the recovered share of each row at standard robustness."""
    images = results["envelope"]["standard"]
    exact = {
        row: fmean(outcome["recovered"] for outcome in outcomes(images, row.name)) for row in measured_rows(images)
    }
    shares = {row.name: round(share, 4) for row, share in exact.items()}
    quality = measured_quality(results, "standard")
    shown = {name: value if value is None else round(value, 3) for name, value in quality.items()}
    return {
        "missed_targets": {
            **{row.name: shares[row.name] for row, share in exact.items() if share < (row.target or 0)},
            **{
                name: shown[name]
                for name, value in quality.items()
                if value is not None and value < QUALITY_TARGETS[name]
            },
        },
        "images": len(images),
        **shown,
        "false_positives": results.get("nothing", {}).get("total"),
        "recovered_share": shares,
    }


def other_pictures(images: list[Image]) -> dict[str, Any]:
    """Quality and the recovered share of each row at standard robustness.

    Args:
        images: at least 1, no photographs.
    """
    read = {row.name: outcomes(images, row.name) for row in ENVELOPE}
    jods = [image["jod"] for image in images]
    return {
        "images": len(images),
        "mean_psnr_db": round(fmean(image["psnr"] for image in images), 3),
        "mean_jod": round(fmean(jods), 3),
        "worst_jod": round(min(jods), 3),
        "recovered_share": {
            name: round(fmean(outcome["recovered"] for outcome in copies), 4) for name, copies in read.items() if copies
        },
    }


def failures(figures: dict[str, Any]) -> list[str]:
    """What the released weights fail at, a sentence each.

    Every missed target of :func:`metrics`, what was seen, and what :func:`other_pictures` lose of those targets.
    """
    targets = {row.name: row.target for row in (*ENVELOPE, EQUAL_BYTES)} | QUALITY_TARGETS
    missed = figures["missed_targets"]
    others = figures.get("other_pictures", {"recovered_share": {}})["recovered_share"]
    return [
        *(f"{name}: {value:g}, where {targets[name]:g} was asked for" for name, value in missed.items()),
        *_SEEN,
        *(
            f"no photographs, {name}: {share:g}, where {targets[name]:g} was asked of photographs"
            for name, share in others.items()
            if share < (targets[name] or 0)
        ),
    ]


def _write(card: dict[str, Any]) -> None:
    write_atomically(RELEASE.with_suffix(".json"), (json.dumps(card, indent=2) + "\n").encode())


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    weights = commands.add_parser("weights", help="copy the weights of a run into the package")
    weights.add_argument("run", type=Path, help="output folder of `watermark train`")
    weights.add_argument("--data", type=Path, required=True, help="folder that it was trained on")
    weights.add_argument("--pilot-share", type=float, help="share of the energy given to the tones, if not as trained")
    measured = commands.add_parser("metrics", help="add what was measured to the card")
    measured.add_argument("--results", type=Path, default=Path("benchmarks/results"))
    arguments = parser.parse_args()
    if arguments.command == "weights":
        card = load_card(arguments.run / "model.safetensors")
        if arguments.pilot_share is not None:  # the networks treat tones like any carrier
            card["architecture"]["pilot_share"] = arguments.pilot_share
        write_atomically(RELEASE, (arguments.run / "model.safetensors").read_bytes())
        _write(
            {
                "name": NAME,
                "licence": "Apache-2.0",
                "limits": "docs/threat-model.md and docs/envelope.md; short side 128 px or more, still pictures",
                **card,
                "command": "watermark train --data train-open --out RUN --threads 1 --settings PHASE.toml [--resume]",
                "recipes": "watermark/training/recipes",
                "data": describe_data(arguments.data),
            }
        )
    else:
        figures = metrics(load(arguments.results))
        if others := [image for image in load_kinds(arguments.results)[0] if image["kind"] != "photo"]:
            figures["other_pictures"] = other_pictures(others)
        _write({"failures": []} | load_card() | {"failures": failures(figures), "metrics": figures})


if __name__ == "__main__":
    main()
