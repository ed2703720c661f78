"""`ec2kit recover`."""

from __future__ import annotations

import click

from ec2kit import service
from ec2kit.cli import deed
from ec2kit.cli.result import json_option


@click.command("recover")
@deed.tag_argument
@json_option
def command(tag: str, as_json: bool) -> int:
    """Put right what a failed check found, unless the address is rightly another server's."""
    return deed.run(
        "recover", tag, lambda action: deed.changes("in service here", service.recover(action)), as_json=as_json
    )
