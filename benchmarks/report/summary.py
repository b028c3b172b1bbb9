"""A result as Markdown, for a README."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.report.kinds import kind_lines
from benchmarks.report.markdown import escaped, markdown_table
from benchmarks.report.nulls import NULLS
from benchmarks.report.quality import quality_mean, unmeasured
from benchmarks.report.results import UNATTACKED, Mean, Result, Series, Share, done, gaps, percent, span
from benchmarks.report.versus import versus_lines
from benchmarks.runner.plan import DEFAULT_POINT

_TAMPERED = {"double": "survives double", "average": "survives average", "copy": "forged by copy"}


def summary(result: Result, brief: bool = False) -> str:
    """A short table as Markdown, a line a method and operating point, and what must be said under it.

    Args:
        result: the result.
        brief: narrow enough for a README: the first point of each method and the families, without intervals.
    """
    shown = result.leading if brief else result.series
    jod = any(row["jod"] is not None for row in result.values["embeds"])
    kinds = [] if brief else [kind for kind in _TAMPERED if any(result.reads(series, kind) for series in shown)]
    head = ["method", "message", "PSNR dB", *(["JOD"] if jod else []), *result.families]
    head += [] if brief else ["wrong messages", "false positives", *(_TAMPERED[kind] for kind in kinds)]
    rows = []
    for series in shown:
        method = result.methods[series.method]
        embeds = result.embeds(series)
        cells = [escaped(str(series)), f"{method['message_bits']} bits, {'blind' if method['blind'] else 'claimed'}"]
        cells.append(_quality(quality_mean(embeds, "psnr"), 1))
        cells += [_quality(quality_mean(embeds, "jod"), 2)] if jod else []
        cells += [_mean(result.exact_mean(series, attacks), brief) for attacks in result.families.values()]
        cells += [] if brief else [_wrong(result, series), _false_positives(result, series)]
        rows.append([*cells, *(_tampered(result, series, kind) for kind in kinds)])
    rows += [
        [escaped(name), f"missing: {escaped(method['reason'])}"]
        for name, method in result.methods.items()
        if method["status"] == "missing"
    ]
    parts = [markdown_table(head, rows), [_caption(result, shown, brief)], _not_marked(result, shown, brief)]
    parts += [] if brief else [kind_lines(result), versus_lines(result)]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _caption(result: Result, shown: Sequence[Series], brief: bool) -> str:
    values = result.values
    pictures = len(values["data"]["images"])
    intervals = "" if brief else ", with 95 % intervals where pictures differ"
    sentences = [
        f"Exact messages in per cent by family of attacks{intervals}; {pictures} picture{'s' * (pictures != 1)}, "
        f"{values['tier']} tier, seed {values['seed']}.",
        "Claimed: told the message that it should find; blind: told nothing.",
    ]
    alone = [f"{family} ({attacks[0]})" for family, attacks in result.families.items() if len(attacks) == 1]
    if single := [escaped(text) for text in alone if not text.startswith(UNATTACKED)]:
        sentences.append(f"Families of one attack: {', '.join(single)}.")
    if all(series.point == DEFAULT_POINT for series in shown):
        sentences.append("Each at its default strength, so not at equal quality.")
    if not brief:
        rows = ", ".join(gaps([*values["embeds"], *values["reads"]])) or "none"
        sentences += [
            "At most: upper end of the 95 % Clopper-Pearson interval, copies of one picture taken as independent.",
            f"Rows not done: {rows}.",
            f"Quality not measured: {', '.join(unmeasured(result)) or 'none'}.",
        ]
    return " ".join(sentences)


def _not_marked(result: Result, shown: Sequence[Series], brief: bool) -> list[str]:
    """Points that the table leaves out; if ``brief``, only those of methods that it leaves out."""
    named = {series.method for series in shown} if brief else set()
    left_out = {series: reason for series, reason in result.not_marked.items() if series.method not in named}
    lines = [f"- {escaped(f'{series.method}, {series.point}: {reason}')}" for series, reason in left_out.items()]
    return ["Not one picture could be marked at:", "", *lines] if lines else []


def _quality(found: Mean | None, places: int) -> str:
    return "not measured" if found is None else f"{found.value:.{places}f}"


def _mean(found: Mean | None, brief: bool) -> str:
    if found is None:
        return "-"
    varied = not brief and found.interval is not None and found.interval[0] < found.interval[1]
    return percent(found.value) + (f" ({span(found.interval)})" if varied else "")


def _wrong(result: Result, series: Series) -> str:
    share = result.share(result.reads(series, "marked"), "wrong")
    return "-" if share is None else share.bounded()


def _false_positives(result: Result, series: Series) -> str:
    rows = [row for kind in NULLS for row in done(result.reads(series, kind))]
    return Share(sum(row["present"] for row in rows), len(rows)).bounded() if rows else "not measured"


def _tampered(result: Result, series: Series, kind: str) -> str:
    """How many marked pictures were read exactly; of copies, in how many other pictures the mark was found."""
    rows = result.reads(series, kind)
    share = result.share(done(rows), "present") if kind == "copy" else result.share(rows, "exact")
    return "-" if share is None else f"{share.hits} of {share.trials}"
