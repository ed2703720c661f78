"""`ec2kit unextend`."""

from __future__ import annotations

import click

from ec2kit import hierarchy
from ec2kit.action import Action
from ec2kit.cli import deed
from ec2kit.cli.result import Result, json_option


@click.command("unextend")
@deed.tag_argument
@click.option("--server", metavar="NAME", help="Default: this server.")
@click.option("--lost", is_flag=True, help="The server is gone for good and cannot be asked.")
@json_option
def command(tag: str, server: str | None, lost: bool, as_json: bool) -> int:
    """Take a server out of a resource; refused where it is in service."""

    def unextend(action: Action) -> Result:
        name = server or action.registry.server
        hierarchy.unextend(action, name, lost=lost)
        return Result(f"{tag} no longer on {name}")

    return deed.run("unextend", tag, unextend, as_json=as_json)
