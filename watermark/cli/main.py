"""The command ``watermark``: its group, and how errors end it.

Commands import what they need when they run, so that ``watermark --help`` is quick.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any, NoReturn

import click

from watermark import __version__
from watermark.errors import WatermarkError

# Order is that of the help page; each module holds a click command named ``command``.
_COMMANDS = {
    "keygen": "Make a secret key file.",
    "embed": "Mark a picture.",
    "detect": "Read the mark of pictures.",
    "check": "Compare a picture with a claimed payload.",
    "attack": "Attack a picture.",
    "bench": "Measure methods against attacks.",
    "train": "Train new weights.",
    "doctor": "Say what ails a training run.",
    "demo": "Mark, attack and read a bundled photograph.",
    "info": "Show version, weights and keys.",
}


class _Commands(click.Group):
    """Commands by name, loaded on use; errors become one line, with --json an object too, and an exit code."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"watermark.cli.{name}").command
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def invoke(self, context: click.Context) -> Any:
        as_json = "--json" in context.args  # asked before they are parsed, as that may fail too
        try:
            try:
                return super().invoke(context)
            except click.ClickException as error:  # click says the rest
                _print_error(error.format_message(), as_json)
                raise
            except WatermarkError as error:
                _end(str(error), error.exit_code, as_json)
            except BrokenPipeError:
                raise
            except MemoryError:
                _end("not enough memory for this picture", 3, as_json)
            except OSError as error:
                _end(str(error), 3, as_json)
        except BrokenPipeError:  # nobody reads on: end quietly, but not as click would, with 1 for "not found"
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(3)


def _end(message: str, code: int, as_json: bool) -> NoReturn:
    click.echo(f"watermark: {message}", err=True)
    _print_error(message, as_json)
    sys.exit(code)


def _print_error(message: str, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"schema": 1, "error": message}))


@click.group(cls=_Commands)
@click.version_option(__version__, message="%(version)s")
def main() -> None:
    """Invisible keyed marks in images: write them, read them back.

    Exit codes: 0 found or done, 1 not found, 2 usage, 3 could not decide.
    """


if __name__ == "__main__":
    main()
