"""``watermark attack --list``, and which attacks the command line can run."""

from __future__ import annotations

import dataclasses
import json
import shlex
from typing import TYPE_CHECKING, Any, Literal, get_origin

import click

if TYPE_CHECKING:
    from attacks import Attack


def flag(parameter: str) -> str:
    """The option of a parameter."""
    return f"--{parameter.replace('_', '-')}"


def beyond_files(entry: type[Attack]) -> list[str]:
    """The fields of ``Knowledge`` that an attack needs and no file gives; with any, it runs from Python only."""
    return [f"Knowledge.{need}" for need in entry.facts.needs if need != "weights"]


def print_list(entries: list[type[Attack]], as_json: bool) -> None:
    """Print attacks with their parameters, one a line of JSON or two lines of text."""
    from attacks.limits import stated_limits
    from attacks.plain import defaults, kind_name, parameters, to_plain, to_text

    for entry in entries:
        facts, given, limits = entry.facts, defaults(entry), stated_limits(entry)
        if as_json:
            described = {
                name: {"kind": kind_name(kind)}
                | ({"range": str(limits[name])} if name in limits else {})
                | ({"default": to_plain(given[name])} if name in given else {})
                for name, kind in parameters(entry).items()
            }
            click.echo(json.dumps({"schema": 1, **dataclasses.asdict(facts), "parameters": described}))
        else:
            shown = "--weights FOLDER " * ("weights" in facts.needs) + " ".join(
                f"{flag(name)} {shlex.quote(to_text(given[name])) if name in given else kind_name(kind)}"
                + (f" ({allowed})" if (allowed := limits.get(name) or _choices(kind)) else "")
                for name, kind in parameters(entry).items()
            )
            remarks = [f"gradient: {facts.gradient}", *["may change the size"] * facts.resizes]
            if beyond := beyond_files(entry):
                remarks.append(f"from Python only, as it needs {' and '.join(beyond)}")
            click.echo(f"{facts.name:24} {facts.family:12} {facts.unit}; {'; '.join(remarks)}\n{'':37} {shown}")


def _choices(kind: Any) -> str:
    """The values of a parameter that has a few, else nothing."""
    from attacks.plain import kind_name

    return kind_name(kind) if get_origin(kind) is Literal else ""
