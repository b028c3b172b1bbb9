"""Training pictures: folders and shards, sources kept together, batches that repeat."""

from __future__ import annotations

import csv
import io
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image

from watermark.errors import SettingsError
from watermark.training.data import Pictures, derive_seed


@pytest.fixture
def shards(tmp_path):
    """120 pictures of 40 sources in two shards, with their manifest; the grey level tells the source."""
    rows = []
    for shard in range(2):
        with tarfile.open(tmp_path / f"shard-{shard}.tar", "w") as archive:
            for number in range(shard * 60, shard * 60 + 60):
                buffer = io.BytesIO()
                Image.new("L", (70, 66), 2 * (number % 40)).save(buffer, "PNG")
                info = tarfile.TarInfo(f"images/{number}.png")
                info.size = len(buffer.getvalue())
                archive.addfile(info, io.BytesIO(buffer.getvalue()))
                rows.append((info.name, "somewhere/pictures", f"source-{number % 40}"))
            note = tarfile.TarInfo("README.txt")
            note.size = 2
            archive.addfile(note, io.BytesIO(b"hi"))
    with (tmp_path / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("name", "source_repo", "source_path"), *rows])
    return tmp_path


def levels(pictures):
    return [int(pictures.luma(index)[0, 0]) for index in range(len(pictures))]


def test_a_folder_is_searched_at_any_depth(folder, photographs):
    pictures = Pictures(folder)
    assert len(pictures) == len(photographs)
    for index, photograph in enumerate([photographs[3], *photographs[:3]]):
        assert np.array_equal(pictures.luma(index), np.asarray(photograph))


def test_shards_are_read_in_place_and_no_source_is_split(shards):
    training, validation = Pictures(shards), Pictures(shards, validation=True)
    assert len(training) + len(validation) == 120
    assert 0 < len(validation) <= 12
    assert set(levels(training)).isdisjoint(levels(validation))
    assert sorted(levels(training) + levels(validation)) == sorted(2 * (number % 40) for number in range(120))
    for level in set(levels(validation)):
        assert levels(validation).count(level) == 3


def test_without_a_manifest_every_picture_is_its_own_source(shards):
    (shards / "manifest.csv").unlink()
    training, validation = Pictures(shards), Pictures(shards, validation=True)
    assert len(training) + len(validation) == 120


def test_large_pictures_are_reduced(tmp_path):
    Image.new("RGB", (5000, 100)).save(tmp_path / "large.png")
    assert Pictures(tmp_path).luma(0).shape == (41, 2048)


@pytest.mark.parametrize("validation", [False, True])
def test_a_folder_without_pictures_is_refused(tmp_path, validation):
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(SettingsError, match="must hold tar shards or images"):
        Pictures(tmp_path, validation=validation)


@pytest.mark.parametrize("content", [b"", b"no picture", None])
def test_a_damaged_picture_is_named(tmp_path, photographs, content):
    path = tmp_path / "broken.png"
    photographs[0].save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(SettingsError, match=r"broken\.png.*remove it"):
        Pictures(tmp_path).luma(0)


def test_the_cache_is_bounded_and_changes_nothing(folder):
    free, bounded = Pictures(folder), Pictures(folder, cache_bytes=30_000)
    for index in (0, 1, 2, 3, 0, 2):
        assert np.array_equal(free.luma(index), bounded.luma(index))
        assert sum(item.nbytes for item in bounded._cache.values()) <= 30_000


def test_crops_are_square_random_and_parts_of_the_picture(tmp_path):
    ramp = np.tile(np.arange(200, dtype=np.uint8), (150, 1))
    Image.fromarray(ramp).save(tmp_path / "ramp.png")
    pictures, generator = Pictures(tmp_path), torch.Generator().manual_seed(1)
    crops = [pictures.crop(0, generator, 64) for _ in range(60)]
    spans, directions = [], set()
    for crop in crops:
        assert crop.shape == (64, 64)
        assert crop.dtype == np.uint8
        slopes = crop[-1].astype(int).mean() - crop[0].mean(), crop[:, -1].astype(int).mean() - crop[:, 0].mean()
        directions.add((round(np.sign(slopes[0])), round(np.sign(slopes[1]))))
        spans.append(int(crop.max()) - int(crop.min()))
    assert directions == {(0, 1), (0, -1), (1, 0), (-1, 0)}  # flipped and transposed
    assert min(spans) >= 0.9 * 0.6 * 150 - 3
    assert max(spans) <= 150
    assert max(spans) - min(spans) > 30


def test_batches_repeat_whatever_was_drawn_before(folder):
    first, second = Pictures(folder), Pictures(folder)
    for _ in range(3):
        second.batch(0, 64, 3, seed=2)
    batch = first.batch(7, 64, 3, seed=1)
    assert batch.shape == (3, 1, 64, 64)
    assert batch.dtype == torch.float32
    assert 0 <= batch.min() < batch.max() <= 1
    assert torch.equal(batch, second.batch(7, 64, 3, seed=1))
    assert not torch.equal(batch, first.batch(8, 64, 3, seed=1))
    assert not torch.equal(batch, first.batch(7, 64, 3, seed=2))


def test_a_part_of_a_batch_is_that_part_of_the_whole(folder):
    pictures = Pictures(folder)
    whole = pictures.batch(2, 64, 6, seed=1)
    for part in (slice(0, 2), slice(2, 6), slice(5, 6)):
        assert torch.equal(Pictures(folder).batch(2, 64, 6, seed=1, part=part), whole[part])


def test_crops_of_one_picture_in_a_batch_differ(tmp_path, photographs):
    photographs[0].save(tmp_path / "photo.png")
    batch = Pictures(tmp_path).batch(0, 64, 6, seed=1)
    assert len({crop.numpy().tobytes() for crop in batch}) == 6


def test_every_pass_shows_every_picture_once(shards):
    """Grey pictures of 40 levels, 3 each, in batches that do not divide their number."""
    pictures = Pictures(shards)
    passes = 7 * len(pictures)
    drawn = torch.cat([pictures.batch(step, 64, 7, seed=1)[:, 0, 0, 0] for step in range(len(pictures))])
    assert len(drawn) == passes
    for start in range(0, passes, len(pictures)):
        seen = (drawn[start : start + len(pictures)] * 255).round().int().tolist()
        assert sorted(seen) == sorted(levels(pictures))


def test_derived_seeds_differ_and_hold_for_ever():
    seeds = {derive_seed(seed, purpose, number) for seed in (1, 2) for purpose in "ab" for number in (0, 1)}
    assert len(seeds) == 8
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert derive_seed(1, "step", 0) == 0x7C2D552E97F60CD5


def test_a_damaged_shard_is_named(tmp_path):
    (tmp_path / "shard.tar").write_bytes(b"not a shard" * 100)
    with pytest.raises(SettingsError, match=r"cannot read the shard .*shard\.tar"):
        Pictures(tmp_path)


def test_a_manifest_without_sources_is_no_obstacle(tmp_path):
    Image.new("RGB", (80, 80)).save(tmp_path / "a.png")
    (tmp_path / "manifest.csv").write_text("name,kind\na.png,photo\n")
    assert len(Pictures(tmp_path)) == 1  # its name does not fall into the validation part
