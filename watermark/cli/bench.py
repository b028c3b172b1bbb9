"""``watermark bench``: measure methods, report and compare results."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from watermark.cli.options import json_option
from watermark.errors import OutputExists, UsageError

TIERS = ("smoke", "core", "equal", "forensic")
PRESETS = ("meta", "omniseal", "wbench", "waves", "stirmark")
_force_option = click.option("--force", is_flag=True, help="Overwrite what --out names.")


@click.group("bench")
def command() -> None:
    """Measure watermarking methods against attacks, report and compare results."""


@command.command("run")
@click.option("--tier", type=click.Choice(TIERS), help="How much is measured; this or --preset.")
@click.option("--preset", type=click.Choice(PRESETS), help="Measure on the grid of a published benchmark instead.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Folder of pictures, all photographs but for what a manifest.csv says; smoke does without.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Result, JSON.")
@click.option(
    "--kinds",
    default="photo",
    show_default=True,
    help="Kinds of pictures, separated by commas; all for every picture.",
)
@click.option(
    "--only", default="", metavar="PREFIX[,PREFIX]", help="Only pictures whose names begin so: kodim for Kodak's."
)
@click.option("--methods", help="Methods, separated by commas; those of the tier, or all, if not given.")
@click.option(
    "--points",
    default="default",
    show_default=True,
    help='Operating points, separated by commas: default, "psnr 42", "jod 9.8"; or all.',
)
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Processes of one thread each.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of keys, messages and attacks.")
@click.option(
    "--limit", type=click.FloatRange(0, min_open=True), default=1800, show_default=True, help="Seconds a job."
)
@click.option(
    "--jod",
    type=click.Path(path_type=Path),
    help="Python of ColorVideoVDP's environment, for JOD of marked pictures and points in JOD.",
)
@click.option(
    "--cache",
    type=click.Path(path_type=Path),
    default=Path("build/bench/cache"),
    show_default=True,
    help="Keeps finished jobs, so that a run that was stopped goes on.",
)
@click.option("--refresh", is_flag=True, help="Do every job again, and keep what comes in place of what --cache holds.")
@click.option(
    "--megapixels", type=click.FloatRange(0, min_open=True), help="Larger pictures are refused; 2 if not given."
)
@click.option(
    "--keys",
    type=click.IntRange(0),
    help="Keys of nobody under which pictures without a mark are read; those of the tier if not given. A method that "
    "is not blind and has no key gets as many messages claimed of one reading.",
)
@_force_option
def run_command(
    tier: str | None,
    preset: str | None,
    data: Path | None,
    out: Path,
    kinds: str,
    only: str,
    methods: str | None,
    points: str,
    workers: int,
    seed: int,
    limit: float,
    jod: Path | None,
    cache: Path,
    refresh: bool,
    megapixels: float | None,
    keys: int | None,
    force: bool,
) -> None:
    """Mark pictures, attack them, read them, and write one result.

    What fails is a row of the result with its reason. Exits with 3 if nothing at all could be measured, with 130 after
    Ctrl-C or SIGTERM; the result is written all the same.
    """
    from benchmarks.methods import MethodError, method, method_names
    from benchmarks.runner.cache import Cache
    from benchmarks.runner.pictures import find_pictures
    from benchmarks.runner.plan import Plan
    from benchmarks.runner.points import ALL_POINTS, check_point
    from benchmarks.runner.provenance import repeatable, revision
    from benchmarks.runner.result import shortfalls, write_result
    from benchmarks.runner.run import STOPPED, run
    from watermark.cli.bench_tier import choose_tier

    _refuse_existing([out], force)
    chosen = choose_tier(tier, preset, megapixels, keys)
    if data is None and tier != "smoke":
        raise UsageError(f"a run of {chosen.name} needs --data FOLDER, a folder of pictures")
    if data is None and (only or kinds != "photo"):
        raise UsageError("--kinds and --only choose among the pictures of a folder; give --data FOLDER")
    plan = Plan(
        chosen,
        find_pictures(data, None if kinds == "all" else _split(kinds), _split(only)),
        _split(methods) if methods is not None else chosen.methods or method_names(),
        ALL_POINTS if points == "all" else tuple(map(check_point, _split(points))),
        seed,
    )
    out.parent.mkdir(parents=True, exist_ok=True)  # before the work, not after it
    source = revision()  # now, since the tree may change while the run lasts
    with _terminable():
        result = run(plan, method, Cache(cache, refresh), workers, limit, jod)
    date = datetime.now(UTC).isoformat(timespec="seconds")
    arguments = repeatable(click.get_current_context().params, plan.methods)
    write_result({"date": date, **source, "arguments": arguments, **result}, out)
    rows = [*result["embeds"], *result["reads"]]
    counts = ", ".join(
        f"{sum(row['status'] == status for row in rows)} {status}" for status in ("ok", "refused", "failed")
    )
    click.echo(f"wrote {click.format_filename(out)}: rows {counts}", err=True)
    for line in shortfalls(result):
        click.echo(line, err=True)
    if any(STOPPED in (row["reason"] or "") for row in result["embeds"]):
        sys.exit(130)
    if all(row["status"] != "ok" for row in rows):
        raise MethodError("nothing was measured, for the reasons above")


@command.command("methods")
@json_option
def methods_command(as_json: bool) -> None:
    """List methods, and what is missing where one cannot run."""
    from watermark.cli.bench_methods import print_methods

    print_methods(as_json)


@command.command("report")
@click.argument("result", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the report.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the run's pictures; adds a gallery.")
@click.option(
    "--forensic",
    type=click.Path(path_type=Path),
    help="Result of the forensic tier, which gives the evidence its false positives.",
)
@click.option("--date", help="Of the measurement, for the evidence; the result's own date if not given.")
@_force_option
@json_option
def report_command(
    result: Path, out: Path, data: Path | None, forensic: Path | None, date: str | None, force: bool, as_json: bool
) -> None:
    """Write a result as a page, a table for a README, CSV, and evidence for a registry.

    The gallery marks a few pictures again, as the run did.
    """
    from benchmarks.methods import method
    from benchmarks.report.write import FILES, write_report
    from benchmarks.runner.result import read_result

    _refuse_existing([out / name for name in FILES], force)
    values = read_result(result)
    date = date or values.get("date") or datetime.fromtimestamp(result.stat().st_mtime, UTC).date().isoformat()
    nulls = None if forensic is None else read_result(forensic)
    files = [str(path) for path in write_report(values, out, method, date, data, nulls)]
    if as_json:
        click.echo(json.dumps({"schema": 1, "files": files}))
    else:
        for file in files:
            click.echo(f"wrote {click.format_filename(file)}", err=True)


@command.command("compare")
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
@json_option
def compare_command(first: Path, second: Path, as_json: bool) -> None:
    """Say what result SECOND reads worse than result FIRST.

    A regression is a share of exact messages that fell by more than chance allows, for one attack (exact McNemar test)
    or for all attacks together (Wilcoxon test over pictures); in the smoke tier any exact message lost, and everywhere
    a find where no mark can be and SECOND alone has one. Exits with 1 if there is any, with 2 where nothing compares.

    Both tests are two-sided at p < .01; the first sees nothing of fewer than 8 copies that differ, the second of fewer
    than 7 pictures. The core tier makes about 70 for each method, uncorrected for their number, so of two results that
    differ by chance alone one may be called a regression.
    """
    from benchmarks.runner.compare import compare
    from benchmarks.runner.result import read_result

    changes = compare(read_result(first), read_result(second))
    for change in changes:
        if as_json:
            click.echo(json.dumps({"schema": 1, **asdict(change)}))
        elif change.before != change.after or change.regression:
            verdict = "regression" if change.regression else "changed"
            click.echo(
                f"{verdict}: {change.method}, {change.point}, {change.kind}, {change.attack}: "
                f"{change.before} -> {change.after} of {change.pairs} (p = {change.p:.2g})"
            )
    regressions = sum(change.regression for change in changes)
    click.echo(f"{len(changes)} cells compared, {regressions} regressions", err=True)
    sys.exit(1 if regressions else 0)


def _refuse_existing(paths: Sequence[Path], force: bool) -> None:
    """Raise OutputExists for the first path that is there, unless it may be overwritten."""
    for path in paths:
        if path.exists() and not force:
            raise OutputExists(f"{path} exists; give --force to overwrite it")


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM interrupts as Ctrl-C does, so that what is done gets written."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _split(text: str) -> tuple[str, ...]:
    """Values separated by commas, each once."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",")))
