"""`ec2kit extend`."""

from __future__ import annotations

import click

from ec2kit import hierarchy
from ec2kit.action import Action
from ec2kit.cli import deed
from ec2kit.cli.result import Result, json_option
from ec2kit.resource import SWITCHBACKS


@click.command("extend")
@click.argument("template_system")
@click.argument("tag")
@click.option("--priority", type=int, default=10, show_default=True, help="1-999, unique among the servers.")
@click.option("--switchback", type=click.Choice(SWITCHBACKS), help="Default: the template's.")
@click.option("--interface", metavar="DEV", help="Default: the template's.")
@json_option
def command(
    template_system: str, tag: str, priority: int, switchback: str | None, interface: str | None, as_json: bool
) -> int:
    """Make this server one of the resource's servers, after all checks."""

    def extend(action: Action) -> Result:
        resource = hierarchy.extend(
            action, template_system, priority=priority, switchback=switchback, device=interface
        )
        return Result(f"{tag} on {', '.join(resource.names)}", {"resource": resource.as_dict()})

    return deed.run("extend", tag, extend, as_json=as_json)
