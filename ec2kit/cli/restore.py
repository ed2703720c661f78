"""`ec2kit restore`."""

from __future__ import annotations

import click

from ec2kit import service
from ec2kit.action import Action
from ec2kit.cli import deed
from ec2kit.cli.result import Result, json_option


@click.command("restore")
@deed.tag_argument
@json_option
def command(tag: str, as_json: bool) -> int:
    """Bring a resource in service on this server."""

    def restore(action: Action) -> Result:
        service.must_be_topmost(action)
        return deed.changes("in service here", service.bring_in_service(action))

    return deed.run("restore", tag, restore, as_json=as_json)
