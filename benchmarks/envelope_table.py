"""Write ``docs/envelope.md`` and the README's summary of it from the results of the measurements in this folder.

    python -m benchmarks.envelope_table --results benchmarks/results --out docs/envelope.md

Reads ``envelope-{standard,low,high}.json`` (of ``benchmarks.envelope``), ``jod-{standard,low,high}.jsonl``
(``benchmarks/jod.py``), ``equal-bytes.json`` (``benchmarks.equal_bytes``), ``nothing.json`` (``benchmarks.nothing``)
and the part ``decoded`` of ``speed-suite.json`` (``benchmarks.speed.suite``), as far as they are there; the envelope at
standard robustness must be. An envelope may hold a ``note``, written by hand, where it was not measured as the others.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import fmean, median
from typing import Any

from benchmarks.envelope_results import LEVELS, copies, load, measured_quality, measured_rows, outcomes
from benchmarks.grid import EQUAL_BYTES, QUALITY_TARGETS
from benchmarks.metrics.intervals import wilson
from benchmarks.page_part import with_part
from benchmarks.speed import budgets


def robustness_table(envelopes: dict[str, list[dict[str, Any]]]) -> list[str]:
    """One line an attack: target, then share and Wilson interval at each robustness."""
    levels = [level for level in LEVELS if level in envelopes]
    lines = [
        f"| attack | target | {' | '.join(levels)} | images missed at standard |",
        f"|---|---|{'---|' * len(levels)}---|",
    ]
    for row in measured_rows([image for images in envelopes.values() for image in images]):
        cells = []
        for level in levels:
            read = outcomes(envelopes[level], row.name)
            if not read:
                cells.append("not measured")
                continue
            hits = sum(outcome["recovered"] for outcome in read)
            low, high = wilson(hits, len(read))
            refused = sum(len(copies(image, row.name)) for image in envelopes[level]) - len(read)
            note = f", {refused} refused" if refused else ""
            met = "" if level != "standard" or hits >= (row.target or 0) * len(read) else " **missed**"
            cells.append(f"{100 * hits / len(read):.1f} ({100 * low:.0f}-{100 * high:.0f}) of {len(read)}{note}{met}")
        missed = [
            Path(image["image"]).stem
            for image in envelopes.get("standard", [])
            if not all(outcome["recovered"] for outcome in outcomes([image], row.name))
        ]
        shown = ", ".join(missed[:4]) + (f" and {len(missed) - 4} more" if len(missed) > 4 else "")
        target = "" if row.target is None else f"{100 * row.target:g}"
        lines.append(f"| {row.name} | {target} | {' | '.join(cells)} | {shown} |")
    return lines


def quality_table(results: dict[str, Any]) -> list[str]:
    """The targets at standard robustness, then one line a robustness: PSNR, SSIM, JOD, strength, largest change."""
    psnr, jod, worst = (QUALITY_TARGETS[name] for name in ("mean_psnr_db", "mean_jod", "worst_jod"))
    lines = [
        "| robustness | mean PSNR dB (worst) | mean SSIM | mean JOD (worst) | mean strength dB "
        "| largest change of a value |",
        "|---|---|---|---|---|---|",
        f"| target of standard | {psnr:g} | | {jod:g} ({worst:g}) | | |",
    ]
    for level, images in results["envelope"].items():
        quality, targets = measured_quality(results, level), QUALITY_TARGETS if level == "standard" else {}
        shown = [
            _beside(value, digits, targets.get(name, 0.0))
            for (name, value), digits in zip(quality.items(), (2, 3, 2), strict=True)
        ]
        jods = results["jod"].get(level)
        seen = f"{shown[1]} ({shown[2]}), {len(jods)} images" if jods else "not measured"
        ssim, strength = (fmean([image[name] for image in images]) for name in ("ssim", "strength"))
        lines.append(
            f"| {level} | {shown[0]} ({min(image['psnr'] for image in images):.1f}) | {ssim:.4f} | {seen} "
            f"| {strength:.1f} | {max(image['largest_change'] for image in images)} of 255 |"
        )
    return lines


def _beside(value: float | None, digits: int, target: float) -> str:
    """A value, with a word if it is below its target."""
    return "" if value is None else f"{value:.{digits}f}{' **missed**' * (value < target)}"


def nothing_section(results: dict[str, Any]) -> list[str]:
    """What was found where nothing is."""
    lines = []
    if "nothing" in results:
        total = results["nothing"]["total"]
        _, high = wilson(total["found"], total["attempts"])
        lines.append(
            f"{total['attempts']} decode attempts ({total['tags']} tags compared) on unmarked images and on marked "
            f"ones under wrong keys, attacked and not, whatever their bit energy: **{total['found']} found** "
            f"(upper bound of the share {high:.1e}; expected {total['tags'] * 2.0**-32:.1e} finds)."
        )
        lines += [f"They were {note}"] if (note := results["nothing"].get("note")) else []
    images = [image for level in results["envelope"].values() for image in level]
    found = sum(sum(image["found_where_nothing_is"].values()) for image in images)
    wrong = sum(outcome["wrong"] for row in measured_rows(images) for outcome in outcomes(images, row.name))
    searches = sum(len(image["found_where_nothing_is"]) for image in images)
    lines.append(
        f"{searches} full searches of unmarked images and under a wrong key: {found} found. "
        f"Wrong payloads read from attacked copies of marked images: {wrong}."
    )
    return lines


def equal_bytes_lines(total: dict[str, Any]) -> list[str]:
    """How the row of equal bytes came about, from the total of :mod:`benchmarks.equal_bytes`."""
    quality, larger = total["quality"], total["larger_even_at_1"]
    return [
        f"{EQUAL_BYTES.name}: for each image the highest quality whose file is no larger than that of WebP 50,",
        f"headers included: {quality['lowest']:g} to {quality['highest']:g}, median {quality['median']:g}"
        + (f"; {larger} larger even at quality 1." if larger else "."),
    ]


def time_lines(images: list[dict[str, Any]]) -> list[str]:
    """Median milliseconds of embedding and of full-search detection by attack family."""
    small = [image for image in images if image["height"] * image["width"] < 500_000]
    if not small:
        return ["No images of the size of Kodak's were measured."]

    def reading(name: str) -> str:
        return f"{median([outcome['ms'] for outcome in outcomes(small, name)]):.0f} ms"

    embedding = 1000 * median([image["embed_seconds"] for image in small])
    return [
        f"Kodak-sized images ({len(small)}), one thread, two processes: embedding {embedding:.0f} ms; "
        f"reading with full search {reading('identity')} as marked, {reading('crop, side 0.71 (area 0.50)')} cropped, "
        f"{reading('rotate 30 degrees, corners cut')} rotated.",
    ]


def page(results: dict[str, Any]) -> str:
    """The whole page as Markdown."""
    standard = results["envelope"]["standard"]
    lines = [
        "# Operating envelope",
        "",
        "Generated by `make envelope DATA=FOLDER` (that is `python -m benchmarks.envelope_table`); do not edit.",
        "",
        f"{len(standard)} photographs (Kodak at full size and the photographs of the validation pack), each with",
        "a fresh key and a random 64-bit payload; marked files rounded to 8 bits as PNG; real codecs (Pillow), JPEG",
        "with colour at half resolution (4:2:0); resizing is bicubic, antialiased; blind detection with full search.",
        "Recovered means: the payload exactly.",
        "Shares in per cent with 95 % Wilson intervals, which take several copies of one image as independent.",
        "Refused are copies whose short side is under 128 pixels, the least that a detector takes.",
        *results["notes"],
        "",
        "## Quality",
        "",
        *quality_table(results),
        "",
        "JOD: ColorVideoVDP 0.5.7, display `standard_fhd` (`benchmarks/jod.py`); 10 is no visible difference.",
        "Without torchvision its blur comes from a stand-in (`benchmarks/jod_torchvision.py`), as here.",
        "The last column is the largest change measured; no limit guarantees it.",
        "PSNR is no measure of visibility; it is here to compare with what others print.",
        "",
        "![A flat sky, its contrast magnified four times: unmarked, standard, high](flat_sky.png)",
        "",
        "Flat sky, its contrast magnified four times (`python -m benchmarks.flat_sky`): unmarked, `standard`, `high`.",
        "A mottled pattern can be seen so; the aim that even this shows nothing is missed.",
        "",
        "## Robustness",
        "",
        *robustness_table(results["envelope"]),
        "",
        *([*equal_bytes_lines(results["equal_bytes"]), ""] if "equal_bytes" in results else ()),
        "## Where nothing is",
        "",
        *nothing_section(results),
        "",
        "## Time",
        "",
        *time_lines(standard),
        "",
        *([*budgets.section(results["speed"]), ""] if results.get("speed") else ()),
    ]
    return "\n".join(lines)


SUMMARY = ("<!-- envelope: made by benchmarks.envelope_table -->\n", "<!-- end of envelope -->\n")
_SUMMARISED = (
    "crop, side 0.32 (area 0.10)",
    "crop, side 0.5 (area 0.25)",
    "brightness x 1.5",
    "resize x 0.25",
    "JPEG 50",
    "JPEG 30",
    "WebP 50",
    "AVIF 40",
    "crop, side 0.71 (area 0.50)",
    "rotate 45 degrees, corners cut",
    "Gaussian noise, sigma 0.04",
    "JPEG 60 + crop side 0.71 + brightness x 0.5",
    "screenshot: resize x 0.6, crop 5 %, PNG, JPEG 85",
    "perspective, distortion 0.5",
    "screen and camera (simulated)",
    "overwritten with another key",
)


def summary(results: dict[str, Any]) -> str:
    """A short table for the README: some rows at standard robustness."""
    images = results["envelope"]["standard"]
    jods = [line["jod"] for line in results["jod"].get("standard", [])]
    seen = f", {fmean(jods):.2f} JOD" if jods else ""
    lines = [
        f"Default robustness, {len(images)} photographs, "
        f"mean {fmean(image['psnr'] for image in images):.1f} dB PSNR{seen}:",
        "",
        "| attack | payload recovered exactly |",
        "|---|---|",
    ]
    for name in _SUMMARISED:
        read = [outcome["recovered"] for outcome in outcomes(images, name)]
        lines.append(f"| {name} | {100 * fmean(read):.1f} % of {len(read)} |")
    return "\n".join([*lines, ""])


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--out", type=Path, default=Path("docs/envelope.md"))
    parser.add_argument("--readme", type=Path, default=Path("README.md"))
    arguments = parser.parse_args()
    results = load(arguments.results)
    arguments.out.write_text(page(results))
    arguments.readme.write_text(with_part(arguments.readme.read_text(), SUMMARY, summary(results)))


if __name__ == "__main__":
    main()
