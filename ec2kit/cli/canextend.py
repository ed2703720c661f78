"""`ec2kit canextend`."""

from __future__ import annotations

import click

from ec2kit import hierarchy
from ec2kit.action import Action
from ec2kit.cli import deed
from ec2kit.cli.result import Result, json_option


@click.command("canextend")
@click.argument("template_system")
@click.argument("tag")
@click.option("--interface", metavar="DEV", help="Default: the template's.")
@json_option
def command(template_system: str, tag: str, interface: str | None, as_json: bool) -> int:
    """Tell whether this server could become one of the resource's servers; runs all checks."""

    def ask(action: Action) -> Result:
        hierarchy.can_extend(action, template_system, device=interface)
        return Result(f"{tag} can be extended to {action.settings.server}")

    return deed.run("canextend", tag, ask, as_json=as_json)
