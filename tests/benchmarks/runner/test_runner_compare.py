"""What counts as a regression, and how the command line says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from runner_samples import write_folder

from benchmarks.methods import MethodMissing
from benchmarks.runner.compare import compare
from benchmarks.runner.tiers import CORE
from watermark.cli.main import main
from watermark.errors import UsageError


def result(reads, tier="core", pictures=("aa", "bb")):
    """A result with these readings of (attack, kind, good), an image each."""
    rows = [
        {
            "method": "m",
            "point": "default",
            "image": f"{index}.png",
            "key": "00000000",
            "attack": attack,
            "kind": kind,
            "status": "ok",
            "exact": good and kind == "marked",
            "present": good == (kind == "marked"),
        }
        for index, (attack, kind, good) in enumerate(reads)
    ]
    images = [{"sha256": sha256} for sha256 in pictures]
    return {"schema": 1, "tier": tier, "seed": 0, "data": {"images": images}, "reads": rows}


def marked(good: int, bad: int):
    return [("jpeg", "marked", True)] * good + [("jpeg", "marked", False)] * bad


@pytest.mark.parametrize(
    ("tier", "lost", "regression"),
    [("core", 0, False), ("core", 7, False), ("core", 8, True), ("smoke", 0, False), ("smoke", 1, True)],
)
def test_lost_messages(tier: str, lost: int, regression: bool) -> None:
    """2 / 2**7 = .0156 and 2 / 2**8 = .0078: eight lost and none gained are the first that chance does not explain."""
    change, _ = compare(result(marked(20, 0), tier), result(marked(20 - lost, lost), tier))
    assert (change.pairs, change.before, change.after, change.regression) == (20, 20, 20 - lost, regression)
    assert change.p == pytest.approx(min(1.0, 2 / 2**lost))


def test_gained_messages_are_none() -> None:
    for change in compare(result(marked(0, 20)), result(marked(20, 0))):
        assert change.p < 0.01
        assert not change.regression


def test_missing_and_failed_readings_are_lost() -> None:
    second = result(marked(9, 0))
    del second["reads"][:4]
    for row in second["reads"][:4]:
        row |= {"status": "failed", "exact": None, "present": None}
    change, _ = compare(result(marked(9, 0)), second)
    assert (change.before, change.after, change.regression) == (9, 1, True)


def test_little_lost_by_every_attack() -> None:
    """Two of eight attacks lost on each of eight pictures: 2 / 2**8 = .0078 for all, but no attack loses eight."""

    def read(lost: int):
        made = result([("x", "marked", True)] * 64)
        for index, row in enumerate(made["reads"]):
            picture, attack = divmod(index, 8)
            row |= {"image": str(picture), "attack": str(attack), "exact": (picture + attack) % 8 >= lost}
        return made

    *each, pooled = compare(read(0), read(2))
    assert not any(change.regression for change in each)
    assert (pooled.attack, pooled.pairs, pooled.before, pooled.after) == ("all attacks", 64, 64, 48)
    assert pooled.p == pytest.approx(2 / 2**8)
    assert pooled.regression
    assert not any(change.regression for change in compare(read(2), read(0)))


@pytest.mark.parametrize("kind", ["unmarked", "wrong_key", "constant", "random", "other_method"])
def test_one_new_find_where_nothing_is(kind: str) -> None:
    reads = [("identity", kind, True)] * 5
    (change,) = compare(result(reads), result([*reads[:4], ("identity", kind, False)]))
    assert change.regression
    assert not compare(result(reads), result(reads))[0].regression


@pytest.mark.parametrize("change", [{"status": "failed", "present": None}, {"key": "none of the first"}])
@pytest.mark.parametrize("found", [False, True])
def test_only_a_find_is_a_false_find(change: dict[str, object], found: bool) -> None:
    """What was not read, or not in both results, is none; what the second finds where the first was not read is one."""
    reads = [("identity", "unmarked", True)] * 3
    clean, other = result(reads), result(reads)
    other["reads"][0] |= change
    assert not any(difference.regression for difference in compare(clean, other))
    clean["reads"][0] |= {"present": found}
    assert any(difference.regression for difference in compare(other, clean)) == found


def test_forgeries_are_no_gate() -> None:
    read = ("jpeg", "marked", True)
    (change,) = compare(result([read, ("copy", "copy", True)]), result([read, ("copy", "copy", False)]))
    assert change.kind == "marked"


def test_unlike_results() -> None:
    one = result(marked(2, 0))
    with pytest.raises(UsageError, match="one tier"):
        compare(one, result(marked(2, 0), tier="smoke"))
    with pytest.raises(UsageError, match="the same pictures"):
        compare(one, result(marked(2, 0), pictures=("aa", "cc")))
    with pytest.raises(UsageError, match="no reading in common"):
        compare(one, result([("png", "marked", True)]))


def test_number_of_tests_is_as_stated() -> None:
    assert 65 <= len(CORE.settings) + 1 <= 75


@pytest.mark.parametrize(("lost", "code"), [(0, 0), (8, 1)])
def test_exit_codes(tmp_path: Path, lost: int, code: int) -> None:
    paths = [tmp_path / name for name in ("first.json", "second.json")]
    for path, content in zip(paths, (result(marked(20, 0)), result(marked(20 - lost, lost))), strict=True):
        path.write_text(json.dumps(content))
    arguments = ["bench", "compare", *map(str, paths)]
    text = CliRunner().invoke(main, arguments)
    assert text.exit_code == code
    assert text.stderr == f"2 cells compared, {2 * code} regressions\n"
    first, _, pooled = text.stdout.partition("\n")
    assert first == ("regression: m, default, marked, jpeg: 20 -> 12 of 20 (p = 0.0078)" if lost else "")
    assert pooled.startswith("regression: m, default, marked, all attacks: 20 -> 12 of 20" if lost else "")
    lines = CliRunner().invoke(main, [*arguments, "--json"]).stdout.splitlines()
    assert [json.loads(line)["regression"] for line in lines] == [bool(lost)] * 2


def test_run_without_its_method(tmp_path: Path, monkeypatch) -> None:
    """A result all the same, which says what was missing; there is nothing in it to compare."""

    def absent(name: str) -> None:
        raise MethodMissing(f"{name} needs a package")

    monkeypatch.setattr("benchmarks.methods.method", absent)
    out = tmp_path / "results" / "out.json"
    arguments = ["bench", "run", "--tier", "smoke", "--points", "all", "--cache", str(tmp_path), "--out", str(out)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 3, done.output
    assert done.stdout == ""
    assert "rows 0 ok, 0 refused, 0 failed\n" in done.stderr
    assert "watermark-toolkit is missing: MethodMissing: watermark-toolkit needs a package\n" in done.stderr
    again = CliRunner().invoke(main, arguments)
    assert (again.exit_code, again.stderr) == (2, f"watermark: {out} exists; give --force to overwrite it\n")
    assert CliRunner().invoke(main, [*arguments, "--force"]).exit_code == 3
    (method,) = json.loads(out.read_text())["methods"]
    assert (method["status"], method["reason"]) == ("missing", "MethodMissing: watermark-toolkit needs a package")
    refused = CliRunner().invoke(main, ["bench", "compare", str(out), str(out)])
    assert (refused.exit_code, refused.stderr) == (2, "watermark: the results have no reading in common\n")


def test_pictures_that_are_asked_for(tmp_path: Path, monkeypatch) -> None:
    """``--kinds`` and ``--only`` choose what the result lists; no method runs."""

    def absent(name: str) -> None:
        raise MethodMissing(f"{name} needs a package")

    monkeypatch.setattr("benchmarks.methods.method", absent)
    folder, out = write_folder(tmp_path, 2), tmp_path / "out.json"
    with (folder / "manifest.csv").open("a") as manifest:
        manifest.write("page.png,text,64,60\n")
    arguments = ["bench", "run", "--tier", "equal", "--data", str(folder), "--cache", str(tmp_path), "--out", str(out)]
    for extra, names in (
        ([], ["photo0.png", "photo1.png"]),
        (["--kinds", "all"], ["page.png", "photo0.png", "photo1.png"]),
        (["--kinds", "text,photo", "--only", "page,photo1"], ["page.png", "photo1.png"]),
    ):
        done = CliRunner().invoke(main, [*arguments, *extra, "--force"])
        assert done.exit_code == 3, done.output  # no method is there
        assert [image["name"] for image in json.loads(out.read_text())["data"]["images"]] == names
    refused = CliRunner().invoke(main, [*arguments, "--kinds", "cmyk", "--force"])
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)


def test_calls_that_make_no_sense(tmp_path: Path) -> None:
    (tmp_path / "no.json").write_text("{}")
    refused = CliRunner().invoke(main, ["bench", "compare", str(tmp_path / "no.json"), str(tmp_path / "no.json")])
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    out = str(tmp_path / "out.json")
    for extra in (["--tier", "core"], ["--tier", "smoke", "--points", "loud"], ["--tier", "smoke", "--methods", "no"]):
        refused = CliRunner().invoke(main, ["bench", "run", "--out", out, "--cache", str(tmp_path), *extra])
        assert refused.exit_code == 2, refused.output
        assert refused.stderr.count("\n") == 1
