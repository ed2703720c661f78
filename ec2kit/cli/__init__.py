"""The admin CLI: a lazy group of commands, one net for errors, one result with two renderings."""

from __future__ import annotations

import importlib

import click

from ec2kit import __version__, edge
from ec2kit.errors import Ec2KitError, Stopped

COMMANDS = {
    "create": "ec2kit.cli.create",
    "extend": "ec2kit.cli.extend",
    "canextend": "ec2kit.cli.canextend",
    "unextend": "ec2kit.cli.unextend",
    "delete": "ec2kit.cli.delete",
    "restore": "ec2kit.cli.restore",
    "remove": "ec2kit.cli.remove",
    "quickCheck": "ec2kit.cli.quick_check",
    "recover": "ec2kit.cli.recover",
    "status": "ec2kit.cli.status",
    "verify": "ec2kit.cli.verify",
    "properties": "ec2kit.cli.properties",
    "set": "ec2kit.cli.set",
    "messages": "ec2kit.cli.messages",
    "install": "ec2kit.cli.install",
    "uninstall": "ec2kit.cli.uninstall",
    "sandbox": "ec2kit.cli.sandbox",
    "peer": "ec2kit.cli.peer",
}
"""Command → the module that has it, as `command`; only the one that is called is imported."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = importlib.import_module(module).command
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ec2kit")
def ec2kit() -> None:
    """Move an HA cluster's address on AWS: VPC routes and Elastic IPs, through the EC2 API."""


def main() -> None:
    """Run the command line; an error becomes one line and an exit status, never a traceback."""
    status = 1
    try:
        status = int(ec2kit.main(standalone_mode=False) or 0)
    except click.exceptions.Exit as end:
        status = end.exit_code
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except click.Abort:
        click.echo("aborted", err=True)
    except (Ec2KitError, Stopped) as error:
        click.echo(f"ec2kit: {edge.in_spoken_language(error)}", err=True)
    except BrokenPipeError:
        status = 0
    except Exception as error:
        edge.unexpected(edge.open_action("ec2kit", "").log, error)
    edge.leave(status)


if __name__ == "__main__":
    main()
