"""Runs the `ec2kit` command: a lazy group of commands, each of which renders one result for a person or a program."""

from __future__ import annotations

import importlib
import io

import click

from ec2kit import __version__
from ec2kit.actions.table import ACTIONS
from ec2kit.cli import commands
from ec2kit.errors import Ec2KitError, Stopped
from ec2kit.frameworks import edge
from ec2kit.messages import stderr
from ec2kit.messages.catalogue import Level

COMMANDS = {
    "plan": "ec2kit.cli.plan",
    "history": "ec2kit.cli.history",
    "explain": "ec2kit.cli.explain",
    "status": "ec2kit.cli.status",
    "doctor": "ec2kit.cli.doctor",
    "iam-policy": "ec2kit.cli.iam_policy",
    "standby": "ec2kit.cli.standby",
    "probe": "ec2kit.cli.probe",
    "notices": "ec2kit.cli.notices",
    "verify": "ec2kit.cli.verify",
    "properties": "ec2kit.cli.properties",
    "messages": "ec2kit.cli.messages",
    "network": "ec2kit.cli.network",
    "install": "ec2kit.cli.install",
    "uninstall": "ec2kit.cli.uninstall",
    "sandbox": "ec2kit.cli.sandbox",
    "peer": "ec2kit.cli.peer",
    "after-restore": "ec2kit.cli.after_restore",
}
"""Command that is no action → the module that has it as `command`; only the called one is imported."""

HIDDEN = frozenset({"peer", "after-restore"})
"""Those that only ec2kit itself runs."""


class LazyGroup(click.Group):
    """The group has the actions of the table and the other commands; each is made, or imported, when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*(name for name, spec in ACTIONS.items() if spec.command), *COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        spec = ACTIONS.get(cmd_name)
        if spec is not None and spec.command:
            return commands.of_action(spec)
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = importlib.import_module(module).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; name the one that was probably meant where there is none."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            meant = "" if args[0].startswith("-") else self._near(args[0])
            if not meant:
                raise
            raise click.UsageError(f"No such command {args[0]!r}. Did you mean {meant!r}?", ctx) from error

    @staticmethod
    def _near(name: str) -> str:
        """Return the command that differs from a name by the least; "" if none is near."""
        from difflib import get_close_matches

        shown = [*(each for each, spec in ACTIONS.items() if spec.command), *(COMMANDS.keys() - HIDDEN)]
        by_letters = {each.lower(): each for each in shown}
        near = get_close_matches(name.lower(), by_letters, n=1)
        return by_letters[near[0]] if near else ""


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ec2kit")
def ec2kit() -> None:
    """Move an HA cluster's address on AWS: VPC routes and Elastic IPs, through the EC2 API."""


def main() -> None:
    """Run the command line; an error becomes one line and an exit status, never a traceback."""
    status = 1
    try:
        edge.take_over()
        status = int(ec2kit.main(standalone_mode=False) or 0)
    except click.exceptions.Exit as end:
        status = end.exit_code
    except click.ClickException as error:
        stderr.say(Level.ERROR, _shown(error))
        status = error.exit_code
    except click.Abort:
        stderr.say(Level.ERROR, "aborted")
    except (Ec2KitError, Stopped) as error:
        stderr.say(Level.ERROR, f"ec2kit: {edge.in_spoken_language(error)}")
    except BrokenPipeError:
        status = 0
    except Exception as error:
        edge.unexpected(edge.open_action("ec2kit", "").log, error)
    edge.leave(status)


def _shown(error: click.ClickException) -> str:
    shown = io.StringIO()
    error.show(shown)
    return shown.getvalue().rstrip("\n")


if __name__ == "__main__":
    main()
