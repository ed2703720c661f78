"""`ec2kit properties`: what a resource is, as its wizard showed it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from ec2kit import edge
from ec2kit.cli import deed
from ec2kit.cli.result import Result, json_option
from ec2kit.resource import ROUTE_TABLE, Resource, Server, checked_tag


@click.command("properties")
@deed.tag_argument
@json_option
def command(tag: str, as_json: bool) -> int:
    """Show what a resource is: its address, its servers with their interfaces, priorities, switchback."""
    edge.mind_signals()
    action = edge.open_action("properties", checked_tag(tag), watch=edge.Watch(1))
    resource = action.registry.latest(tag)
    data = {"server": action.settings.server, "resource": resource.as_dict()}
    return Result("\n".join(_lines(resource)), data).show(as_json=as_json)


def _lines(it: Resource) -> Iterator[str]:
    yield f"tag         {it.tag}"
    yield f"type        {it.scenario}"
    yield f"address     {it.address}" + (f" ({it.allocation_id})" if it.allocation_id else "")
    if it.scenario == ROUTE_TABLE and it.ip_resource:
        yield f"IP resource {it.ip_resource}, which depends on it"
    yield f"region      {it.region}, {it.vpc_id}"
    yield f"switchback  {it.switchback}"
    for number, server in enumerate(sorted(it.servers, key=lambda each: each.priority)):
        yield ("servers     " if not number else " " * 12) + _server(server)


def _server(it: Server) -> str:
    where = f"{it.device}, {it.network_interface_id}, {it.private_ip_address}"
    return f"{it.name}, priority {it.priority}: {where}, {it.instance_id} in {it.availability_zone}"
