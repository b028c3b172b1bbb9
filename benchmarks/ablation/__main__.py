"""The ablation of training, from pictures to a page.

    python -m benchmarks.ablation run --data FOLDER --val FOLDER --out build/ablation [--steps 500] [--jod PYTHON]
    python -m benchmarks.ablation table

``run`` trains the arms, measures each on held-out photographs, and writes OUT/ablation.json after every arm. A killed
run goes on where it stopped: training from its checkpoint, measuring from the last finished arm. One thread.
``table`` writes the page from a result.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from pathlib import Path

import cv2
import torch

from benchmarks.ablation.arms import ARMS, RECIPE, Arm, trained_as
from benchmarks.ablation.mark import Marker
from benchmarks.ablation.measure import Bench, measure
from benchmarks.ablation.pieces import held_out_pieces, training_pieces
from benchmarks.ablation.results import (
    Ablation,
    ArmResult,
    Conditions,
    read_ablation,
    read_arm,
    read_conditions,
    write,
)
from benchmarks.ablation.table import TRAINING_FIGURES, page
from benchmarks.ablation.train import train, write_start
from benchmarks.envelope import photographs
from benchmarks.runner.cache import source_sha256
from watermark import training
from watermark.nets.model import load_card
from watermark.training.checkpoint import METRICS, read_metrics


def run(arguments: argparse.Namespace) -> None:
    """Train and measure arms.

    Raises:
        SystemExit: OUT holds an ablation under other conditions.
    """
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    start = out / "start.safetensors"
    if not start.with_suffix(".json").exists():
        write_start(start)
    found = [path for path in photographs(arguments.val) if path.name.startswith(arguments.only)]
    held_out = sorted(found)[: arguments.images]
    bench = Bench(held_out, training_pieces(arguments.data, arguments.pairs), held_out_pieces(held_out), arguments.jod)
    conditions = Conditions(
        steps=arguments.steps,
        start_sha256=load_card(start)["sha256"],
        pairs=len(bench.training_pieces),
        jod=arguments.jod is not None,
        images=[path.name for path in held_out],
        pictures_sha256=_sha256(bench.training_pieces.tobytes(), *(path.read_bytes() for path in held_out)),
        recipe_sha256=_sha256(RECIPE.read_bytes()),
        source_sha256=source_sha256(Path(training.__path__[0]), Path(__file__).parent),
    )
    stated = out / "conditions.json"
    if stated.exists() and read_conditions(stated) != conditions:
        raise SystemExit(f"{out} holds an ablation under other conditions ({stated}); give another --out")
    write(stated, conditions)
    for arm in arguments.arms:
        if not _result(out, arm).exists():
            started = time.monotonic()
            write(_result(out, arm), _run_arm(arm, arguments, start, bench))
            print(f"{arm.name}: done in {time.monotonic() - started:.0f} s", file=sys.stderr)
        finished = [read_arm(_result(out, arm)) for arm in ARMS if _result(out, arm).exists()]
        write(out / "ablation.json", Ablation(conditions, finished))


def _sha256(*parts: bytes) -> str:
    """Of all parts, each by its own SHA-256."""
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def _result(out: Path, arm: Arm) -> Path:
    return out / f"{arm.folder}.json"


def _run_arm(arm: Arm, arguments: argparse.Namespace, start: Path, bench: Bench) -> ArmResult:
    trained = trained_as(arm)
    folder = arguments.out / trained.folder
    weights = train(trained, arguments.steps, arguments.data, start, folder)
    last = read_metrics(folder / METRICS)[-1]
    points = measure(Marker(weights, arm.shaped), bench, arguments.out / "marked" / arm.folder)
    return ArmResult(
        arm.name, load_card(weights)["sha256"], {name: last.get(name) for name in TRAINING_FIGURES}, points
    )


def _arms(text: str) -> list[Arm]:
    """Arms by name, separated by commas."""
    known = {arm.name: arm for arm in ARMS}
    unknown = [name for name in text.split(",") if name not in known]
    if unknown:
        raise argparse.ArgumentTypeError(f"no arm {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[name] for name in text.split(",")]


def main(options: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    runs = commands.add_parser("run", help="train and measure")
    runs.add_argument("--data", type=Path, required=True, help="folder of training pictures, as for `watermark train`")
    runs.add_argument("--val", type=Path, required=True, help="folder of held-out images with a manifest.csv")
    runs.add_argument("--out", type=Path, required=True, help="folder for runs and results")
    runs.add_argument("--steps", type=int, default=500, help="of training an arm")
    runs.add_argument("--arms", type=_arms, default=list(ARMS), help="some arms only, by name, separated by commas")
    runs.add_argument("--jod", type=Path, help="interpreter of an environment of benchmarks/jod_environment.sh")
    runs.add_argument("--only", default="kodim", help="held-out images whose name begins so")
    runs.add_argument("--images", type=int, help="of those, the first so many; all by default")
    runs.add_argument("--pairs", type=int, default=600, help="of cover and marked picture that train a steganalyser")
    runs.set_defaults(command=run)
    tables = commands.add_parser("table", help="write the page")
    tables.add_argument("--result", type=Path, default=Path("benchmarks/results/ablation.json"))
    tables.add_argument("--page", type=Path, default=Path("docs/ablation.md"))
    tables.set_defaults(command=lambda arguments: arguments.page.write_text(page(read_ablation(arguments.result))))
    arguments = parser.parse_args(options)
    arguments.command(arguments)


if __name__ == "__main__":
    main()
