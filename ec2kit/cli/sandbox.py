"""The command `ec2kit sandbox` runs an embedded EC2 to try, test and measure against."""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from ec2kit.sandbox.client import NoSandbox, Sandbox
from ec2kit.sandbox.effects import EFFECTS
from ec2kit.sandbox.process import CannotStart, running, serve
from ec2kit.sandbox.rule import GENERAL, Argument

_FOLDER = click.Path(file_okay=False, path_type=Path)
_dir = click.option("--dir", "folder", type=_FOLDER, required=True, help="Folder for the sandbox's files.")
_nodes = click.option("--nodes", default=2, show_default=True, help="Number of servers.")
_tables = click.option("--tables", default=2, show_default=True, help="Number of route tables that have the VIP.")
_region = click.option("--region", default="us-east-1", show_default=True)
_tls = click.option("--tls", is_flag=True, help="EC2 and STS of each server speak HTTPS, with an authority in DIR.")


@click.group()
def command() -> None:
    """Run an embedded EC2 to try, test and measure against; no request leaves this machine."""


@command.command()
@_dir
@_nodes
@_tables
@_region
@_tls
@click.option("--port", type=int, help="First of the ports; default: any free ports.")
def start(folder: Path, nodes: int, tables: int, region: str, tls: bool, port: int | None) -> None:
    """
    Run a sandbox until SIGTERM or Ctrl-C.

    The sandbox is ready when DIR/nodeN.env of the last server exists; source DIR/node1.env to be the first server.
    """
    try:
        serve(folder, nodes=nodes, tables=tables, region=region, port=port, tls=tls, say=click.echo)
    except CannotStart as error:
        raise click.ClickException(str(error)) from error


@command.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--dir", "folder", type=_FOLDER, help="Folder for the sandbox's files; default: a temporary folder.")
@click.option("--node", default="node1", show_default=True, help="Server on which the command runs.")
@_nodes
@_tables
@_region
@_tls
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="COMMAND...")
@click.pass_context
def run(
    context: click.Context,
    folder: Path | None,
    node: str,
    nodes: int,
    tables: int,
    region: str,
    tls: bool,
    words: tuple[str, ...],
) -> None:
    """Start a sandbox, run COMMAND as one of its servers, stop the sandbox; exit with the status of COMMAND."""
    signal.signal(signal.SIGTERM, lambda *_: context.exit(128 + signal.SIGTERM))
    with ExitStack() as stack:
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ec2kit-sandbox-")))
        try:
            description = stack.enter_context(running(place, nodes=nodes, tables=tables, region=region, tls=tls))
        except CannotStart as error:
            raise click.ClickException(str(error)) from error
        if node not in description["nodes"]:
            raise click.UsageError(f"no server {node!r}; there are {', '.join(description['nodes'])}")
        environment = description["nodes"][node]["environment"]
        shell = ["sh", "-c", '. "$1" && shift && exec "$@"', "sh", environment, *words]
        status = subprocess.run(shell, check=False).returncode
    context.exit(status if status >= 0 else 128 - status)


def _options_of_a_rule(function: Any) -> Any:
    """Add an option for each argument of rules and effects, from the table of effects."""
    users: dict[str, list[str]] = {}
    arguments: dict[str, Argument] = {argument.name: argument for argument in GENERAL}
    for name, effect in EFFECTS.items():
        for argument in effect.arguments:
            arguments.setdefault(argument.name, argument)
            users.setdefault(argument.name, []).append(name)
    for argument in reversed(arguments.values()):
        whose = f" For {', '.join(users[argument.name])}." if argument.name in users else ""
        function = click.option(f"--{argument.name}", type=argument.form, help=argument.help + whose)(function)
    return function


def _one_line_an_effect() -> str:
    """Return name, sentence, services other than EC2, and defaults of each effect, as click shows them unwrapped."""
    lines = []
    for name, effect in EFFECTS.items():
        services = "" if effect.services == ("ec2",) else f" [{', '.join(effect.services)}]"
        defaults = [f"--{each.name} {each.default}" for each in effect.arguments if each.default is not None]
        lines.append(f"{name:<12}{effect.summary}{services}")
        lines += [f"{'':<12}{' '.join(defaults)}"] if defaults else []
    return "\b\nEffects:\n  " + "\n  ".join(lines)


@command.command(epilog=_one_line_an_effect())
@_dir
@click.argument("effect")
@_options_of_a_rule
def fault(folder: Path, effect: str, **options: Any) -> None:
    """Disturb calls from now on, and print the number of the fault."""
    told = {name: value for name, value in options.items() if value is not None}
    click.echo(_asked(lambda: Sandbox(folder).fault(effect, **told)))


@command.command()
@_dir
def faults(folder: Path) -> None:
    """List the faults, one JSON object a line."""
    for rule in _asked(lambda: Sandbox(folder).faults()):
        click.echo(json.dumps(rule))


@command.command()
@_dir
@click.argument("number", required=False, type=int, metavar="[ID]")
def clear(folder: Path, number: int | None) -> None:
    """Remove one fault, or all."""
    _asked(lambda: Sandbox(folder).clear(number))


def _asked(question: Any) -> Any:
    try:
        return question()
    except NoSandbox as error:
        raise click.ClickException(str(error)) from error
