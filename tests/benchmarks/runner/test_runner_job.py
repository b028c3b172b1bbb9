"""One job in this process: rows of all kinds, judged right, and reasons instead of gaps."""

from __future__ import annotations

from dataclasses import replace

import fake_methods
import numpy as np
import pytest
from runner_samples import EVERY_KIND, TIER, write_animation, write_folder
from skimage.metrics import peak_signal_noise_ratio

from attacks import Elastic, Flip
from benchmarks.runner import draws
from benchmarks.runner.job import lost, measure
from benchmarks.runner.peak import with_peak
from benchmarks.runner.pictures import find_pictures
from benchmarks.runner.plan import Facts, Plan
from benchmarks.runner.settings import Setting
from benchmarks.runner.tiers import KINDS


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    pictures = find_pictures(write_folder(tmp_path_factory.mktemp("data"), 6))
    return Plan(EVERY_KIND, pictures, ("low-bits", "deaf"))


def job_of(plan, name="low-bits", **changes):
    made = {other: fake_methods.resolve(other) for other in dict.fromkeys((name, "low-bits", "deaf"))}
    methods = {other: Facts(other, method.keyed, method.blind) for other, method in made.items()}
    jobs = plan.jobs(methods, {(other, "default"): None for other in methods})
    job = next(job for job in jobs if job.method == name)
    return replace(job, **changes)


@pytest.fixture(scope="module")
def done(plan):
    return measure(job_of(plan), fake_methods.resolve)


def rows(done, kind):
    return [row for row in done["reads"] if row["kind"] == kind]


def test_marking_is_measured(plan, done) -> None:
    job = job_of(plan)
    host = job.picture.pixels()
    method = fake_methods.LowBits()
    sent = draws.message(0, job.picture.sha256, 0, fake_methods.BITS)
    marked = method.embed(host, sent, job.key)
    row = done["embed"]
    assert row["status"] == "ok"
    assert row["psnr"] == pytest.approx(peak_signal_noise_ratio(host, marked), abs=1e-5)
    assert row["ms"] > 0
    assert row["ms_ssim"] is None  # five scales do not fit in 60 pixels
    assert "ms_ssim" in row["reason"]


def test_marked_copies(plan, done) -> None:
    marked = {row["attack"].split()[0]: row for row in rows(done, "marked")}
    assert list(marked) == ["identity", "gaussian_noise", "crop", "brightness", "flip"]
    assert marked["identity"] | {"ms": 0} == marked["identity"] | {
        "present": True,
        "exact": True,
        "wrong": False,
        "bit_accuracy": 1.0,
        "p": 2.0**-32,
        "psnr": None,
        "shown": 1.0,
        "ms": 0,
    }
    assert not marked["gaussian_noise"]["present"]
    assert marked["gaussian_noise"]["psnr"] == pytest.approx(-20 * np.log10(0.02), abs=0.3)  # but for clipping
    assert marked["crop"]["status"] == "refused"  # 30 px
    assert "32 px" in marked["crop"]["reason"]
    assert marked["flip"]["psnr"] is None  # put back in place, equal
    assert {row["key"] for row in marked.values()} == {draws.key_label(job_of(plan).key)}


def test_no_damage_is_stated_where_no_matrix_says_how_pixels_move(plan) -> None:
    job = job_of(plan, tier=replace(TIER, settings=(Setting(Elastic(9.0)), Setting(Flip()))))
    bent, flipped = measure(job, fake_methods.resolve)["reads"]
    assert (bent["status"], bent["psnr"], bent["shown"]) == ("ok", None, None)
    assert flipped["shown"] == 1.0


def test_nothing_is_found_where_nothing_is(done) -> None:
    for kind, count in (("unmarked", 3), ("wrong_key", 2), ("constant", 9), ("random", 3)):
        assert len(rows(done, kind)) == count
        assert {(row["status"], row["present"], row["exact"]) for row in rows(done, kind)} == {("ok", False, False)}
    (other,) = rows(done, "other_method")
    assert other["attack"] == "marked by deaf"
    assert other["exact"]  # the same format under the same key: what this kind is there to show


def test_forgeries(done) -> None:
    (double,), (average,), (copied,) = (rows(done, kind) for kind in ("double", "average", "copy"))
    assert double["status"] == average["status"] == copied["status"] == "ok"
    assert not double["present"]  # the second mark lies where the first was
    assert not copied["present"]
    assert double["attack"].startswith("overwrite")


def test_strangers_are_the_same_for_all_pictures(plan) -> None:
    keys = []
    for picture in plan.pictures[:2]:
        job = job_of(plan, picture=picture)
        keys.append({row["key"] for row in rows(measure(job, fake_methods.resolve), "wrong_key")})
    assert keys[0] == keys[1]
    assert len(keys[0]) == 2


def test_too_few_pictures(plan) -> None:
    done = measure(job_of(plan, partners=()), fake_methods.resolve)
    assert [rows(done, kind)[0]["status"] for kind in ("average", "copy")] == ["refused", "refused"]


def test_method_without_keys(plan) -> None:
    done = measure(job_of(plan, "deaf"), fake_methods.resolve)
    (row,) = rows(done, "wrong_key")
    assert (row["status"], row["reason"]) == ("refused", "the method has no key")
    assert len(rows(done, "unmarked")) == 1  # more keys would be the same reading again


@pytest.mark.parametrize("name", ["low-bits", "deaf", "claimed"])
def test_a_lost_job_has_the_rows_that_it_should_have_had(plan, name: str) -> None:
    job = job_of(plan, name)
    measured, gone = measure(job, fake_methods.resolve), lost(job, "failed", "worker died")

    def identities(done):
        return [{row[part] for part in ("image", "key", "attack", "kind")} for row in done["reads"]]

    assert identities(gone) == identities(measured)
    assert {row["kind"] for row in gone["reads"]} == set(KINDS)
    assert {(row["status"], row["reason"]) for row in gone["reads"]} == {("failed", "worker died")}


def test_claims_of_nobody_are_compared_with_one_reading(plan, monkeypatch) -> None:
    """The oracle reads again, with each stranger's message claimed."""
    job = job_of(plan, "claimed", tier=replace(EVERY_KIND, kinds=("unmarked", "random"), strangers=20))
    detections = []
    detect = fake_methods.Claimed.detect
    monkeypatch.setattr(fake_methods.Claimed, "detect", lambda *arguments: detections.append(1) or detect(*arguments))
    done = measure(job, fake_methods.resolve)
    assert len(detections) == 2
    for kind in ("unmarked", "random"):
        first, *claims = rows(done, kind)
        assert first["key"] == draws.key_label(job.key)
        assert first["ms"] is not None
        assert len({row["key"] for row in claims}) == 20
        assert {row["ms"] for row in claims} == {None}  # nothing was read
    again = [
        detect(fake_methods.Claimed(), job.picture.pixels(), job.key, draws.message(0, key.hex(), 0, fake_methods.BITS))
        for key in job.strangers
    ]
    found = rows(done, "unmarked")[1:]
    assert [row["score"] for row in found] == pytest.approx([reading.score for reading in again])
    assert [row["p"] for row in found] == pytest.approx([reading.p for reading in again])
    assert len({row["score"] for row in found}) > 3
    assert not any(row["exact"] for row in found)


def test_method_that_raises(plan) -> None:
    done = measure(job_of(plan, "raising", tier=TIER), fake_methods.resolve)
    assert (done["embed"]["status"], done["embed"]["reason"]) == ("failed", "RuntimeError: no idea how")
    assert len(done["reads"]) == len(TIER.settings)
    assert {(row["status"], row["reason"]) for row in done["reads"]} == {
        ("failed", "ValueError: not marked: RuntimeError: no idea how")
    }
    done = measure(job_of(plan, "deaf", tier=TIER), fake_methods.resolve)
    assert done["embed"]["status"] == "ok"
    assert {row["reason"] for row in done["reads"]} == {"ValueError: what?"}


def test_unreadable_image(tmp_path) -> None:
    broken, _ = find_pictures(write_folder(tmp_path, 1, unreadable=True))
    job = Plan(TIER, (broken,), ("low-bits",)).jobs({"low-bits": Facts("low-bits")}, {("low-bits", "default"): None})[0]
    done = measure(job, fake_methods.resolve)
    assert done["embed"]["status"] == "failed"
    assert done["embed"]["reason"].startswith("UnreadableImage: ")
    assert len(done["reads"]) == len(TIER.settings)
    assert str(tmp_path) not in str(done)


def test_picture_of_a_kind_that_is_not_read_is_no_miss(tmp_path) -> None:
    job = Plan(TIER, (write_animation(tmp_path / "moving.gif"),), ("low-bits",)).jobs(
        {"low-bits": Facts("low-bits")}, {("low-bits", "default"): None}
    )[0]
    done = measure(job, fake_methods.resolve)
    assert [row["status"] for row in (done["embed"], *done["reads"])] == ["refused"] * (1 + len(TIER.settings))
    assert "animation" in done["embed"]["reason"]


def test_peak_memory_of_a_call() -> None:
    size = 64 * 2**20
    _, small = with_peak(lambda: None)
    pixels, peak = with_peak(lambda: np.ones(size, np.uint8))
    assert pixels.nbytes == size
    if small is not None and peak is not None:
        assert size * 0.9 < peak - small < size * 2
