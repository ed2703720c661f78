"""`ec2kit delete`."""

from __future__ import annotations

import click

from ec2kit import hierarchy
from ec2kit.action import Action
from ec2kit.cli import deed
from ec2kit.cli.result import Result, json_option


@click.command("delete")
@deed.tag_argument
@click.option("--local", is_flag=True, help="On this server only, whatever the others know.")
@json_option
def command(tag: str, local: bool, as_json: bool) -> int:
    """Forget a resource on all servers; nothing is changed in AWS."""

    def delete(action: Action) -> Result:
        hierarchy.delete(action, local=local)
        return Result(f"{tag} forgotten; nothing was changed in AWS")

    return deed.run("delete", tag, delete, as_json=as_json)
