"""What was observed on a server is written as a situation, of which the replay observes the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from ec2kit.ec2.answers import Address, Route, RouteTable, RouteTables
from ec2kit.errors import ImdsSilent, StateUnusable
from ec2kit.resource import Resource
from ec2kit.scenarios import elastic_ip, route_table, secondary_ip
from ec2kit.scenarios.situation import file
from ec2kit.scenarios.situation.replay import conclusion, replay
from ec2kit.scenarios.situation.situation import HERE, Situation
from ec2kit.scenarios.table import scenario_of
from ec2kit.settings import Settings

from ..builders import ELASTIC_IP, SECONDARY_IP, a_resource

BLOCKS = ("0.0.0.0/0", "2001:db8::/32", "pl-1")


class Answers:
    """EC2, as it answered."""

    def __init__(self, tables: dict[str, dict[str, Route]], tagged: tuple[str, ...]) -> None:
        self._tables, self._tagged = tables, tagged

    def under(self, role: object) -> Answers:
        return self

    def together(self, looks: Sequence[Callable[[], RouteTables]]) -> list[RouteTables]:
        return [each() for each in looks]

    def route_tables(self, *, vpc_id: str, destinations: Any, tag: str = "") -> RouteTables:
        names = self._tagged if tag else self._tables
        return RouteTables(tuple(RouteTable(each, tuple(self._tables[each].values())) for each in names))


def routes(resource: Resource) -> Any:
    tables = {
        "rtb-2": {each: Route(each, "eni-b", "blackhole") for each in BLOCKS[:2]},
        "rtb-1": {each: Route(each, "eni-a" if each == "pl-1" else "eni-c") for each in BLOCKS},
        "rtb-3": {BLOCKS[0]: Route(BLOCKS[0], "vgw-1", origin="EnableVgwRoutePropagation")},
        "rtb-4": {},
        "rtb-5": {BLOCKS[1]: Route(BLOCKS[1], "eni-z")},
    }
    source = Answers(tables, ("rtb-4", "rtb-2", "rtb-3"))
    return route_table.observe(source, resource, resource.server("server-a"), Settings())


def seen(resource: Resource) -> list[Any]:
    """Observations that no file shows."""
    server = resource.server("server-a")
    if resource.scenario == ELASTIC_IP:
        address = Address(resource.address, resource.own.allocation_id, "eipassoc-1", "eni-n", "10.0.9.9", "i-n")
        neighbour = Address("203.0.113.9", "eipalloc-9", "eipassoc-9", "eni-a", "10.0.1.77", "i-a")
        found = elastic_ip.Observed(resource, server, address, (neighbour,))
        unreadable = StateUnusable(path="/sys/class/net/eth1", reason="Input/output error")
        return [
            found,
            found._replace(service="nat_gateway"),
            found._replace(link_is_up=False, has_device=False),
            found._replace(unknown=unreadable),
        ]
    if resource.scenario == SECONDARY_IP:
        holder = secondary_ip.Holder(resource.address, "eni-a")
        silent = ImdsSilent(endpoint="http://[fd00:ec2::254]", reason="no route to host")
        return [secondary_ip.Observed(resource, server, holder, silent)]
    return [routes(resource)]


def of_many_destinations() -> Resource:
    own = route_table.Own(("rtb-1",), "cluster=a", "arn:aws:iam::123456789012:role/r", "word")
    return a_resource("route-table", address=",".join(BLOCKS), own=own)


def with_mac_addresses(resource: Resource) -> Resource:
    servers = [each._replace(mac_address=f"06:00:00:00:00:0{at}") for at, each in enumerate(resource.servers)]
    return resource._replace(servers=tuple(servers))


@pytest.mark.parametrize(
    "resource", [of_many_destinations(), a_resource(ELASTIC_IP), a_resource(SECONDARY_IP)], ids=lambda it: it.scenario
)
def test_what_was_observed_is_replayed_to_the_same_conclusion(resource: Resource) -> None:
    """Several destinations, tables chosen by a tag, services of AWS, devices that are gone, the server's errors."""
    resource = with_mac_addresses(resource)
    kind = scenario_of(resource).recorded()
    assert kind is not None
    for observed in seen(resource):
        situation = Situation("It was so.", resource, "server-a", kind.of(observed), HERE, (), None, {})
        lines = tuple(conclusion(situation, observed))
        written = file.write(file.Record(situation, lines))
        assert replay(file.read(written, "a record").situation) == lines
        assert "arn:" not in written
