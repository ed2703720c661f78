"""`ec2kit restore`."""

from __future__ import annotations

import click

from ec2kit import service
from ec2kit.cli import deed
from ec2kit.cli.result import json_option


@click.command("restore")
@deed.tag_argument
@json_option
def command(tag: str, as_json: bool) -> int:
    """Bring a resource in service on this server."""
    return deed.run(
        "restore",
        tag,
        lambda action: deed.changes("in service here", service.bring_in_service(action)),
        as_json=as_json,
    )
