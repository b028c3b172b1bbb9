"""Runs in worker processes: failures stay where they are, a rerun goes on, and order and workers change nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import fake_methods
import jsonschema
import pytest
from runner_samples import TIER, InThisProcess, write_folder

from benchmarks.methods import method
from benchmarks.runner import execute
from benchmarks.runner import run as run_module
from benchmarks.runner.cache import Cache
from benchmarks.runner.execute import Workers
from benchmarks.runner.pictures import find_pictures
from benchmarks.runner.plan import Plan
from benchmarks.runner.result import read_result, schema, write_result
from benchmarks.runner.run import describe, run
from benchmarks.runner.settings import IDENTITY
from watermark.errors import UsageError

METHODS = ("low-bits", "raising", "absent", "counting")


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """A run in which a worker dies, its rerun, and the same in another order, without workers."""
    folder = tmp_path_factory.mktemp("run")
    pictures = find_pictures(write_folder(folder, 2, unreadable=True), 1.0)
    plan = Plan(TIER, pictures, METHODS)
    log = folder / "log"
    results, logs = [], []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAKE_LOG", str(log))
        patch.setenv("FAKE_DEATHS", "65x60")
        for turn in range(3):
            if turn == 1:
                patch.setattr(run_module, "Workers", InThisProcess)
            if turn == 2:
                plan = replace(plan, pictures=pictures[::-1], methods=METHODS[::-1])
            cache = Cache(folder / ("other" if turn == 2 else "cache"))
            results.append(run(plan, fake_methods.resolve, cache, workers=2))
            logs.append(sorted(log.read_text().split()))
            patch.setenv("FAKE_DEATHS", "")
            log.write_text("")
    return results, logs


def unlike_time(rows):
    """Rows without what no two runs share, in one order."""
    times = ("ms", "peak_bytes")
    return sorted(json.dumps({name: row[name] for name in row if name not in times}) for row in rows)


def test_worker_that_dies_becomes_rows(history) -> None:
    (first, *_), _ = history
    lost = [row for row in (*first["embeds"], *first["reads"]) if row["reason"] == "worker died (exit code 7)"]
    assert len(lost) == 1 + len(TIER.settings)
    assert {(row["method"], row["image"], row["status"]) for row in lost} == {("counting", "photo1.png", "failed")}
    assert sum(row["status"] == "ok" for row in first["embeds"]) == 3  # low-bits twice, counting once


def test_every_cell_has_a_row(history) -> None:
    for result in history[0]:
        cells = [(row["method"], row["image"], row["attack"]) for row in result["reads"] if row["kind"] == "marked"]
        assert len(cells) == len(set(cells)) == 3 * 3 * len(TIER.settings)
        assert len(result["embeds"]) == 3 * 3


def test_rerun_does_only_what_was_lost(history) -> None:
    (_, second, _), logs = history
    assert logs == [["64x60", "65x60"], ["65x60"], ["64x60", "65x60"]]
    assert not [row for row in second["reads"] if "died" in (row["reason"] or "")]


def test_order_and_workers_change_nothing(history) -> None:
    (_, second, third), _ = history
    for part in ("embeds", "reads"):
        assert unlike_time(second[part]) == unlike_time(third[part])


def test_methods_as_they_are(history) -> None:
    for result in history[0][:2]:
        status = {row["name"]: (row["status"], row["reason"]) for row in result["methods"]}
        assert status["absent"] == (
            "missing",
            "MethodMissing: absent needs a package that is missing: pip install absent",
        )
        assert status["raising"] == ("ok", None)
        assert "absent" not in {row["method"] for row in result["embeds"]}


def test_unreadable_image_is_listed(history) -> None:
    result = history[0][0]
    broken = next(row for row in result["data"]["images"] if row["name"] == "broken.png")
    assert broken["width"] is None
    assert {row["status"] for row in result["embeds"] if row["image"] == "broken.png"} == {"failed"}


def test_result_fits_the_schema(history, tmp_path: Path) -> None:
    validator = jsonschema.Draft202012Validator(schema())
    validator.check_schema(schema())
    path = tmp_path / "result.json"
    for result in history[0]:
        write_result(result, path)
        read = read_result(path)
        assert read == json.loads(json.dumps(result))
        validator.validate(read)
    read["reads"][0] |= {"status": "failed", "reason": None}
    assert not validator.is_valid(read)  # a failure without a reason


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"schema": 2, "reads": []}'])
def test_file_that_is_no_result(tmp_path: Path, text: str) -> None:
    (tmp_path / "result.json").write_text(text)
    with pytest.raises(UsageError, match=r"result\.json"):
        read_result(tmp_path / "result.json")
    with pytest.raises(UsageError, match="cannot read the result"):
        read_result(tmp_path / "missing.json")


def test_workers_outlive_their_tasks() -> None:
    tasks = ["a", "raise", "threads", "hang", "die", "b"]
    with Workers(fake_methods.work, count=2, limit=1.0) as workers:
        outcomes = {tasks[outcome.index]: outcome for outcome in workers.outcomes(tasks)}
    assert {task: outcome.value for task, outcome in outcomes.items() if outcome.reason is None} == {
        "a": "A",
        "b": "B",
        "threads": "1 1",
    }
    assert {task: outcome.reason for task, outcome in outcomes.items() if outcome.reason is not None} == {
        "hang": "took more than 1 s",
        "die": "worker died (exit code 7)",
        "raise": "ValueError: this one",
    }


def test_worker_that_does_not_start(monkeypatch) -> None:
    monkeypatch.setattr(execute, "START_LIMIT", 0.5)
    with Workers(fake_methods.NeverThere(), count=1, limit=60.0) as workers:
        assert [outcome.reason for outcome in workers.outcomes(["a"])] == ["took more than 0.5 s to start"]


def test_cache_keeps_what_it_is_given(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    assert cache.get({"a": 1}) is None
    cache.put({"a": 1, "b": (2,)}, {"rows": [1.5, None]})
    assert cache.get({"b": [2], "a": 1}) == {"rows": [1.5, None]}
    assert cache.get({"a": 1, "b": [3]}) is None
    (file,) = (tmp_path / "cache").iterdir()
    file.write_text('{"rows": [1.')  # as a full disk leaves it
    assert cache.get({"a": 1, "b": [2]}) is None


def test_pictures_marked_elsewhere_are_found_by_the_second_run(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(run_module, "Workers", InThisProcess)
    program = tmp_path / "read"
    program.write_text("""#!/bin/sh\necho '{"present": false, "score": 0, "bits": null, "p": null}'\n""")
    program.chmod(0o755)
    description = tmp_path / "elsewhere.toml"
    description.write_text(
        'name = "elsewhere"\nprogram = "read"\nmessage_bits = 8\noriginals = "originals"\nmarked = "marked"\n'
    )
    pictures = find_pictures(write_folder(tmp_path, 1), 1.0)
    plan = Plan(replace(TIER, settings=(IDENTITY,)), pictures, (f"folder:{description}",))
    cache = Cache(tmp_path / "cache")
    (asked,) = run(plan, method, cache)["embeds"]
    assert "run again" in asked["reason"]
    (tmp_path / "originals").rename(tmp_path / "marked")
    for words in (tmp_path / "marked").glob("*.json"):
        words.unlink()
    first = run(plan, method, cache)
    assert [row["status"] for row in (*first["embeds"], *first["reads"])] == ["ok", "ok"]
    for picture in (tmp_path / "marked").iterdir():
        picture.unlink()
    assert run(plan, method, cache)["embeds"] == first["embeds"]  # what is done is kept


def test_one_name_one_method() -> None:
    with pytest.raises(UsageError, match="two methods are named 'low-bits'"):
        describe(("a", "b"), lambda name: fake_methods.LowBits())
