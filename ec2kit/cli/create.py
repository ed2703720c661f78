"""`ec2kit create`."""

from __future__ import annotations

from typing import Any

import click

from ec2kit import creation, dialogue, edge
from ec2kit.action import Action
from ec2kit.cli import deed
from ec2kit.cli.result import Result, json_option
from ec2kit.resource import SCENARIOS, SWITCHBACKS


@click.command("create")
@click.option("-t", "--tag", help="Name of the resource; default ec2-ADDRESS, or ec2-IP_RESOURCE.")
@click.option("-s", "--switchback", type=click.Choice(SWITCHBACKS), default="intelligent", show_default=True)
@click.option("--server", metavar="NAME", help="Where it shall be made and in service; default: here.")
@click.option("--region", help="Default: the instance's.")
@click.option("--type", "scenario", type=click.Choice(SCENARIOS))
@click.option("--ip-resource", metavar="TAG", help="LifeKeeper's IP resource of a route-table resource.")
@click.option("--vip", "virtual_ip", metavar="ADDRESS", help="Virtual IP of one, without LifeKeeper.")
@click.option("--interface", "device", metavar="DEV", help="Network device of the server.")
@click.option("--network-interface-id", metavar="ENI", help="Instead of --interface.")
@click.option("--elastic-ip", metavar="ADDRESS|eipalloc-…", help="Of an elastic-ip resource.")
@click.option("--priority", type=int, default=1, show_default=True, help="1-999, 1 is the highest.")
@json_option
def command(tag: str | None, server: str | None, as_json: bool, **options: Any) -> int:
    """Make a resource, after all checks, and bring it in service. At a terminal, without options, it asks."""
    if options["scenario"] is None:
        answers = _answers(anything_given=bool(tag or server or any(options[each] for each in _WITHOUT_DEFAULT)))
        tag, server, wish = answers["tag"], answers["server"], dialogue.as_wish(answers)
    else:
        wish = creation.Wish(**options)

    def make(action: Action) -> Result:
        resource = creation.create_on(action, server, wish)
        return Result(f"{resource.tag} protects {resource.address}", {"resource": resource.as_dict()})

    name = wish.tag if tag is None else tag
    return deed.run("create", name, make, as_json=as_json, grace=creation.UNDO_SECONDS + edge.OVERDUE)


_WITHOUT_DEFAULT = ("region", "ip_resource", "virtual_ip", "device", "network_interface_id", "elastic_ip")


def _answers(*, anything_given: bool) -> dict[str, str]:
    terminal = edge.terminal()
    if terminal is None or anything_given:
        raise click.UsageError("Missing option '--type'.")
    edge.mind_signals()
    return dialogue.hold(terminal, *dialogue.choices(edge.open_action("create", "", watched=False)))
