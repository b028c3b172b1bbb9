"""What a run draws and names depends on what it belongs to, and on nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from runner_samples import TIER, write_folder

from attacks import Chain, Crop, GaussianNoise, MedianBlur, PrintScan, RealJpeg, SaltPepperNoise
from benchmarks.runner import draws
from benchmarks.runner.pictures import BUNDLED, Picture, find_pictures
from benchmarks.runner.plan import PARTNERS, Facts, Plan
from benchmarks.runner.settings import IDENTITY, Setting
from benchmarks.runner.tiers import CORE, EQUAL, TIERS
from watermark.cli import bench
from watermark.errors import UsageError


def test_draws_are_fair_and_apart() -> None:
    bits = np.concatenate([draws.message(0, f"picture {index}", 0, 64) for index in range(400)])
    assert abs(bits.mean() - 0.5) < 4 * 0.5 / np.sqrt(bits.size)  # four standard deviations
    parts = [(seed, purpose, part) for seed in (0, 1) for purpose in ("key", "message") for part in ("a", "b", "ab")]
    assert len({draws.draw(*part) for part in parts}) == len(parts)
    assert draws.draw(0, "key", "a", "b") != draws.draw(0, "key", "ab")
    assert 0 <= draws.number(0, "attack", "a") < 2**31


def test_shorter_message_begins_a_longer_one() -> None:
    long = draws.message(3, "picture", 1, 100)
    assert long.shape == (100,)
    assert np.array_equal(draws.message(3, "picture", 1, 30), long[:30])


def test_seeds_of_an_attack() -> None:
    setting = Setting(Chain((GaussianNoise(0.1, seed=7), Crop(0.5), SaltPepperNoise(0.1))))
    attack = setting.for_image(0, "picture", 0)
    assert isinstance(attack, Chain)
    first, _, last = attack.attacks
    assert first.seed != last.seed  # what they draw is not the same noise twice
    assert setting.for_image(0, "picture", 0) == attack
    others = [
        setting.for_image(1, "picture", 0),
        setting.for_image(0, "another", 0),
        setting.for_image(0, "picture", 1),
    ]
    assert all(other != attack for other in others)
    assert Setting(Chain((GaussianNoise(0.1), Crop(0.5), SaltPepperNoise(0.1)))).id == setting.id  # seeds are no part
    image = torch.full((1, 3, 8, 8), 0.5)
    assert torch.equal(attack.apply(image), setting.for_image(0, "picture", 0).apply(image))


def test_ids_name_what_is_done() -> None:
    assert IDENTITY.id == "identity"
    assert Setting(RealJpeg(60)).id == "real_jpeg quality=60 subsampling=4:2:0"
    assert Setting(Chain((MedianBlur(3), Crop(0.25)))).id == "median_blur kernel=3 > crop side=0.25 x=0.5 y=0.5"
    assert Setting(Crop(1 / 3)).id != Setting(Crop(0.333333)).id
    row = Setting(Chain((GaussianNoise(1.0),))).row()
    assert row["parameters"] == {"attacks": [{"name": "gaussian_noise", "parameters": {"sigma": 1.0}}]}
    row = Setting(PrintScan()).row()
    assert "seed" not in row["parameters"]
    assert (row["name"], row["family"]) == ("print_scan", "pipeline")
    assert [Setting(attack).row()["changes_size"] for attack in (Chain(()), Chain((Crop(0.5),)), Crop(0.5))] == [
        False,
        True,
        True,
    ]


@pytest.mark.parametrize("tier", TIERS.values(), ids=lambda tier: tier.name)
def test_tiers(tier) -> None:
    ids = [setting.id for setting in tier.settings]
    assert len(set(ids)) == len(ids)
    assert "identity" in ids
    assert set(tier.null_settings) <= set(tier.settings)
    assert bool(tier.null_settings) == ("unmarked" in tier.kinds)


@pytest.mark.parametrize(("tier", "fewest", "most"), [(CORE, 40, 80), (EQUAL, 14, 24)], ids=["core", "equal"])
def test_tiers_that_cover_the_families(tier, fewest: int, most: int) -> None:
    families = {setting.attack.facts.family for setting in tier.settings}
    assert families == {"valuemetric", "geometric", "occlusion", "codec", "pipeline", "removal"}
    assert fewest <= len(tier.settings) <= most


def test_equal_is_a_part_of_core() -> None:
    """So that its default point can be read beside the core tier."""
    assert {setting.id for setting in EQUAL.settings} <= {setting.id for setting in CORE.settings}


def test_tiers_of_the_command_line() -> None:
    assert tuple(TIERS) == bench.TIERS


def test_pictures_of_a_folder(tmp_path: Path) -> None:
    pictures = find_pictures(write_folder(tmp_path, 2, unreadable=True))
    assert [(picture.name, picture.width, picture.height) for picture in pictures] == [
        ("broken.png", None, None),
        ("photo0.png", 64, 60),
        ("photo1.png", 65, 60),
    ]
    assert pictures[1].pixels().shape == (60, 64, 3)
    assert find_pictures(None) == (Picture.of(BUNDLED),)


def test_kinds_and_beginnings(tmp_path: Path) -> None:
    """Kinds are those of the manifest; a size that it does not say leaves a picture in."""
    write_folder(tmp_path, 2)
    with (tmp_path / "manifest.csv").open("a") as manifest:
        manifest.write("chart.png,chart,64,60\nodd.heic,format,,\n")

    def found(kinds, only=("",)):
        return {picture.name: picture.kind for picture in find_pictures(tmp_path, kinds, only)}

    assert found(("photo",)) == {"photo0.png": "photo", "photo1.png": "photo"}
    assert found(("chart", "format")) == {"chart.png": "chart", "odd.heic": "format"}
    assert set(found(None)) == {"chart.png", "odd.heic", "photo0.png", "photo1.png"}
    assert set(found(None, ("photo1", "o"))) == {"odd.heic", "photo1.png"}
    with pytest.raises(UsageError, match=r"has no text; it has chart, format, photo$"):
        find_pictures(tmp_path, ("photo", "text"))
    with pytest.raises(UsageError, match="begins with 'chart'"):
        find_pictures(tmp_path, ("photo",), ("photo", "chart"))


def test_grey_alpha_and_16_bits_become_rgb(tmp_path: Path) -> None:
    from PIL import Image

    for mode, expected in (("L", [128] * 3), ("RGBA", [10, 20, 30])):
        Image.new(mode, (4, 4), 128 if mode == "L" else (10, 20, 30, 40)).save(tmp_path / "picture.png")
        pixels = Picture.of(tmp_path / "picture.png").pixels()
        assert pixels.dtype == np.uint8
        assert (pixels == expected).all()
    Image.fromarray(np.full((4, 4), 65535, np.uint16)).save(tmp_path / "picture.png")
    assert (Picture.of(tmp_path / "picture.png").pixels() == 255).all()


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        (None, "has no picture"),
        ("nonsense\n1\n", r"manifest\.csv.*KeyError: 'name'"),
        ("name,kind,width,height\n", "has no picture"),
    ],
)
def test_folder_that_is_no_data(tmp_path: Path, manifest: str | None, reason: str) -> None:
    if manifest is not None:
        (tmp_path / "manifest.csv").write_text(manifest)
    with pytest.raises(UsageError, match=reason):
        find_pictures(tmp_path)
    with pytest.raises(UsageError, match=r"must be a folder of pictures.*FileNotFoundError"):
        find_pictures(tmp_path / "nowhere")


def test_jobs(tmp_path: Path) -> None:
    pictures = find_pictures(write_folder(tmp_path, 6))
    plan = Plan(TIER, pictures, ("a", "b"), ("default", "psnr 42"))
    strengths = {("a", "default"): None, ("a", "psnr 42"): 42.5, ("b", "default"): None, ("b", "psnr 42"): "none"}
    jobs = plan.jobs({"a": Facts("A"), "b": Facts("B")}, strengths)
    assert len(jobs) == 2 * 2 * 6
    assert [(job.label, job.point, job.strength, job.reason) for job in jobs[::6]] == [
        ("A", "default", None, None),
        ("A", "psnr 42", 42.5, None),
        ("B", "default", None, None),
        ("B", "psnr 42", None, "none"),
    ]
    assert len({job.key for job in jobs}) == 6  # a key for each picture, whatever the method and the point
    for job in jobs:
        assert len(set(job.partners) - {job.picture}) == PARTNERS
    turned = Plan(TIER, pictures[::-1], ("b", "a")).jobs({"b": Facts("B"), "a": Facts("A")}, strengths)
    assert {(job.key, job.partners, job.picture) for job in turned} == {
        (job.key, job.partners, job.picture) for job in jobs
    }


def test_partners_are_pictures_that_are_measured(tmp_path: Path) -> None:
    pictures = find_pictures(write_folder(tmp_path, 3, unreadable=True))
    plan = Plan(replace(TIER, megapixels=65 * 60 / 1e6), pictures, ("a",))  # photo2.png is 66 x 60
    jobs = plan.jobs({"a": Facts("A")}, {("a", "default"): None})
    partners = {job.picture.name: sorted(partner.name for partner in job.partners) for job in jobs}
    assert (partners["photo0.png"], partners["photo1.png"]) == (["photo1.png"], ["photo0.png"])
    assert {job.picture.name: job.reason for job in jobs} == {
        "broken.png": None,
        "photo0.png": None,
        "photo1.png": None,
        "photo2.png": "larger than the tier's 0.0039 megapixels (0.00396 MP); --megapixels raises it",
    }


def test_causes_of_a_job(tmp_path: Path) -> None:
    pictures = find_pictures(write_folder(tmp_path, 2))
    job = Plan(TIER, pictures, ("a",)).jobs({"a": Facts("A")}, {("a", "default"): None})[0]
    causes = job.causes({"a": {"version": "1"}})
    other_tier = replace(TIER, settings=(*TIER.settings[:-1], Setting(Crop(0.6))))
    changed = [
        job.causes({"a": {"version": "2"}}),
        *(
            replace(job, **change).causes({"a": {"version": "1"}})
            for change in (
                {"seed": 1},
                {"strength": 40.0},
                {"repeat": 1},
                {"picture": pictures[1]},
                {"tier": other_tier},
            )
        ),
    ]
    assert all(other != causes for other in changed)
    moved = replace(job, picture=replace(job.picture, path=Path("elsewhere") / job.picture.name))
    assert moved.causes({"a": {"version": "1"}}) == causes
