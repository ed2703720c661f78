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
@json_option
def command(tag: str, assignment: str, as_json: bool) -> int:
    """Change a property of a resource on all its servers: switchback=intelligent|automatic, or tag=NEW."""
    name, equals, value = assignment.partition("=")
    if not equals:
        raise click.UsageError(f"{assignment!a} is not NAME=VALUE")

    def change(action: Action) -> Result:
        after = properties.change(action, name, value)
        return Result(f"{after.tag}: {name} is {value}", {"resource": after.as_dict()})

    return deed.run("set", tag, change, as_json=as_json)
