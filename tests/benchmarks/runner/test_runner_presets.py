"""``watermark bench run --preset``: all rows of a published grid, each attack once, by their published names."""

from __future__ import annotations

import csv
import shlex
from pathlib import Path

import fake_methods
import jsonschema
import pytest
from click.testing import CliRunner, Result
from runner_samples import InThisProcess, write_folder

from attacks import Attack, Averaging, Brightness, Chain, Crop
from attacks.presets import PRESETS, Preset, PresetRow
from benchmarks.runner import run as run_module
from benchmarks.runner.cache import Cache
from benchmarks.runner.pictures import find_pictures
from benchmarks.runner.plan import Plan
from benchmarks.runner.provenance import command_line
from benchmarks.runner.result import read_result, schema
from benchmarks.runner.settings import IDENTITY, Setting
from benchmarks.runner.tiers import TIERS, Tier
from watermark.cli import bench
from watermark.cli.main import main


def preset_of(*attacks: Attack) -> Preset:
    """A preset whose rows are named by number."""
    rows = (PresetRow(f"row {index}", "row", attack, f"number {index}") for index, attack in enumerate(attacks))
    return Preset("mine", "nowhere", tuple(rows))


@pytest.fixture
def called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Calls ``bench run`` on one picture with a quick method."""
    monkeypatch.setattr(run_module, "Workers", InThisProcess)
    monkeypatch.setattr("benchmarks.methods.method", fake_methods.resolve)
    write_folder(tmp_path, 1)
    always = (
        "--data",
        tmp_path,
        "--methods",
        "low-bits",
        "--cache",
        tmp_path / "cache",
        "--out",
        tmp_path / "out.json",
    )

    def call(*options: object) -> Result:
        return CliRunner().invoke(main, ["bench", "run", *map(str, (*always, *options))])

    return call


def test_presets_of_the_command_line() -> None:
    assert tuple(PRESETS) == bench.PRESETS
    assert PRESETS.keys().isdisjoint(TIERS)  # results are compared by this name


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_a_tier_has_all_rows_of_its_preset(preset: Preset) -> None:
    tier = Tier.of_preset(preset)
    assert tier.settings[0].id == IDENTITY.id
    ids = [setting.id for setting in tier.settings]
    assert len(set(ids)) == len(ids)
    covered = {row.label: setting for setting in tier.settings for row in setting.published}
    assert set(covered) == {row.label for row in preset.rows}
    for row in preset.rows:
        assert covered[row.label].attack == row.attack
    described = [setting.row() for setting in tier.settings]
    jsonschema.validate(described, schema()["properties"]["attacks"])
    listed = [(row["label"], row["setting"]) for attack in described for row in attack.get("published", ())]
    assert sorted(listed) == sorted((row.label, row.published) for row in preset.rows)


def test_the_same_attack_is_measured_once() -> None:
    tier = Tier.of_preset(preset_of(Crop(0.5), Chain(()), Brightness(2.0), Crop(0.5)))
    assert [(setting.id, [row.label for row in setting.published]) for setting in tier.settings] == [
        ("identity", ["row 1"]),
        (Setting(Crop(0.5)).id, ["row 0", "row 3"]),
        (Setting(Brightness(2.0)).id, ["row 2"]),
    ]


def test_an_attack_that_must_know_more_is_refused_and_counts_for_nobody(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(run_module, "Workers", InThisProcess)
    tier = Tier.of_preset(preset_of(Averaging(4)))
    plan = Plan(tier, find_pictures(write_folder(tmp_path, 1)), ("low-bits",))
    plain, informed = run_module.run(plan, fake_methods.resolve, Cache(tmp_path / "cache"))["reads"]
    assert (plain["status"], informed["status"]) == ("ok", "refused")
    assert "Knowledge.marked" in informed["reason"]


def test_a_run_and_its_report_name_published_rows(called, tmp_path: Path) -> None:
    done = called("--preset", "wbench")
    assert done.exit_code == 0, (done.output, done.exception)
    result = read_result(tmp_path / "out.json")
    jsonschema.validate(result, schema())
    rows = PRESETS["wbench"].rows
    assert (result["tier"], len(result["reads"])) == ("wbench", 1 + len(rows))
    assert {read["status"] for read in result["reads"]} == {"ok"}
    line = command_line(result["arguments"])
    again = bench.run_command.make_context("run", [*shlex.split(line)[3:], "--out", "x"]).params
    assert (again["tier"], again["preset"], again["methods"]) == (None, "wbench", "low-bits")

    out = tmp_path / "report"
    told = CliRunner().invoke(main, ["bench", "report", str(tmp_path / "out.json"), "--out", str(out)])
    assert told.exit_code == 0, (told.output, told.exception)
    with (out / "reads.csv").open(newline="") as file:
        labels = {read["attack"]: read["published"] for read in csv.DictReader(file)}
    assert labels == {IDENTITY.id: "", **{Setting(row.attack).id: row.label for row in rows}}
    page = (out / "report.html").read_text()
    assert all(f"published as {row.label} ({row.published})" in page for row in rows)


@pytest.mark.parametrize("options", [(), ("--tier", "core", "--preset", "wbench")], ids=["neither", "both"])
def test_tier_or_preset_and_not_both(called, tmp_path: Path, options: tuple[str, ...]) -> None:
    done = called(*options)
    assert done.exit_code == 2
    assert "exactly one of --tier NAME and --preset NAME" in done.stderr
    assert not (tmp_path / "out.json").exists()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--preset", "nobody"), "'nobody' is not one of 'meta'"),
        (("--preset", "meta", "--keys", "7"), "a run of meta reads under no keys of nobody"),
    ],
)
def test_calls_that_no_preset_answers(called, options: tuple[str, ...], reason: str) -> None:
    done = called(*options)
    assert done.exit_code == 2
    assert reason in done.stderr


def test_a_preset_needs_pictures(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["bench", "run", "--preset", "waves", "--out", str(tmp_path / "out.json")])
    assert done.exit_code == 2
    assert "a run of waves needs --data FOLDER" in done.stderr
