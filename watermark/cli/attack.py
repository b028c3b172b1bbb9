"""``watermark attack``."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from watermark.cli.attack_list import beyond_files, flag, print_list
from watermark.cli.options import compute_on_one_thread, json_option, naming, open_source
from watermark.errors import UsageError

if TYPE_CHECKING:
    from attacks import Attack
    from watermark.imaging import ImageFile

_PARAMETERS = f"{__name__}.parameters"  # where a context keeps the options of the attack that was named
_name_option = click.option("--name", metavar="NAME", help="The attack; with --help, show its parameters.")


@click.command(add_help_option=False, context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@_name_option
def _name_alone(name: str | None) -> None:
    """Parses nothing but the name, which says what else there is to parse."""


class _Value(click.ParamType):  # type: ignore[type-arg]  # not generic in older versions
    """The value of a parameter, of the kind that its annotation says."""

    def __init__(self, kind: Any) -> None:
        from attacks.plain import kind_name

        self._kind, self.name = kind, kind_name(kind)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from attacks.plain import from_text

        try:
            return from_text(value, self._kind)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _AttackCommand(click.Command):
    """Takes, beside its own options, the parameters of the attack that ``--name`` names."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        return [*super().get_params(ctx), *ctx.meta.get(_PARAMETERS, ())]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        name = _name_alone.make_context(ctx.info_name, list(args)).params["name"]
        if name is None:
            return super().parse_args(ctx, args)
        entry = _named(name)
        own = {parameter.name for parameter in self.params}  # --seed is one of them
        ctx.meta[_PARAMETERS] = [option for option in _parameter_options(entry) if option.name not in own]
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise UsageError(f"{error.format_message().rstrip('.')}; {_usage(entry)}") from error


@click.command("attack", cls=_AttackCommand)
@click.argument("source", metavar="IN", required=False, type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT", required=False, type=click.Path(path_type=Path))
@_name_option
@click.option(
    "--list", "listed", is_flag=True, help="List the attacks, or the one named, with units, defaults and ranges."
)
@click.option("--sample", is_flag=True, help="Draw the parameters by the attack's own sampler; needs --seed.")
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), metavar="N", help="Of --sample, or of an attack that draws at random."
)
@click.option(
    "--weights",
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Of a model on disk in the format of diffusers, for an attack that needs one.",
)
@click.option("--force", is_flag=True, help="Overwrite OUT; drop a C2PA manifest.")
@json_option
def command(
    source: Path | None,
    target: Path | None,
    name: str | None,
    listed: bool,
    sample: bool,
    seed: int | None,
    weights: Path | None,
    force: bool,
    as_json: bool,
    **parameters: Any,
) -> None:
    """Attack the picture IN and write it to OUT (JPEG, PNG, WebP or TIFF, by its suffix).

    The parameters of the attack are options too, as in "--name jpeg --quality 50"; those not given have their
    defaults. Metadata and depth stay as they are, and alpha where the size does. A JPEG is coded anew, with the
    tables of IN if that is one: write PNG or TIFF to keep what the attack made.
    """
    if listed:
        print_list(_all() if name is None else [_named(name)], as_json)
        return
    if source is None or target is None or name is None:
        raise UsageError("give IN, OUT and --name NAME; --list shows the names")
    given = {parameter: value for parameter, value in parameters.items() if value is not None}
    entry = _named(name)
    _check_knowledge(entry, weights)
    attack = _make(entry, given, sample, seed)
    image, kind = open_source(source, target, force)

    import numpy as np

    from watermark.attacked import has_alpha
    from watermark.files import write_atomically
    from watermark.imaging import encode_image

    compute_on_one_thread()
    with naming(source):
        attacked = _apply(attack, image, source, weights)
    if np.array_equal(attacked.pixels, image.pixels):
        click.echo("watermark: these parameters change nothing; see watermark attack --list", err=True)
    if kind == "JPEG" and entry.facts.family == "codec":
        click.echo(
            f"watermark: {target} is coded as JPEG after {name}; write PNG or TIFF to keep what it made", err=True
        )
    lost = list(image.losses(kind))
    if has_alpha(image) and not has_alpha(attacked):
        lost.append(f"alpha, as {name} changed the size,")
    for loss in lost:
        click.echo(f"watermark: {source}: {loss} will not be in {target}", err=True)
    with naming(source):
        coded = encode_image(attacked, attacked.pixels, kind)
    write_atomically(target, coded)
    _print_result(target, attack, weights, attacked, as_json)


def _named(name: str) -> type[Attack]:
    from attacks import ATTACKS
    from attacks.plugins import PluginError

    try:
        return ATTACKS[name]
    except (KeyError, PluginError) as error:
        raise UsageError(error.args[0]) from error


def _parameter_options(entry: type[Attack]) -> list[click.Parameter]:
    from attacks.limits import stated_limits
    from attacks.plain import defaults, parameters, to_text

    shown = {name: [str(limits)] for name, limits in stated_limits(entry).items()}
    for name, value in defaults(entry).items():
        shown.setdefault(name, []).append(f"default: {to_text(value)}")
    return [
        click.Option(
            [flag(name), name], type=(value := _Value(kind)), metavar=value.name, help="; ".join(shown.get(name, []))
        )
        for name, kind in parameters(entry).items()
    ]


def _usage(entry: type[Attack]) -> str:
    """Which parameters an attack takes, in one sentence."""
    from attacks.limits import stated_limits
    from attacks.plain import kind_name, parameters

    kinds = {name: kind_name(kind) for name, kind in parameters(entry).items()}
    for name, limits in stated_limits(entry).items():
        kinds[name] += f", {limits}"
    taken = ", ".join(f"{flag(name)} ({kind})" for name, kind in kinds.items())
    return f"{entry.facts.name} takes {taken or 'no parameters'}; in units: {entry.facts.unit}"


def _check_knowledge(entry: type[Attack], weights: Path | None) -> None:
    """Check that a folder of weights is given to an attack that needs one, and to no other.

    Raises:
        UsageError: it is not so, or the attack needs to know what no file can tell.
    """
    name = entry.facts.name
    if beyond := beyond_files(entry):
        raise UsageError(
            f"{name} needs more than a picture, {' and '.join(beyond)}, which no file gives; apply it from Python"
        )
    if "weights" in entry.facts.needs and weights is None:
        raise UsageError(f"{name} needs the weights of a model, none of which come with the toolkit; give --weights")
    if "weights" not in entry.facts.needs and weights is not None:
        raise UsageError(f"{name} needs no --weights; {_usage(entry)}")


def _make(entry: type[Attack], given: dict[str, Any], sample: bool, seed: int | None) -> Attack:
    """The attack with its parameters given, or drawn.

    Raises:
        UsageError: they make no sense.
    """
    import torch

    from attacks.plain import parameters

    name = entry.facts.name
    if sample:
        if seed is None or given:
            raise UsageError("--sample needs --seed, to be repeatable, and goes without parameters")
        return entry.sample(torch.Generator().manual_seed(seed))
    if seed is not None:
        if "seed" not in parameters(entry):
            raise UsageError(f"{name} draws nothing at random, so it takes --seed with --sample only; {_usage(entry)}")
        given["seed"] = seed
    try:
        return entry(**given)
    except (TypeError, ValueError) as error:  # one is missing, or out of range
        raise UsageError(f"{error}; {_usage(entry)}") from error


def _apply(attack: Attack, image: ImageFile, source: Path, weights: Path | None) -> ImageFile:
    from attacks import Knowledge
    from watermark.attacked import attack_file

    try:
        return attack_file(attack, image, Knowledge(weights=weights))
    except (OSError, MemoryError):
        raise
    except Exception as error:  # parameters that do not suit the picture end in anything
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise UsageError(f"{source}: {attack} cannot be applied: {reason}; {_usage(type(attack))}") from error


def _print_result(target: Path, attack: Attack, weights: Path | None, attacked: ImageFile, as_json: bool) -> None:
    from attacks.plain import parameters, to_plain, to_text

    height, width = attacked.pixels.shape[:2]
    if as_json:
        click.echo(json.dumps({"schema": 1, "file": str(target), "height": height, "width": width, **to_plain(attack)}))
        return
    options = ["--name", attack.facts.name]
    if weights is not None:
        options += ["--weights", str(weights)]
    for name in parameters(type(attack)):
        if (value := getattr(attack, name)) is not None:
            options += [flag(name), to_text(value)]
    click.echo(f"{click.format_filename(target)}: {width} x {height}, {shlex.join(options)}")


def _all() -> list[type[Attack]]:
    from attacks import ATTACKS
    from attacks.plugins import PluginError

    try:
        return list(ATTACKS.values())
    except PluginError as error:
        raise UsageError(str(error)) from error
