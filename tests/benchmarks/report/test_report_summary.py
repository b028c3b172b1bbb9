"""The Markdown says all that a reader needs, and nothing of what was not measured."""

from __future__ import annotations

import numpy as np
from report_samples import NASTY, SETTINGS, missing, sample
from scipy.stats import binomtest

from benchmarks.report.results import Result
from benchmarks.report.summary import summary
from benchmarks.runner.tiers import KINDS


def cells(text: str, title: str) -> dict[str, list[str]]:
    """Rows of the table whose first column has this title, by their first cell, the head among them."""
    (part,) = [part for part in text.split("\n\n") if part.startswith(f"| {title} |")]
    rows = [line.replace(r"\|", "/")[2:-2].split(" | ") for line in part.splitlines() if not line.startswith("|---")]
    assert len({len(row) for row in rows}) == 1
    return {row[0]: row for row in rows}


def column(text: str, name: str, method: str = "asked") -> str:
    rows = cells(text, "method")
    return rows[method][rows["method"].index(name)]


def test_summary_is_a_table() -> None:
    values = sample()
    text = summary(Result(values))
    assert len(cells(text, "method")) == 1 + 3  # head, two methods that ran and one that is missing
    marked = [row for row in values["reads"] if row["method"] == "asked"]
    wrong = sum(row["wrong"] for row in marked)
    assert column(text, "wrong messages").startswith(f"{wrong} of {len(marked)}, at most ")
    assert column(text, "false positives") == "not measured"
    assert "<b>" not in text


def test_summary_of_missing_methods_alone() -> None:
    values = sample(pictures=0) | {"methods": [missing("absent")]}
    assert "missing" in summary(Result(values))


def test_summary_with_jod_and_points() -> None:
    """JOD where there is any, one point of each method if it is brief."""
    values = sample(points=("default", "psnr 44"))
    assert "JOD" not in summary(Result(values)).splitlines()[0]
    assert "Quality not measured: ColorVideoVDP." in summary(Result(values))
    assert "default strength" not in summary(Result(values))
    for row in values["embeds"]:
        if row["method"] == "asked":
            row["jod"] = 9.5 if row["image"] == "photo0.png" else 9.9
    result = Result(values)
    full, brief = summary(result), summary(result, brief=True)
    assert len(cells(full, "method")) - len(cells(brief, "method")) == 2
    assert column(full, "JOD") == column(full, "JOD", "asked, psnr 44") == "9.80"  # (9.5 + 3 * 9.9) / 4
    assert not [line for line in brief.splitlines() if line.startswith("|") and ("(" in line or "at most" in line)]
    assert "default strength" in brief
    assert "Quality not measured: none." in full


def test_points_without_a_mark_are_listed_and_not_tabled() -> None:
    values = sample(points=("default", "psnr 44"))
    for row in values["embeds"]:
        if (row["method"], row["point"]) == ("asked", "psnr 44"):
            row |= {"status": "refused", "reason": "out of | reach"}
    text = summary(Result(values))
    assert "asked" in cells(text, "method")
    assert "asked, psnr 44" not in cells(text, "method")
    assert text.count("out of") == 1
    assert "\n- asked, psnr 44: out of \\| reach\n" in text
    assert "out of" not in summary(Result(values), brief=True)  # the method is in the table
    for row in values["embeds"]:
        if row["method"] == "asked":
            row |= {"status": "refused", "reason": "out of | reach"}
    assert "\n- asked, default: out of \\| reach\n" in summary(Result(values), brief=True)


def test_forgeries_and_false_positives_are_told() -> None:
    values = sample(kinds=KINDS)
    reads = [row for row in values["reads"] if row["method"] == "asked"]
    for name, column_name, field in (
        ("double", "survives double", "exact"),
        ("average", "survives average", "exact"),
        ("copy", "forged by copy", "present"),
    ):
        rows = [row for row in reads if row["kind"] == name]
        rows[0][field] = True
        rows[-1][field] = False
        expected = f"{sum(row[field] for row in rows)} of {len(rows)}"
        assert column(summary(Result(values)), column_name) == expected
    nulls = [row for row in reads if row["kind"] in {"unmarked", "wrong_key", "other_method", "constant", "random"}]
    for row in nulls:
        row["present"] = False
    found, most = column(summary(Result(values)), "false positives").split(", at most ")
    assert found == f"0 of {len(nulls)}"
    high = 100 * binomtest(0, len(nulls)).proportion_ci(method="exact").high
    assert high <= float(most.removesuffix(" %")) < high + 0.1
    assert "survives double" not in summary(Result(sample()))
    assert "forged by copy" not in summary(Result(values), brief=True)


def test_families_of_one_attack_name_it() -> None:
    result = Result(sample())
    alone = {family for family, attacks in result.families.items() if len(attacks) == 1} - {"no attack"}
    assert alone == {"valuemetric", "pipeline"}
    for brief in (False, True):
        (sentence,) = [part for part in summary(result, brief).split(". ") if part.startswith("Families of one")]
        assert f"valuemetric ({SETTINGS[-2].id})" in sentence
        assert f"pipeline ({SETTINGS[-1].id})" in sentence
        assert "codec" not in sentence
        assert "no attack" not in sentence


def test_kinds_of_pictures_are_seen_apart() -> None:
    values = sample(pictures=4)
    assert "| kind |" not in summary(Result(values))
    for image in values["data"]["images"][:2]:
        image["kind"] = "text"
    for row in values["embeds"]:
        row["jod"] = {"photo0.png": 9.1, "photo1.png": 8.2}.get(row["image"], 9.9)
    for row in values["reads"]:
        if (row["method"], row["image"]) == (NASTY, "photo0.png"):
            row["status"] = "refused"
    rows = cells(summary(Result(values)), "kind")
    shares = {
        name: 100 * np.mean([row["exact"] for row in values["reads"] if (row["method"], row["image"]) == (NASTY, name)])
        for name in ("photo1.png", "photo2.png", "photo3.png")
    }
    read = {kind: rows[kind][2].split(" %")[0] for kind in ("text", "photo")}
    assert [row[1] for row in rows.values()] == ["pictures", "2", "2"]
    assert float(read["text"]) == round(shares["photo1.png"])
    assert abs(float(read["photo"]) - (shares["photo2.png"] + shares["photo3.png"]) / 2) <= 0.5
    assert rows["text"][2].endswith(" % (1 of 2), JOD 8.20")
    assert rows["photo"][3].endswith(" %, JOD 9.90")
    assert "| kind |" not in summary(Result(values), brief=True)
