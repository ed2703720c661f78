"""Each kind of address in the soak: how its resources are made, and how an outside hand moves one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from ec2kit.ec2.answers import DESTINATIONS, kind_of
from ec2kit.resource import Resource
from ec2kit.scenarios import dns_record, elastic_ip, route_table, secondary_ip

from ..builders import (
    DEFAULT_ROUTE,
    DNS_RECORD,
    ELASTIC_IP,
    PREFIX_LIST,
    ROUTE_TABLE,
    SECONDARY_IP,
    SECONDARY_IPV6,
    SEVERAL,
    TABLE_ROLE,
    TAGGED,
    TWO_ACCOUNTS,
)
from .truth import TAG, things

if TYPE_CHECKING:
    from .stage import Stage


class Kind(NamedTuple):
    """
    Attributes:
        count: How many resources of the kind there are.
        make: Makes the resource of a number, 1 and more, in service on the first server.
        move: Lets somebody else point one thing of a resource at something that is no server's.
    """

    count: int
    make: Callable[[Stage, int], Resource]
    move: Callable[[Stage, Resource], None]


# -- routes --------------------------------------------------------------------------------------------------------


def _routes(own: Callable[[Stage], route_table.Own], address: Callable[[Stage, int], str]) -> Kind:
    """A kind of routes; the tables of a resource get a route to each of its addresses."""

    def make(stage: Stage, number: int) -> Resource:
        resource = stage.resource(ROUTE_TABLE, stage.servers("eth1"), address(stage, number), own(stage))
        for thing in things(resource, stage.tables):
            stage.aws.create_route(**_route(thing), NetworkInterfaceId=resource.servers[0].network_interface_id)
        return resource

    return Kind(1, make, _move_route)


def _route(thing: str) -> dict[str, str]:
    table, destination = thing.split(" ")
    return {"RouteTableId": table, DESTINATIONS[kind_of(destination)]: destination}


def _move_route(stage: Stage, resource: Resource) -> None:
    stage.aws.replace_route(
        **_route(things(resource, stage.tables)[0]), NetworkInterfaceId=stage.eni("node1", "eth0")
    )


def _prefix_list(stage: Stage, number: int) -> str:
    entries = [{"Cidr": f"10.6.{number}.{host}/32"} for host in range(1, 6)]
    made = stage.aws.create_managed_prefix_list(
        PrefixListName=f"soak-{number}", MaxEntries=10, AddressFamily="IPv4", Entries=entries
    )
    return str(made["PrefixList"]["PrefixListId"])


def _all(stage: Stage) -> route_table.Own:
    return route_table.Own()


def _by_tag(stage: Stage) -> route_table.Own:
    return route_table.Own((), TAG)


def _listed(stage: Stage) -> route_table.Own:
    return route_table.Own(tuple(stage.tables[1:]))


def _of_two_accounts(stage: Stage) -> route_table.Own:
    return route_table.Own(tuple(stage.tables), "", f"{stage.tables[0]}={TABLE_ROLE}")


# -- Elastic IPs ---------------------------------------------------------------------------------------------------


def _make_elastic_ip(stage: Stage, number: int) -> Resource:
    """Each server has a private address of its own for one Elastic IP, so that none displaces another."""
    made = stage.aws.allocate_address(Domain="vpc")
    servers = []
    for place, server in enumerate(stage.servers("eth1")):
        address = f"{server.private_ip_address.rpartition('.')[0]}.{100 + 10 * number + place}"
        stage.aws.assign_private_ip_addresses(
            NetworkInterfaceId=server.network_interface_id, PrivateIpAddresses=[address]
        )
        servers.append(server._replace(private_ip_address=address))
    return stage.resource(ELASTIC_IP, servers, made["PublicIp"], elastic_ip.Own(made["AllocationId"]))


def _move_elastic_ip(stage: Stage, resource: Resource) -> None:
    stage.aws.associate_address(
        AllocationId=resource.own.allocation_id, NetworkInterfaceId=stage.eni("node1", "eth0")
    )


# -- secondary addresses, of the subnet of all servers -----------------------------------------------------------


def _make_private_ip(stage: Stage, number: int) -> Resource:
    servers = stage.servers("eth0")
    address = f"{servers[0].private_ip_address.rpartition('.')[0]}.{50 + number}"
    stage.aws.assign_private_ip_addresses(
        NetworkInterfaceId=servers[0].network_interface_id, PrivateIpAddresses=[address]
    )
    return stage.resource(SECONDARY_IP, servers, address, secondary_ip.Own())


def _move_private_ip(stage: Stage, resource: Resource) -> None:
    stage.aws.assign_private_ip_addresses(
        NetworkInterfaceId=stage.sandbox.description["foreign_network_interface_id"],
        PrivateIpAddresses=[resource.address],
        AllowReassignment=True,
    )


def _make_ipv6(stage: Stage, number: int) -> Resource:
    servers = stage.servers("eth1")
    address = f"{stage.sandbox.description['secondary_ipv6'].rpartition('::')[0]}::5{number}"
    stage.aws.assign_ipv6_addresses(NetworkInterfaceId=servers[0].network_interface_id, Ipv6Addresses=[address])
    return stage.resource(SECONDARY_IP, servers, address, secondary_ip.Own())


def _move_ipv6(stage: Stage, resource: Resource) -> None:
    """EC2 takes no IPv6 address from an interface, so it is taken off first; a server may be quicker to take it."""
    holder = stage.private().get(resource.address)
    if holder is not None:
        stage.tried(stage.aws.unassign_ipv6_addresses, NetworkInterfaceId=holder, Ipv6Addresses=[resource.address])
    there = stage.sandbox.description["third_party_network_interface_id"]
    stage.tried(stage.aws.assign_ipv6_addresses, NetworkInterfaceId=there, Ipv6Addresses=[resource.address])


# -- record sets -----------------------------------------------------------------------------------------------------


def _make_record(stage: Stage, number: int) -> Resource:
    zone, servers = stage.sandbox.description["hosted_zone_id"], stage.servers("eth1")
    own = dns_record.Own(zone, "A", "10", ("private",))
    resource = stage.resource(DNS_RECORD, servers, f"soak{number}.example.internal", own)
    _point_record(stage, resource, servers[0].private_ip_address)
    return resource


def _move_record(stage: Stage, resource: Resource) -> None:
    _point_record(stage, resource, "192.0.2.99")


def _point_record(stage: Stage, resource: Resource, value: str) -> None:
    record = {"Name": resource.address, "Type": "A", "TTL": 10, "ResourceRecords": [{"Value": value}]}
    changes = [{"Action": "UPSERT", "ResourceRecordSet": record}]
    stage.route53.change_resource_record_sets(
        HostedZoneId=resource.own.hosted_zone_id, ChangeBatch={"Changes": changes}
    )


KINDS: Mapping[str, Kind] = {
    ROUTE_TABLE: _routes(_all, lambda stage, number: f"10.2.0.{number}")._replace(count=10),
    ELASTIC_IP: Kind(3, _make_elastic_ip, _move_elastic_ip),
    SECONDARY_IP: Kind(2, _make_private_ip, _move_private_ip),
    SECONDARY_IPV6: Kind(1, _make_ipv6, _move_ipv6),
    DNS_RECORD: Kind(2, _make_record, _move_record),
    DEFAULT_ROUTE: _routes(_listed, lambda stage, number: "0.0.0.0/0"),
    TAGGED: _routes(_by_tag, lambda stage, number: f"10.3.0.{number}")._replace(count=2),
    PREFIX_LIST: _routes(_listed, _prefix_list),
    SEVERAL: _routes(_all, lambda stage, number: f"10.4.{number}.1,10.4.{number}.2,2001:db8:4::{number}")._replace(
        count=2
    ),
    TWO_ACCOUNTS: _routes(_of_two_accounts, lambda stage, number: f"10.5.0.{number}"),
}
"""Kind of address → its part in the soak."""


def resources(stage: Stage) -> dict[str, tuple[Kind, Resource]]:
    """Tag → kind and resource, of all kinds."""
    found: dict[str, tuple[Kind, Resource]] = {}
    for place, kind in enumerate(KINDS.values()):
        for number in range(1, kind.count + 1):
            tag = f"soak-{place}-{number}"
            found[tag] = kind, kind.make(stage, number)._replace(tag=tag)
    return found
