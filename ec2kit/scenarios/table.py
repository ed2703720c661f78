"""The table of scenarios has one line for each kind of address; all other modules find the kind by this line."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from ec2kit.resource import Resource
    from ec2kit.scenarios.scenario import Making, Scenario
    from ec2kit.scenarios.wish import Field


class Entry:
    """
    One line of the table.

    Every action reads the table, so this is a plain class: a named tuple takes ten times as long to be made.

    Attributes:
        module: Has the names of the protocol `Scenario`; imported when an action has a resource of this kind.
        agents: The names of the OCF agents that move such a resource; the first is ec2kit's own, the others replace
            agents of other vendors.
    """

    def __init__(self, module: str, agents: tuple[str, ...]) -> None:
        self.module = module
        self.agents = agents


TABLE: dict[str, Entry] = {
    "route-table": Entry("ec2kit.scenarios.route_table", agents=("route-table", "aws-vpc-move-ip")),
    "elastic-ip": Entry("ec2kit.scenarios.elastic_ip", agents=("elastic-ip", "awseip")),
    "secondary-ip": Entry("ec2kit.scenarios.secondary_ip", agents=("secondary-ip", "awsvip")),
    "dns-record": Entry("ec2kit.scenarios.dns_record", agents=("dns-record", "aws-vpc-route53")),
}
"""Name → entry; the dialogue of create proposes the first."""


def names() -> tuple[str, ...]:
    """Return the names of all scenarios, as resources and command lines have them."""
    return tuple(TABLE)


def scenario(name: str) -> Scenario:
    """Return the scenario of that name; raises KeyError if there is none."""
    return cast("Scenario", import_module(TABLE[name].module))


def scenario_of(resource: Resource) -> Scenario:
    """Return the scenario of a resource; only that one is imported."""
    return scenario(resource.scenario)


def making_of(resource: Resource) -> Making:
    """Return the part that makes, checks, tries and shows resources of this one's kind."""
    return scenario_of(resource).making()


def fields() -> tuple[Field, ...]:
    """Return the fields of create of all scenarios; a name that several scenarios have appears once."""
    found: dict[str, Field] = {}
    for name in TABLE:
        for each in scenario(name).making().FIELDS:
            found.setdefault(each.name, each)
    return tuple(found.values())


def agents() -> tuple[str, ...]:
    """Return the names of all OCF agents, ec2kit's own first."""
    own, others = [entry.agents[:1] for entry in TABLE.values()], [entry.agents[1:] for entry in TABLE.values()]
    return tuple(name for each in (*own, *others) for name in each)


def scenario_of_agent(agent: str) -> str:
    """Return the name of the scenario that an OCF agent moves; raises KeyError if there is no such agent."""
    return {each: name for name, entry in TABLE.items() for each in entry.agents}[agent]
