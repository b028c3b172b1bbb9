"""Small pictures in a folder with a manifest, a small tier, and a stand-in for workers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PIL import Image
from skimage import data

from attacks import Brightness, Crop, Flip, GaussianNoise
from benchmarks.runner.execute import Outcome, one_line
from benchmarks.runner.pictures import Picture
from benchmarks.runner.settings import IDENTITY, Setting
from benchmarks.runner.tiers import KINDS, Tier

TIER = Tier(
    "tiny",
    (IDENTITY, *map(Setting, (GaussianNoise(0.02), Crop(0.5), Brightness(0.5), Flip("vertical")))),
    null_settings=(IDENTITY,),
)
NULLS = replace(TIER, kinds=("marked", "unmarked", "wrong_key", "constant", "random"), strangers=2)
READINGS = {"marked": len(TIER.settings), "unmarked": 3, "wrong_key": 2, "constant": 3 * 3, "random": 3}  # of a picture
EVERY_KIND = Tier("tiny", TIER.settings, TIER.null_settings, KINDS, strangers=2)


def write_folder(folder: Path, count: int, unreadable: bool = False) -> Path:
    """Photographs of sizes 64 x 60, 65 x 60, ... and a manifest; one more file that is none, if asked for."""
    names = []
    for index in range(count):
        names.append(f"photo{index}.png")
        crop = data.astronaut()[20 * index : 20 * index + 60, 100 : 164 + index]
        Image.fromarray(crop).save(folder / names[-1])
    if unreadable:
        names.append("broken.png")
        (folder / "broken.png").write_bytes(b"no picture at all")
    rows = [f"{name},photo,64,60" for name in names]
    (folder / "manifest.csv").write_text("\n".join(["name,kind,width,height", *rows]) + "\n")
    return folder


def write_animation(path: Path) -> Picture:
    """A picture that is one, 64 x 60, but of a kind that is not read."""
    first, *more = [Image.new("L", (64, 60), level) for level in (0, 128, 255)]
    first.save(path, save_all=True, append_images=more)
    return Picture.of(path, "animated")


class InThisProcess:
    """Does what worker processes do, which take seconds to start and have tests of their own."""

    def __init__(self, function, count, limit) -> None:
        self.function = function

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def outcomes(self, tasks):
        for index, task in enumerate(tasks):
            try:
                yield Outcome(index, self.function(task), None, 0.0)
            except Exception as error:
                yield Outcome(index, None, one_line(error), 0.0)
