"""The card of the released weights says what was measured of them."""

import json
import sys

import pytest
import torch

from benchmarks import release_card
from benchmarks.grid import ENVELOPE, EQUAL_BYTES
from watermark.nets.model import Model, load_card, load_model, save_model


def results(missed):
    attacks = {row.name: [{"recovered": row.name != missed}] * len(row.attacks) for row in ENVELOPE}
    return {
        "envelope": {"standard": [{"psnr": 50.0, "attacks": attacks}]},
        "jod": {"standard": [{"jod": 9.8}, {"jod": 9.9}]},
        "nothing": {"total": {"attempts": 10, "tags": 240, "found": 0}},
    }


def test_metrics_name_missed_targets_first():
    metrics = release_card.metrics(results("JPEG 30"))
    assert next(iter(metrics)) == "missed_targets"
    assert metrics["missed_targets"] == {"JPEG 30": 0.0}
    assert (metrics["mean_jod"], metrics["worst_jod"], metrics["mean_psnr_db"]) == (9.85, 9.8, 50.0)


@pytest.mark.parametrize(
    ("jods", "psnr", "missed"),
    [
        ([9.9, 9.69], 46.0, {"mean_jod": 9.795, "worst_jod": 9.69}),
        ([9.84, 9.8598], 46.0, {"mean_jod": 9.85}),  # 9.8499 before rounding
        ([9.9], 45.9, {"mean_psnr_db": 45.9}),
        ([9.9], 46.0, {}),
        ([], 46.0, {}),  # not measured
    ],
)
def test_quality_has_targets_too(jods, psnr, missed):
    measured = results(None)
    measured["jod"]["standard"] = [{"jod": jod} for jod in jods]
    measured["envelope"]["standard"][0]["psnr"] = psnr
    metrics = release_card.metrics(measured)
    assert metrics["missed_targets"] == missed
    assert len(release_card.failures(metrics)) == len(missed) + 2


def test_failures_are_the_first_words_of_the_card(tmp_path, monkeypatch):
    release = tmp_path / "release.safetensors"
    old = {"name": "mine", "failures": ["of yesterday"], "metrics": {}}
    written = results("JPEG 30")
    written["jod"]["standard"] = [{"jod": 9.6}]
    monkeypatch.setattr(release_card, "RELEASE", release)
    monkeypatch.setattr(release_card, "load", lambda folder: written)
    reads = {row.name: [{"recovered": True}] for row in ENVELOPE}
    reads |= {"WebP 50": [{"recovered": False}, {"recovered": True}], "resize x 0.25": [{"refused": True}]}
    drawing = {"kind": "drawing", "psnr": 40.0, "jod": 9.5, "attacks": reads}
    photograph = {"kind": "photo", "psnr": 99.0, "jod": 9.9, "attacks": {}}
    monkeypatch.setattr(release_card, "load_kinds", lambda folder: ([drawing, photograph], {}))
    monkeypatch.setattr(sys, "argv", ["release_card", "metrics"])
    for card in (old, {"name": "mine"}):
        monkeypatch.setattr(release_card, "load_card", lambda card=card: card)
        release_card.main()
        new = json.loads(release.with_suffix(".json").read_text())
        assert list(new) == ["failures", "name", "metrics"]
        assert new["failures"] == [
            "JPEG 30: 0, where 0.98 was asked for",
            "mean_jod: 9.6, where 9.85 was asked for",
            "worst_jod: 9.6, where 9.7 was asked for",
            "a mottled pattern shows in flat sky at 4 x contrast",
            "the discriminator very likely taught these weights nothing",
            "no photographs, WebP 50: 0.5, where 0.98 was asked of photographs",
        ]
        assert new["metrics"]["other_pictures"] == {
            "images": 1,
            "mean_psnr_db": 40.0,
            "mean_jod": 9.5,
            "worst_jod": 9.5,
            "recovered_share": {
                row.name: 0.5 if row.name == "WebP 50" else 1.0 for row in ENVELOPE if row.name != "resize x 0.25"
            },
        }


def test_equal_bytes_have_a_target_too():
    measured = results(None)
    measured["envelope"]["standard"][0]["attacks"][EQUAL_BYTES.name] = [{"recovered": False}]
    metrics = release_card.metrics(measured)
    assert metrics["missed_targets"] == {EQUAL_BYTES.name: 0.0}
    assert release_card.failures(metrics)[0] == f"{EQUAL_BYTES.name}: 0, where 0.98 was asked for"


def test_rows_without_a_target_cannot_fail():
    assert release_card.metrics(results("shifted by 20 % and 10 %"))["missed_targets"] == {}


def test_data_is_described_from_its_manifest(tmp_path):
    (tmp_path / "manifest.csv").write_text("name,licence\na,CC0-1.0\nb,CC BY 4.0 (someone)\nc,CC0-1.0\n")
    about = release_card.describe_data(tmp_path)
    assert about["images"] == 3
    assert about["licences"] == {"CC0-1.0": 2, "CC BY 4.0": 1}


@pytest.mark.parametrize("share", [None, 0.3])
def test_weights_of_a_run_become_the_release(tmp_path, monkeypatch, share):
    run, data, release = tmp_path / "run", tmp_path / "data", tmp_path / "release.safetensors"
    run.mkdir()
    data.mkdir()
    (data / "manifest.csv").write_text("name,licence\na,CC0-1.0\n")
    torch.manual_seed(1)
    model = Model(decoder_channels=16)
    save_model(model, run / "model.safetensors", {"training": {"steps": 3}})
    for module in (release_card, sys.modules["watermark.nets.model"]):
        monkeypatch.setattr(module, "RELEASE", release)
    options = [] if share is None else ["--pilot-share", str(share)]
    monkeypatch.setattr(release_card, "load_card", lambda path=release: load_card(path))
    monkeypatch.setattr(sys, "argv", ["release_card", "weights", str(run), "--data", str(data), *options])
    release_card.main()
    card = json.loads(release.with_suffix(".json").read_text())
    assert card["training"] == {"steps": 3}
    assert card["data"]["images"] == 1
    loaded = load_model(release)
    assert loaded.pilot_share == (0.2 if share is None else share)
    assert torch.equal(loaded.log_transmit, model.log_transmit)
