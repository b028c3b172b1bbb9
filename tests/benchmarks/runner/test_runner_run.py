"""Runs in worker processes: failures stay where they are, a rerun goes on, and order and workers change nothing."""

from __future__ import annotations

import ast
import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import fake_methods
import jsonschema
import pytest
from click.testing import CliRunner
from runner_samples import NULLS, READINGS, TIER, InThisProcess, write_folder

import watermark
from benchmarks.methods import method, method_names
from benchmarks.methods.registry import PEERS
from benchmarks.runner import run as run_module
from benchmarks.runner import visibility
from benchmarks.runner.cache import READS_PICTURES, Cache, peer_source_sha256, source_sha256
from benchmarks.runner.pictures import find_pictures
from benchmarks.runner.plan import Plan
from benchmarks.runner.result import read_result, schema, write_result
from benchmarks.runner.run import describe, run
from benchmarks.runner.settings import IDENTITY
from watermark.cli.main import main
from watermark.errors import UsageError

ROOT = Path(__file__).parents[3]
METHODS = ("low-bits", "raising", "absent", "counting")


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """A run in which a worker dies, its rerun, and the same in another order, without workers."""
    folder = tmp_path_factory.mktemp("run")
    pictures = find_pictures(write_folder(folder, 2, unreadable=True))
    plan = Plan(NULLS, pictures, METHODS)
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
    assert len(lost) == 1 + sum(READINGS.values())
    assert {(row["method"], row["image"], row["status"]) for row in lost} == {("counting", "photo1.png", "failed")}
    assert sum(row["status"] == "ok" for row in first["embeds"]) == 3  # low-bits twice, counting once


def test_every_cell_has_a_row(history) -> None:
    for result in history[0]:
        cells = [tuple(row[part] for part in ("method", "image", "kind", "attack", "key")) for row in result["reads"]]
        assert len(set(cells)) == len(cells)
        assert Counter(kind for _, _, kind, *_ in cells) == {kind: 3 * 3 * count for kind, count in READINGS.items()}
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


def test_options_of_the_tier(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("benchmarks.methods.method", fake_methods.resolve)
    options = ["bench", "run", "--methods", "low-bits", "--cache", str(tmp_path), "--out", str(tmp_path / "out.json")]
    CliRunner().invoke(main, [*options, "--tier", "smoke", "--megapixels", "0.1", "--keys", "7"])
    result = read_result(tmp_path / "out.json")
    (reason,) = {row["reason"] for row in (*result["embeds"], *result["reads"])}
    assert reason.startswith("larger than the tier's 0.1 megapixels (")
    keys = Counter(row["key"] for row in result["reads"] if row["kind"] == "unmarked")
    assert sorted(keys.values()) == [2, 2, *[2 * 2] * 7]  # two settings; each of two repeats has a key, all share seven
    refused = CliRunner().invoke(main, [*options, "--force", "--tier", "core", "--data", str(tmp_path), "--keys", "7"])
    assert refused.exit_code == 2
    assert "a run of core reads under no keys of nobody" in refused.output


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
    pictures = find_pictures(write_folder(tmp_path, 1))
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
    (asked,) = run(plan, method, cache)["embeds"]
    assert "run again" in asked["reason"]


def test_jod_of_what_was_marked(tmp_path: Path, monkeypatch, jod_script: Path) -> None:
    """Also of jobs that the cache held, of no picture twice; a script that fails is a reason, and tried again."""
    monkeypatch.setattr(run_module, "Workers", InThisProcess)
    monkeypatch.setattr(visibility, "Workers", InThisProcess)
    pictures = find_pictures(write_folder(tmp_path, 2, unreadable=True))
    tier = replace(TIER, settings=(IDENTITY,), repeats=2)
    cache = Cache(tmp_path / "cache")

    def embeds(jod: Path | None, fails: bool = False):
        monkeypatch.setenv("JOD_FAILS", "1" if fails else "")
        plan = Plan(tier, pictures, ("low-bits", "raising"))
        return run(plan, fake_methods.resolve, cache, jod=jod)["embeds"]

    unseen = embeds(None)
    assert {row["jod"] for row in unseen} == {None}
    failed = embeds(Path(sys.executable), fails=True)
    for before, row in zip(unseen, failed, strict=True):
        if row["status"] == "ok":
            assert row["reason"].endswith("; JOD: exit code 3")
            row["reason"] = before["reason"]
    assert failed == unseen
    seen = embeds(Path(sys.executable))
    assert [{**row, "jod": None} for row in seen] == unseen
    marked = [row for row in seen if row["status"] == "ok"]
    assert len(marked) == 2 * 2
    for row in marked:  # the stand-in's JOD is 10 less the root mean squared error
        assert row["jod"] == pytest.approx(10 - 255 / 10 ** (row["psnr"] / 20), abs=1e-4)
    assert len({row["jod"] for row in marked}) > 1
    assert jod_script.with_suffix(".log").read_text() == "4\n"
    assert embeds(Path(sys.executable)) == seen
    assert jod_script.with_suffix(".log").read_text() == "4\n"
    jsonschema.validate(seen, schema()["properties"]["embeds"])


@pytest.fixture
def forgetful() -> Iterator[None]:
    """Hashes of sources are not remembered beyond the test, whether it passes or fails."""
    yield
    for source in (source_sha256, peer_source_sha256):
        source.cache_clear()


def test_our_weights_change_nothing_of_a_peer(tmp_path: Path, monkeypatch, forgetful: None) -> None:
    """A copy of the package in which one file is another."""
    toolkit = tmp_path / "watermark"
    shutil.copytree(watermark.__path__[0], toolkit, ignore=shutil.ignore_patterns("assets", "__pycache__"))
    monkeypatch.setattr(watermark, "__path__", [str(toolkit)])

    def sources() -> list[str]:
        for source in (source_sha256, peer_source_sha256):
            source.cache_clear()
        return [
            run_module._identity(name, "1")["source"] for name in ("watermark-toolkit", "rivaGan", "command:a.toml")
        ]

    ours, peer, third = sources()
    assert ours == third != peer
    weights = next(toolkit.rglob("*.safetensors"))
    weights.write_bytes(weights.read_bytes() + b"another")
    assert [now == then for now, then in zip(sources(), (ours, peer, third), strict=True)] == [False, True, False]
    for name in READS_PICTURES:
        path = toolkit / name
        path = path if path.is_file() else path / "read.py"
        before = sources()
        path.write_text(path.read_text() + "# changed\n")
        assert not set(before) & set(sources())


def test_a_method_whose_files_changed_is_another(tmp_path: Path, monkeypatch) -> None:
    """Of an unchanged version; names, contents and their order count, the place of the folder does not."""
    first, second = tmp_path / "a" / "files" / "1.py", tmp_path / "a" / "files" / "2.py"
    first.parent.mkdir(parents=True)
    monkeypatch.setattr(run_module, "identity_files", lambda name: sorted(tmp_path.glob("*/files/*")))

    def identity(one: str, other: str) -> str:
        first.write_text(one)
        second.write_text(other)
        return json.dumps(run_module._identity("theirs", "1"))

    found = identity("x", "y")
    assert identity("x", "y") == found
    assert len({found, identity("y", "x"), identity("xy", ""), identity("x", "z")}) == 4
    identity("x", "y")
    (tmp_path / "a").rename(tmp_path / "b")
    assert json.dumps(run_module._identity("theirs", "1")) == found
    (tmp_path / "b" / "files" / "2.py").rename(tmp_path / "b" / "files" / "3.py")
    assert json.dumps(run_module._identity("theirs", "1")) != found


def test_peers_are_made_of_nothing_else_of_ours() -> None:
    """What their identity leaves out is imported by no file that it holds, but for our own adapter."""
    measured = [
        path for folder in ("methods", "metrics", "runner") for path in (ROOT / "benchmarks" / folder).glob("*.py")
    ]
    files = [path for path in measured if path.name != "ours.py"] + [*(ROOT / "watermark" / "imaging").glob("*.py")]
    imported = {
        node.module
        for path in (*files, ROOT / "watermark" / "errors.py", ROOT / "watermark" / "files.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("watermark.")
    }
    assert {module.split(".")[1] for module in imported} == {Path(name).stem for name in READS_PICTURES}
    assert set(method_names()) > PEERS


def test_one_name_one_method() -> None:
    with pytest.raises(UsageError, match="two methods are named 'low-bits'"):
        describe(("a", "b"), lambda name: fake_methods.LowBits())
