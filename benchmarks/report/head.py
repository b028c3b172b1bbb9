"""What was measured and with what, what was not done and why, and what the numbers cannot say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any
from xml.etree.ElementTree import Element

from benchmarks.report.markup import Content, items, node, section, small, table
from benchmarks.report.nulls import NULLS
from benchmarks.report.quality import unmeasured
from benchmarks.report.results import Result, Row, Series

_FEW = 20  # pictures under which bootstrap intervals are too narrow


def head(result: Result) -> Element:
    """The section that says what was measured."""
    values = result.values
    images = values["data"]["images"]
    marked = sum(row["status"] == "ok" for row in values["embeds"])
    attempts = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in values["attempts"].items())
    facts: list[tuple[str, Content]] = [
        ("tier", f"{values['tier']}, seed {values['seed']}: keys, messages and attacks are drawn from it"),
        ("pictures", f"{len(images)}; marked {marked} of {len(values['embeds'])} times"),
        ("readings done", attempts or "none"),
        ("versions", ", ".join(f"{package} {version}" for package, version in values["versions"].items())),
        ("source", node("code", f"SHA-256 {values['source_sha256']}")),
        ("hardware", _spelled(values["hardware"])),
    ]
    return node(
        "header",
        node("h1", "Watermark benchmark"),
        node("dl", *(part for name, value in facts for part in (node("dt", name), node("dd", value)))),
        id="head",
    )


def methods(result: Result) -> Element:
    """The section of the methods, those that could not run among them."""
    rows = [_method(row) for row in result.values["methods"]]
    return section(
        "methods",
        "Methods",
        node(
            "p",
            "A blind method decides by itself whether there is a mark. One that is not is asked about the message that "
            "was embedded (claimed), and “found” means that it reads more of it than chance does at 1e-6. Without a "
            "key, whoever has the method reads and forges its marks.",
        ),
        table(["method", "version", "message", "presence", "key", "licence", "note"], rows, "Methods"),
    )


def problems(result: Result) -> Element:
    """The section of everything that was not done, with reasons."""
    values = result.values
    missing = [f"{row['name']}: {row['reason']}" for row in values["methods"] if row["status"] == "missing"]
    unreadable = [image["name"] for image in values["data"]["images"] if image["width"] is None]
    counts = Counter(
        (what, row["method"], row["status"], row["reason"], row["point"])
        for what, rows in (("mark", values["embeds"]), ("read", values["reads"]))
        for row in rows
        if (row["status"] != "ok" or row["reason"]) and Series(row["method"], row["point"]) not in result.not_marked
    )
    points: dict[tuple[str, str, str, str], dict[str, int]] = {}  # of one reason
    for (what, method, status, reason, point), count in counts.items():
        points.setdefault((what, method, status, reason), {})[point] = count
    rows: list[list[Content]] = [
        [
            method,
            ", ".join(at),
            what,
            "done, but" if status == "ok" else status,
            str(sum(at.values())),
            node("td", reason, class_="prose"),
        ]
        for (what, method, status, reason), at in sorted(points.items(), key=lambda item: -sum(item[1].values()))
    ]
    parts: list[Content] = []
    if missing:
        parts += [node("h3", "Methods that are missing"), items(missing)]
    if unreadable:
        parts += [node("h3", "Files that are no pictures"), items(unreadable)]
    if result.not_marked:
        points_lost = [f"{series.method}, {series.point}: {reason}" for series, reason in result.not_marked.items()]
        parts += [node("h3", "Operating points without one marked picture, left out of all tables"), items(points_lost)]
    if rows:
        parts.append(table(["method", "point", "task", "status", "rows", "reason"], rows, "Rows that were not done"))
    return section("problems", "Not done, and why", *(parts or [node("p", "Everything was done.")]))


def limits(result: Result) -> Element:
    """The section of what was not measured."""
    return section("limits", "Limits", items(_limits(result)))


def pictures(result: Result) -> Element:
    """The section of the pictures."""
    rows = [
        [image["name"], image["kind"], _size(image), node("code", image["sha256"] or "-")]
        for image in result.values["data"]["images"]
    ]
    return section("pictures", "Pictures", table(["file", "kind", "pixels", "SHA-256 of the file"], rows, "Pictures"))


def _limits(result: Result) -> Iterable[str]:
    images = result.values["data"]["images"]
    if len(images) < _FEW:
        yield f"{len(images)} picture{'s' * (len(images) != 1)}: bootstrap intervals are too narrow."
    photographs = {image["kind"] for image in images} == {"photo"}
    others = ", not of drawings, screenshots or text" if photographs else ", of all their kinds together"
    yield f"Intervals speak of pictures like these{others}."
    absent = [kind.replace("_", " ") for kind in NULLS if kind not in result.values["attempts"]]
    if absent:
        yield f"False positives were not measured on: {', '.join(absent)}."
    if unseen := unmeasured(result):
        yield f"Not measured: {', '.join(unseen)}."
    claimed = [row["name"] for row in result.values["methods"] if row["blind"] is False]
    if claimed:
        yield f"Asked for a claimed message, which is easier than reading blindly: {', '.join(claimed)}."
    if len({row["message_bits"] for row in result.values["methods"] if row["status"] == "ok"}) > 1:
        yield "Payloads differ between methods; exact messages of fewer bits are easier."
    if all(series.point == "default" for series in result.series):
        yield "Methods ran at their default strengths, which differ; see quality before comparing robustness."
    families = {row["family"] for row in result.values["attacks"]}
    if "removal" not in families:
        yield "No removal attack was tried."
    yield "No attack learns from the detector or regenerates by diffusion, and none really prints and photographs."


def _method(row: Row) -> list[Content]:
    if row["status"] == "missing":
        return [row["name"], node("td", "missing", small(row["reason"]), class_="gap prose", colspan=6)]
    return [
        row["name"],
        row["version"],
        f"{row['message_bits']} bits",
        "blind" if row["blind"] else "claimed",
        "yes" if row["keyed"] else "none",
        row["licence"],
        node("td", row["note"], class_="prose"),
    ]


def _size(image: Mapping[str, Any]) -> str:
    return "no picture" if image["width"] is None else f"{image['width']} x {image['height']}"


def _spelled(hardware: Mapping[str, Any]) -> str:
    processor = hardware["processor"] or "unknown processor"
    return f"{hardware['cores']} cores, {hardware['architecture']}, {processor}, {hardware['system']}"
