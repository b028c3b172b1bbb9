"""Settings: read from TOML, refused where they make no sense."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from watermark.cli.train import PRESETS
from watermark.errors import SettingsError
from watermark.training.settings import RECIPES, TrainingSettings

DOCUMENT = Path(__file__).parents[2] / "docs" / "training.md"


def test_settings_come_from_a_file_and_overrides_win(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("steps = 7\nlearning_rate = 1\nbf16 = false\n")
    settings = TrainingSettings.load(path, {"steps": 9})
    assert settings == TrainingSettings(steps=9, learning_rate=1, bf16=False)
    assert TrainingSettings.load(None, {}) == TrainingSettings()


def test_unknown_names_are_all_named():
    with pytest.raises(SettingsError, match="bacth, stepz"):
        TrainingSettings.from_dict({"stepz": 1, "bacth": 2, "seed": 3})


@pytest.mark.parametrize(
    ("name", "hint"), [("stepz", r"did you mean 'steps'\?"), ("xyzzy", "see `watermark train --help`")]
)
def test_the_nearest_name_is_suggested(name, hint):
    with pytest.raises(SettingsError, match=f"unknown training settings: {name}; {hint}$"):
        TrainingSettings.from_dict({name: 1})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", 1.5),
        ("steps", "10"),
        ("steps", 0),
        ("steps", True),
        ("batch", 0),
        ("crop", 100),
        ("crop", 56),
        ("learning_rate", "fast"),
        ("learning_rate", True),
        ("bf16", 1),
        ("log_every", -1),
        ("validate_every", 0),
        ("checkpoint_every", 0),
    ],
)
def test_values_that_make_no_sense_are_refused(name, value):
    with pytest.raises(SettingsError, match=name):
        TrainingSettings.from_dict({name: value})


@pytest.mark.parametrize("content", [None, b"steps = ", b"\xff\xfe", b"[steps]\nx = 1"])
def test_files_that_cannot_be_read_are_refused(tmp_path, content):
    path = tmp_path / "run.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError):
        TrainingSettings.load(path, {})


def test_settings_are_frozen_and_all_documented():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainingSettings().steps = 3
    for field in dataclasses.fields(TrainingSettings):
        assert f"{field.name}: " in TrainingSettings.__doc__, field.name


@pytest.mark.parametrize(
    "values",
    [
        {"adversarial_every": 0},
        {"pilot_share": 2.0},
        {"average": -0.1},
        {"decoder_blocks": 0},
        {"learning_rate": -1.0},
        {"visibility_weight": -0.1},
        {"mine_every": -1},
        {"candidates": 0},
        {"max_skips": 0},
        {"max_drop": 1.5},
        {"max_rollbacks": -1},
        {"accumulate": 0},
        {"batch": 10, "accumulate": 4},
    ],
)
def test_values_out_of_range_are_refused_at_once(values):
    with pytest.raises(SettingsError, match=next(iter(values))):
        TrainingSettings(**values)


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_recipes_load_and_presets_are_among_them(path):
    assert TrainingSettings.load(path, {}) != TrainingSettings() or path.stem == "release-phase-1"
    assert all((RECIPES / f"{preset}.toml").exists() for preset in PRESETS)


def test_every_setting_is_in_the_document_with_its_default():
    table = dict(re.findall(r"^\| `(\w+)` \| `([^`]*)` \|", DOCUMENT.read_text(), flags=re.MULTILINE))
    defaults = {field.name: field.default for field in dataclasses.fields(TrainingSettings)}
    assert {name: eval(text, {"true": True, "false": False}) for name, text in table.items()} == defaults
