"""``watermark bench methods``."""

from __future__ import annotations

import json

import click


def print_methods(as_json: bool) -> None:
    """Print all methods, one a line: what each is, or what is missing where it cannot run."""
    from benchmarks.methods import method, method_names
    from benchmarks.runner.run import describe

    rows, _ = describe(method_names(), method)
    for row in rows:
        if as_json:
            click.echo(json.dumps({"schema": 1, **row}))
        elif row["status"] == "missing":
            click.echo(f"{row['name']:20} missing: {row['reason'].removeprefix('MethodMissing: ')}")
        else:
            click.echo(
                f"{row['name']:20} {row['version']}, {row['message_bits']} bits, "
                f"{'blind' if row['blind'] else 'claimed'}, {'keyed' if row['keyed'] else 'no key'}, {row['licence']}"
            )
