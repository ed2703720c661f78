"""The command `ec2kit properties` shows the definition of a resource."""

from __future__ import annotations

from collections.abc import Iterator

from ec2kit.actions.option import TAG, Values
from ec2kit.cli import commands
from ec2kit.cli.result import Result
from ec2kit.frameworks import edge
from ec2kit.resource import Resource, Server, checked_tag
from ec2kit.scenarios.table import making_of


def _show(values: Values, as_json: bool) -> int:
    edge.mind_signals()
    tag = checked_tag(values["tag"])
    action = edge.open_action("properties", tag, watch=edge.Watch(1))
    resource = action.registry.latest(tag)
    data = {"server": action.settings.server, "resource": resource.as_dict()}
    return Result("\n".join(_lines(resource)), data).show(as_json=as_json)


command = commands.make(
    "properties",
    "Show what a resource is: its address, its servers with their interfaces, priorities, switchback.",
    (TAG,),
    _show,
)


def _lines(it: Resource) -> Iterator[str]:
    yield f"tag         {it.tag}"
    yield f"type        {it.scenario}"
    yield f"address     {making_of(it).shown(it)}"
    if it.ip_resource:
        yield f"IP resource {it.ip_resource}, which depends on it"
    yield f"region      {it.region}, {it.vpc_id}"
    yield f"switchback  {it.switchback}"
    for number, server in enumerate(sorted(it.servers, key=lambda each: each.priority)):
        yield ("servers     " if not number else " " * 12) + _server(server)


def _server(it: Server) -> str:
    where = f"{it.device}, {it.network_interface_id}, {it.private_ip_address}"
    return f"{it.name}, priority {it.priority}: {where}, {it.instance_id} in {it.availability_zone}"
