"""``watermark doctor``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from watermark.cli.options import json_option

_EXIT_CODES = {"healthy": 0, "ill": 1, "undecided": 3}


@click.command("doctor")
@click.argument("run", type=click.Path(path_type=Path))
@json_option
def command(run: Path, as_json: bool) -> None:
    """Say what ails the training in RUN, the --out folder of train, and which setting helps.

    Exits with 0 if the run is healthy, 1 if it is ill, 3 if it has too few steps to tell.
    """
    from watermark.training.doctor import examine

    diagnosis = examine(run)
    if as_json:
        findings = [asdict(finding) for finding in diagnosis.findings]
        line = {"schema": 1, "verdict": diagnosis.verdict, "step": diagnosis.step, "findings": findings}
        click.echo(json.dumps(line))
    else:
        click.echo(f"{click.format_filename(run)}: {diagnosis.verdict} at step {diagnosis.step}")
        for finding in diagnosis.findings:
            click.echo(f"  {finding.name}: {finding.cause}; {finding.knob}")
    sys.exit(_EXIT_CODES[diagnosis.verdict])
