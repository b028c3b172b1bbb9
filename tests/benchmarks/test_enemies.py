"""Enemies: a real run on one small picture, the tables from results made by hand, the stored page."""

from __future__ import annotations

import json
import sys
from math import log10
from multiprocessing.pool import ThreadPool
from operator import attrgetter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data
from torch import Tensor

from benchmarks import enemies, enemy_rows
from benchmarks.enemies import MARKS, measure, tables
from benchmarks.enemy import estimate_correlation
from benchmarks.enemy_rows import ROWS, Row, Scene
from benchmarks.envelope import to_tensor
from benchmarks.page_part import with_part
from watermark.detect import estimate_residual
from watermark.nets.model import RELEASE, load_card, load_model
from watermark.working import reduced_luma

pytestmark = pytest.mark.usefixtures("threads_restored")

ROOT = Path(__file__).parents[2]


def named(*names: str) -> list[Row]:
    return [row for row in ROWS if row.name in names]


def test_measure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, pixels in (("a", data.astronaut()[:256, :300]), ("b", data.coffee()[:200, :300])):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    rows = [
        *named("none", "gradient, 1 grey level", "second mark, another key", "the same, the second read"),
        Row("forged by nobody", attrgetter("host", "unmarked"), forged=True),
    ]
    monkeypatch.setattr(enemies, "ROWS", rows)
    result = measure((tmp_path / "a.png", tmp_path / "b.png"), ())
    assert json.loads(json.dumps(result)) == result
    reads = result["rows"]
    assert list(reads) == [row.name for row in rows]
    recovered = {name for name, read in reads.items() if read["recovered"]}
    assert recovered >= {"none", "second mark, another key", "the same, the second read"}
    assert "forged by nobody" not in recovered
    assert not any(read["wrong"] for read in reads.values())
    assert reads["none"]["psnr"] is None
    assert reads["gradient, 1 grey level"]["psnr"] > 20 * log10(255)  # no value changed by more than 1
    assert reads["second mark, another key"]["psnr"] == reads["the same, the second read"]["psnr"] > 35


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Noise, marked by adding other noise, which takes no time."""
    hosts, mark = noise(18, seed=1) * 0.5 + 0.25, (noise(1, seed=2) - 0.5) * 0.04
    monkeypatch.setattr(enemy_rows, "_pairs", lambda *given: (hosts[:16] + mark, hosts[:16]))
    monkeypatch.setattr(enemy_rows, "embedding", lambda *given: lambda images: images + mark)
    return Scene("a.png", hosts[16:17], hosts[17:], ())


def noise(count: int, seed: int) -> Tensor:
    return torch.rand(count, 3, 128, 128, generator=torch.Generator().manual_seed(seed))


def test_known_originals_average_to_the_mark(scene: Scene) -> None:
    (row,) = named("mean of 16 others, originals known")
    before, after = row.apply(scene)
    torch.testing.assert_close(before, scene.marked)
    torch.testing.assert_close(after, scene.host)


def test_known_original_gives_the_mark_away(scene: Scene) -> None:
    (row,) = named("copied, original known")
    before, after = row.apply(scene)
    assert torch.equal(before, scene.unmarked)
    torch.testing.assert_close(after - before, scene.marked - scene.host, rtol=0, atol=1e-6)


@pytest.mark.parametrize("row", [row for row in ROWS if row.name.startswith("gradient, 2")], ids=attrgetter("name"))
def test_gradients_leave_what_is_known_or_go_towards_it(row: Row, scene: Scene) -> None:
    known = scene.pairs.marked if "16" in row.name else scene.grey if "key" in row.name else scene.marked
    before, after = row.apply(scene)
    assert known is not None
    heard = estimate_correlation(known)
    assert (float(heard(after)) > float(heard(before))) == row.forged
    assert torch.equal(before, scene.unmarked if row.forged else scene.marked)


def test_of_several_pictures_the_enemy_hears_the_mean(scene: Scene) -> None:
    known = torch.cat([scene.marked, scene.grey])
    apart = [float(estimate_correlation(image[None])(scene.marked)) for image in known]
    assert float(estimate_correlation(known)(scene.marked)) == pytest.approx(sum(apart) / 2, rel=1e-3)


def test_what_the_enemy_hears_is_what_a_detector_hears() -> None:
    pixels = np.ascontiguousarray(np.tile(data.coffee(), (2, 1, 1))[:512])  # 512 x 600, heard at 256 x 300
    image, estimate = to_tensor(pixels), estimate_residual(load_model(), reduced_luma(pixels))
    assert float(estimate_correlation(image)(image)) == pytest.approx(float(np.square(estimate).sum()), rel=0.02)


def read(recovered: bool, psnr: float | None = 40.0, wrong: bool = False) -> dict[str, Any]:
    return {"psnr": psnr, "recovered": recovered, "wrong": wrong}


def images(**changes: dict[str, Any]) -> list[dict[str, Any]]:
    """Two results: all rows read in the first, none in the second, but as changed."""
    rows = {row.name: read(True) for row in ROWS}, {row.name: read(False, 42.0) for row in ROWS} | changes
    return [{"image": f"{number}.png", "rows": each} for number, each in enumerate(rows)]


def test_tables() -> None:
    lines = tables(images(none=read(True, None, wrong=True))).splitlines()
    assert lines[:3] == ["| attack | PSNR dB | still read |", "|---|---|---|", "| none | 40.0 | 2 of 2 (34-100 %) |"]
    assert (
        "| two more marks | 41.0 | 1 of 2 (9-91 %) |" in lines
    )  # scipy: binomtest(1, 2).proportion_ci(method="wilson")
    assert lines[-1] == "Wrong payloads read: 1."
    forgeries = lines[lines.index("| forgery | PSNR dB | reads as marked |") + 2 : -2]
    assert len(forgeries) == sum(row.forged for row in ROWS)
    assert sum(" of 2 " in line for line in lines) == len(ROWS)
    assert "| none |  | 1 of 1 " in tables([{"image": "0.png", "rows": {row.name: read(True, None) for row in ROWS}}])


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["kodim02.png", "kodim13.png", "kodim01.png", "kodim10.png"]
    rows = [f"{name},photo,768,512" for name in names]
    (tmp_path / "manifest.csv").write_text("\n".join(["name,kind,width,height", *rows]))
    page, out = tmp_path / "page.md", tmp_path / "result.json"
    page.write_text("before\n" + "another table\n".join(MARKS) + "after\n")
    jobs = []

    def measured(job: tuple[Path, Path], partners: tuple[Path, ...]) -> dict[str, Any]:
        jobs.append([path.name for path in (*job, *partners)])
        return {**images()[0], "image": job[0].name}

    def run(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["enemies", "--out", str(out), "--page", str(page), *map(str, arguments)])
        enemies.main()
        return page.read_text()

    monkeypatch.setattr(enemies, "measure", measured)
    with pytest.raises(SystemExit, match=r"16 others of a megapixel at most, but .* has 3 whose .*, and 1 others"):
        run("--data", tmp_path)
    monkeypatch.setattr(enemies, "_PARTNERS", 1)
    monkeypatch.setattr(enemies.multiprocessing, "get_context", lambda kind: SimpleNamespace(Pool=ThreadPool))
    written = run("--data", tmp_path)
    assert written.startswith(f"before\n{MARKS[0]}| attack |")
    assert written.endswith(f"{MARKS[1]}after\n")
    assert sorted(jobs) == [  # each is forged into the next; what is not measured is known
        ["kodim01.png", "kodim10.png", "kodim13.png"],
        ["kodim02.png", "kodim01.png", "kodim13.png"],
        ["kodim10.png", "kodim02.png", "kodim13.png"],
    ]
    result = json.loads(out.read_text())
    assert [image["image"] for image in result["images"]] == ["kodim01.png", "kodim02.png", "kodim10.png"]
    assert (result["partners"], result["weights_sha256"]) == (["kodim13.png"], load_card(RELEASE)["sha256"])
    out.write_text(json.dumps({**result, "images": images()}))
    assert "1 of 2" in run("--table")
    assert len(jobs) == 3
    with pytest.raises(SystemExit):
        run()
    assert "give --data, or --table" in capsys.readouterr().err


def test_stored_page_is_that_of_the_stored_result() -> None:
    page = (ROOT / "docs/threat-model.md").read_text(encoding="utf-8")
    result = json.loads((ROOT / "benchmarks/results/enemies.json").read_text())
    assert with_part(page, MARKS, tables(result["images"])) == page, "run python -m benchmarks.enemies --table"
