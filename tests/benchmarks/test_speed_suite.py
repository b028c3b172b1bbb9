"""The machinery of the speed suite on small pictures; no time is asserted."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import speed_samples as samples
from PIL import Image

from benchmarks.speed import arrays, budgets, parts, rounds, suite, tasks
from benchmarks.speed.page import page
from benchmarks.speed.rounds import Cell, peak_memory, time_rounds
from watermark import Detector
from watermark.errors import UsageError
from watermark.payload import polar

ROOT = Path(suite.__file__).parents[2]
RESULT = ROOT / "benchmarks" / "results" / "speed-suite.json"


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    return parts.write_host(tmp_path_factory.mktemp("host"), 240, 160)


def cell(task, title="task", method="nobody"):
    return Cell(40, 30, method, title, task)


def test_a_host_is_a_jpeg_of_the_size_asked_for(host):
    with Image.open(host) as image:
        assert (image.format, image.size) == ("JPEG", (240, 160))
        assert image.layer[0][1:3] == (2, 2)  # 4:2:0
        assert np.array_equal(tasks.decode(host), np.array(image))


def test_the_baseline_is_pillow_alone(host):
    tasks.Recode(host)()
    with Image.open(host) as image:
        image.save(host.with_name("expected.jpg"), quality=90)
    assert host.with_name("240x160-Pillow.jpg").read_bytes() == host.with_name("expected.jpg").read_bytes()


def test_ours_marks_and_reads_files(host):
    tasks.Embed(host)()
    copy = tasks.marked_copy(host, tasks.OURS)
    pixels = cv2.cvtColor(cv2.imread(str(copy)), cv2.COLOR_BGR2RGB)
    assert Detector().detect(pixels, "none").payload.hex == tasks.PAYLOAD
    assert tasks.Detect(copy, "none")() is True
    assert tasks.Detect(host, "none")() is False


def test_a_peer_marks_and_reads_files(host, monkeypatch):
    monkeypatch.setattr(tasks, "_peer", lambda name: samples.Blocks())
    assert tasks.PeerDetect(host, "blocks")() is False
    tasks.PeerEmbed(host, "blocks")()
    assert tasks.PeerDetect(tasks.marked_copy(host, "blocks"), "blocks")() is True


def test_cells_are_called_in_turn_and_failures_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(rounds, "LONG", 1.0)
    for name in ("quick", "finding", "raising", "long", "endless"):
        (tmp_path / name).touch()
    rows = time_rounds(
        [
            cell(samples.Logged(tmp_path / "quick")),
            cell(samples.Slow(tmp_path / "long", 1.2)),
            cell(samples.Raising(tmp_path / "raising")),
            cell(samples.Slow(tmp_path / "endless", 30)),
            cell(samples.Finding(tmp_path / "finding")),
            cell(samples.Logged(tmp_path / "nowhere")),
            cell(samples.Missing(tmp_path / "quick")),
            cell(samples.Threads(tmp_path / "quick", 3)),
        ],
        repeats=2,
        limit=4.0,
        threads=3,
    )
    first = ["quick", "long", "raising", "endless", "finding"]
    assert samples.lines(tmp_path) == [*first, "quick", "finding", "quick", "finding"]
    quick, long, raising, endless, finding, nowhere, missing, threads = rows
    assert [row.get("calls") for row in rows[:6]] == [2, 1, None, None, 2, None]
    assert quick["quartile_1"] <= quick["median_ms"] <= quick["quartile_3"]
    assert long["cpu_ms"] < 1000  # it sleeps
    assert (quick["found"], finding["found"]) == (None, True)
    assert long["median_ms"] >= 1200
    assert raising["reason"] == "ValueError: no idea"
    assert endless["reason"] == "took more than 4 s"
    assert nowhere["reason"] == "MethodError: no marked file to read"
    assert missing["reason"] == "MethodMissing: pip install it"
    assert threads["found"] is True


def test_a_process_that_takes_too_long_is_a_row_with_the_reason(tmp_path):
    log = tmp_path / "log"
    code = f"import sys, time; open({str(log)!r}, 'a').write('x'); time.sleep(float(sys.argv[1]))"
    line = [sys.executable, "-S", "-c", code]
    quick = parts.time_process([*line, "0"], 2, 60.0)
    assert (quick["reason"], log.read_text()) == (None, "xxx")  # the first warms up
    assert 0 < quick["quartile_1"] <= quick["median_ms"] <= quick["quartile_3"]
    assert parts.time_process([*line, "60"], 2, 1.0) == {"reason": "took more than 1 s"}


def test_arrays_are_marked_and_read_in_memory(tmp_path, monkeypatch):
    cells = {made.title: made.task for made in arrays.pixel_cells(tmp_path, 240, 160)}
    marked, cropped, rotated, unmarked = (
        np.load(cells[f"detect {title}"].source)
        for title in ("none, marked", "fast, marked and cropped", "full, marked and rotated", "full, unmarked")
    )
    assert cropped.shape == (114, 170, 3)
    assert marked.shape == rotated.shape == unmarked.shape == (160, 240, 3)
    assert Detector().detect(marked, "none").payload.hex == tasks.PAYLOAD
    assert not rotated[0, 0].any()  # a corner that was cut off
    assert cells["detect none, marked"]() is True
    assert cells["detect none, unmarked"]() is False
    monkeypatch.setattr(tasks, "_peer", lambda name: samples.Blocks())
    assert cells["detect, unmarked"]() is False


def test_decoded_pixels_have_the_default_number_of_threads(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(parts, "_DEFAULT_THREADS", 5)
    monkeypatch.setattr(parts, "SIZES", [(240, 160)])
    monkeypatch.setattr(parts, "time_rounds", lambda cells, *options: calls.append(options) or [cells[0].row(None)])
    rows = parts.decoded(tmp_path, 2, 30.0)
    assert calls == [(2, 30.0, parts.threads("decoded"))] * 2 == [(2, 30.0, 5)] * 2
    assert [(row["width"], row["height"]) for row in rows] == [(240, 160), (256, 1)]


def test_a_word_is_decoded_for_each_number_of_bits(tmp_path):
    words = arrays.word_cells(tmp_path)
    assert [made.task.information_bits for made in words] == list(polar.INFORMATION_SIZES)
    assert [made.task() for made in words] == [None] * 3


def test_a_peer_is_loaded_before_its_time_is_taken(host):
    with pytest.raises(UsageError, match="no method is named 'nobody'"):
        tasks.PeerEmbed(host, "nobody").load()


def test_peak_memory_is_of_the_call_alone(tmp_path):
    (row,) = peak_memory([cell(samples.Holding(tmp_path, 100_000_000))], 60.0)
    assert row["picture_bytes"] == 3 * 40 * 30
    if row["peak_bytes"] is None:
        assert row["reason"] == "OSError: peak memory is known on Linux only"
    else:  # a process that holds its imports would have several times as much
        assert 95_000_000 < row["peak_bytes"] < 120_000_000


def test_parts_cover_everybody(host):
    own = parts.own_cells(host, 240, 160)
    peers = parts.peer_cells(host, 240, 160, parts.all_peers())
    assert [made.title for made in own[1:5]] == ["embed", "detect none", "detect fast", "detect full"]
    assert {made.method for made in peers} >= {"dwtDct", "dwtDctSvd", "rivaGan", "blind-watermark"}
    assert tasks.OURS not in parts.all_peers()
    written = {tasks.marked_copy(host, made.method) for made in own + peers if made.title == "embed"}
    assert {made.task.source for made in own + peers} <= {host, *written}


def test_sizes_are_four_to_three():
    for megapixels in parts.MEGAPIXELS:
        width, height = parts.four_to_three(megapixels)
        assert width * height == pytest.approx(1e6 * megapixels, rel=0.01)
        assert width / height == pytest.approx(4 / 3, rel=0.01)


def test_a_part_replaces_itself_in_the_result_and_a_page_measures_nothing(tmp_path, monkeypatch):
    calls = []

    def fake(folder, repeats, limit):
        calls.append((folder.is_dir(), repeats, limit))
        times = {"median_ms": 12.0 * len(calls), "quartile_1": 1.5, "quartile_3": 333.25}
        return [{"task": "python", "reason": None, **times}]

    monkeypatch.setitem(parts.PARTS, "start-up", fake)
    out, table = tmp_path / "out.json", tmp_path / "page.md"
    out.write_text(json.dumps({"schema": 1, "parts": {"start-up": 0, "other": 1}}))
    monkeypatch.setattr("sys.argv", ["suite", "--out", str(out), "--only", "start-up", "--repeats", "2"])
    suite.main()
    written = json.loads(out.read_text())["parts"]
    assert written["other"] == 1
    assert written["start-up"]["rows"][0]["median_ms"] == 12
    assert written["start-up"]["metadata"]["threads"] == 1
    monkeypatch.setattr("sys.argv", ["suite", "--out", str(out), "--table", str(table)])
    suite.main()
    assert calls == [(True, 2, suite.LIMIT)]
    assert "| python | 12 | 1.5-333 |" in table.read_text()
    assert "## Files\n\nNot measured." in table.read_text()


def test_a_page_has_ratios_reasons_and_costs_a_megapixel():
    def timed(width, method, task, milliseconds, found=None):
        head = {"width": width, "height": 500, "method": method, "task": task, "reason": None, "calls": 3}
        return {
            **head,
            "median_ms": milliseconds,
            "quartile_1": 9.0,
            "quartile_3": 1234.5,
            "cpu_ms": 8.25,
            "found": found,
        }

    late = {"width": 1000, "height": 500, "method": "peer", "task": "embed", "reason": "took more than 60 s"}
    rows = [timed(1000, "Pillow", "decode + encode", 10.0), timed(1000, tasks.OURS, "detect", 25.0, found=True), late]
    sizes = [timed(width, tasks.OURS, "embed", 40.0 * width / 1000) for width in (1000, 2000)]
    peak = {**late, "picture_bytes": 2**20, "peak_bytes": 5 * 2**20, "reason": None}
    about = dict.fromkeys(("platform", "cores", "load", "threads", "python", "torch", "repeats"), "x") | {
        "limit_s": 60.0
    }
    started = [{"task": "nothing", "reason": late["reason"]}]
    results = {
        "decoded": rows,
        "files": rows,
        "start-up": started,
        "memory": [peak, {**late, **dict(peak, peak_bytes=None, reason="no")}],
        "size": sizes,
    }
    text = page({"parts": {name: {"metadata": about, "rows": part} for name, part in results.items()}})
    assert f"| {tasks.OURS} | detect | 25 | 9-1234 | 8.25 | 3 | 2.5 x | yes |" in text
    assert "| peer | embed | took more than 60 s |  |  |  |  |  |" in text
    assert "### 1000 x 500, decoded\n\n| method | task | median ms |" in text
    assert f"| {tasks.OURS} | detect | 25 | 9-1234 | 8.25 | 3 | yes |" in text
    assert "| nothing | took more than 60 s |  |" in text
    assert "| 1000 x 500 | peer | embed | 1.0 | 5 | 5 |" in text
    assert "| 1000 x 500 | peer | embed | 1.0 | no | |" in text
    assert "| 1000 x 500 | 0.5 | 40 |" in text
    assert "| 2000 x 500 | 1.0 | 80 |" in text
    assert "| 1000 x 500 | 0.5 | 80 |" in text  # a megapixel
    assert f"| 2000 x 500 | embed | `{'#' * 40}` 80 |" in text
    assert f"| 1000 x 500 | embed | `{'#' * 20}` 40 |" in text


def test_budgets_stand_beside_the_largest_size():
    def row(width, task, milliseconds, reason=None):
        head = {"width": width, "height": width * 3 // 4, "method": "ours", "task": task, "reason": reason}
        values = {"median_ms": milliseconds, "quartile_1": milliseconds - 1, "quartile_3": milliseconds + 1}
        return {**head, **values, "cpu_ms": 8.25, "calls": 3}

    rows = [
        row(1000, "detect none, marked", 5.0),
        row(4000, "detect none, marked", 40.0),
        row(4000, "detect fast, unmarked", 301.0),
        row(4000, "detect full, unmarked", 0.0, "took more than 9 s"),
        row(4000, "embed", 7000.0),
    ]
    lines = budgets.section({"metadata": {"threads": 2, "cores": 8, "load": 0.1}, "rows": rows})
    assert "threads: 2 on 8 cores" in lines[0]
    assert lines[-4:] == [
        "| ours | detect none, marked | 40 | 39-41 | 8.25 | 3 | 40 |",
        "| ours | detect fast, unmarked | 301 | 300-302 | 8.25 | 3 | 300 **missed** |",
        "| ours | detect full, unmarked | took more than 9 s |  |  |  | 1500 **missed** |",
        "| ours | embed | 7000 | 6999-7001 | 8.25 | 3 |  |",
    ]


def test_the_page_agrees_with_the_result():
    results = json.loads(RESULT.read_text(encoding="utf-8"))
    assert set(results["parts"]) == set(parts.PARTS)
    assert (ROOT / "docs" / "speed.md").read_text(encoding="utf-8") == page(results)
