"""`ec2kit create`."""

from __future__ import annotations

import click

from ec2kit import creation, edge
from ec2kit.action import Action
from ec2kit.cli import deed
from ec2kit.cli.result import Result, json_option
from ec2kit.resource import SCENARIOS, SWITCHBACKS


@click.command("create")
@click.option("-t", "--tag", help="Name of the resource; default ec2-ADDRESS.")
@click.option("-s", "--switchback", type=click.Choice(SWITCHBACKS), default="intelligent", show_default=True)
@click.option("--region", help="Default: this instance's.")
@click.option("--type", "scenario", type=click.Choice(SCENARIOS), required=True)
@click.option("--vip", metavar="ADDRESS", help="Virtual IP of a route-table resource.")
@click.option("--ip-resource", metavar="TAG", help="LifeKeeper's IP resource of the virtual IP.")
@click.option("--interface", metavar="DEV", help="Network device of this server.")
@click.option("--network-interface-id", metavar="ENI", help="Instead of --interface.")
@click.option("--elastic-ip", metavar="ADDRESS|eipalloc-…", help="Of an elastic-ip resource.")
@click.option("--priority", type=int, default=1, show_default=True, help="1-999, 1 is the highest.")
@json_option
def command(
    tag: str | None,
    switchback: str,
    region: str | None,
    scenario: str,
    vip: str | None,
    ip_resource: str | None,
    interface: str | None,
    network_interface_id: str | None,
    elastic_ip: str | None,
    priority: int,
    as_json: bool,
) -> int:
    """Make a resource, after all checks, and bring it in service on this server."""
    wish = creation.Wish(
        scenario=scenario,
        switchback=switchback,
        region=region,
        virtual_ip=vip,
        elastic_ip=elastic_ip,
        ip_resource=ip_resource,
        device=interface,
        network_interface_id=network_interface_id,
        priority=priority,
    )

    def make(action: Action) -> Result:
        resource = creation.create(action, wish)
        return Result(f"{resource.tag} protects {resource.address}", {"resource": resource.as_dict()})

    name = wish.tag if tag is None else tag
    return deed.run("create", name, make, as_json=as_json, grace=creation.UNDO_SECONDS + edge.OVERDUE)
