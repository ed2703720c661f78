"""`ec2kit remove`."""

from __future__ import annotations

import click

from ec2kit import service
from ec2kit.cli import deed
from ec2kit.cli.result import json_option


@click.command("remove")
@deed.tag_argument
@json_option
def command(tag: str, as_json: bool) -> int:
    """Take a resource out of service on this server."""
    return deed.run(
        "remove",
        tag,
        lambda action: deed.changes("out of service here", service.take_out_of_service(action)),
        as_json=as_json,
        trouble=0,
    )
