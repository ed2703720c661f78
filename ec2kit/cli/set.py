"""`ec2kit set`."""

from __future__ import annotations

import click

from ec2kit import properties
from ec2kit.action import Action
from ec2kit.cli import deed
from ec2kit.cli.result import Result, json_option


@click.command("set")
@deed.tag_argument
@click.argument("assignment", metavar="NAME=VALUE")
@click.option("--server", metavar="NAME", help="Whose priority; default: this server's.")
@json_option
def command(tag: str, assignment: str, server: str | None, as_json: bool) -> int:
    """Change a resource on all its servers: switchback=intelligent|automatic, priority=1-999, or tag=NEW."""
    name, equals, value = assignment.partition("=")
    if not equals:
        raise click.UsageError(f"{assignment!a} is not NAME=VALUE")

    def change(action: Action) -> Result:
        after = properties.change(action, name, value, server=server)
        return Result(f"{after.tag}: {name} is {value}", {"resource": after.as_dict()})

    return deed.run("set", tag, change, as_json=as_json)
