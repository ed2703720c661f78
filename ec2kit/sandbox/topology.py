"""
The example VPCs have two zones, servers with two interfaces each, route tables that hold the VIP, and Elastic IPs.

They also have things that must never change: near misses of the VIP, a second VIP, a foreign Elastic IP, and a second
VPC that has a route for the same VIP.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ec2kit.sandbox import addresses
from ec2kit.sandbox import zones as dns
from ec2kit.sandbox.surroundings import VIP

SECOND_VIP = "10.1.0.20"
NEAR_MISSES = ("10.1.0.1", "10.1.0.100")
DEVICES = ("eth0", "eth1")

SECONDARY_IP, SECONDARY_IPV6 = "10.0.11.50", "2001:db8:0:11::50"
"""Addresses of the subnet that node1, node3, … are in; no interface has them."""


@dataclass(frozen=True)
class Zone:
    """Name one Availability Zone and its two subnets."""

    name: str
    public: Any
    private: Any


@dataclass(frozen=True)
class Node:
    """Name one server, its instance, and its interfaces by device."""

    name: str
    instance: Any
    interfaces: dict[str, Any]


@dataclass
class Topology:
    """Hold what was made, as moto's objects."""

    backend: Any
    vpc: Any
    zones: list[Zone]
    nodes: list[Node] = field(default_factory=list)
    route_tables: list[Any] = field(default_factory=list)
    elastic_ip: Any = None
    foreign_elastic_ip: Any = None
    third_party: Any = None
    other_vpc: Any = None
    other_route_table: Any = None


def build(backend: Any, *, nodes: int, tables: int, zones: int = 2) -> Topology:
    """
    Make the example in an empty EC2.

    Args:
        nodes: The number of servers, at least 1; they alternate between the zones.
        zones: The number of zones in which servers are, 1 or 2.
        tables: The number of route tables that hold the VIP, at least 1.
    """
    vpc = backend.create_vpc("10.0.0.0/16")
    vpc.add_tag("Name", "ec2kit-sandbox")
    topology = Topology(backend, vpc, [_zone(backend, vpc, number) for number in (1, 2)])
    gateway = _internet_gateway(backend, vpc)
    for zone in topology.zones:
        _public_route_table(backend, zone, gateway)
    topology.nodes = [_node(backend, topology.zones[:zones], number) for number in range(1, nodes + 1)]
    topology.route_tables = [_route_table(topology, number) for number in range(1, tables + 1)]
    _routes(topology)
    _elastic_ips(topology)
    _third_party(topology)
    _other_vpc(topology)
    return topology


def _zone(backend: Any, vpc: Any, number: int) -> Zone:
    name = backend.zones[backend.region_name][number - 1].name
    public = backend.create_subnet(vpc.id, f"10.0.{number}.0/24", availability_zone=name)
    private = backend.create_subnet(vpc.id, f"10.0.{10 + number}.0/24", availability_zone=name)
    for subnet, kind in ((public, "public"), (private, "private")):
        subnet.map_public_ip_on_launch = False
        subnet.add_tag("Name", f"{kind}{number}")
    private.attach_ipv6_cidr_block_associations(f"2001:db8:0:{10 + number}::/64")
    return Zone(name, public, private)


def _internet_gateway(backend: Any, vpc: Any) -> Any:
    gateway = backend.create_internet_gateway()
    backend.attach_internet_gateway(gateway.id, vpc.id)
    return gateway


def _public_route_table(backend: Any, zone: Zone, gateway: Any) -> None:
    table = backend.create_route_table(zone.public.vpc_id)
    backend.associate_route_table(table.id, subnet_id=zone.public.id)
    backend.create_route(table.id, "0.0.0.0/0", gateway_id=gateway.id)


def _node(backend: Any, zones: list[Zone], number: int) -> Node:
    zone, host = zones[(number - 1) % len(zones)], 10 + number
    interfaces = {
        "eth0": _interface(backend, zone.public, host, f"node{number} eth0"),
        "eth1": _interface(backend, zone.private, host, f"node{number} eth1"),
    }
    return Node(f"node{number}", _instance(backend, zone, f"node{number}", interfaces), interfaces)


def _interface(backend: Any, subnet: Any, host: int, description: str) -> Any:
    """Make an interface as an administrator sets it up for an overlay address: source/destination check off."""
    address = subnet.cidr_block.replace(".0/24", f".{host}")
    subnet.request_ip(address, instance=None)
    interface = backend.create_network_interface(subnet, address, description=description)
    interface.source_dest_check = False
    return interface


def _instance(backend: Any, zone: Zone, name: str, interfaces: dict[str, Any]) -> Any:
    reservation = backend.run_instances(
        "ami-0ec2000000000kit0",
        1,
        None,
        [],
        instance_type="t3.small",
        is_instance_type_default=True,
        region_name=backend.region_name,
        nics=[
            {"NetworkInterfaceId": interface.id, "DeviceIndex": index}
            for index, interface in enumerate(interfaces.values())
        ],
        tags={"instance": {"Name": name}},
    )
    instance = reservation.instances[0]
    instance.placement.zone = zone.name  # of its subnet, which moto does not look up
    return instance


def _route_table(topology: Topology, number: int) -> Any:
    """Make a route table; the first two belong to the private subnets, any more are extra tables of the VPC."""
    table = topology.backend.create_route_table(topology.vpc.id)
    table.add_tag("Name", f"vip{number}")
    if number <= len(topology.zones):
        subnet = topology.zones[number - 1].private
        topology.backend.associate_route_table(table.id, subnet_id=subnet.id)
    return table


def _routes(topology: Topology) -> None:
    target = topology.nodes[0].interfaces["eth1"].id
    for table in topology.route_tables:
        for address in (VIP, *NEAR_MISSES):
            topology.backend.create_route(table.id, f"{address}/32", interface_id=target)
    topology.backend.create_route(topology.route_tables[0].id, f"{SECOND_VIP}/32", interface_id=target)


def _elastic_ips(topology: Topology) -> None:
    backend = topology.backend
    topology.elastic_ip = addresses.allocate(backend, {"Name": "ours"})
    topology.foreign_elastic_ip = addresses.allocate(backend, {"Name": "bystander"})
    bystander = _interface(backend, topology.zones[0].public, 200, "bystander")
    _instance(backend, topology.zones[0], "bystander", {"eth0": bystander})
    addresses.associate(
        backend,
        topology.foreign_elastic_ip,
        interface=bystander,
        private_ip_address=bystander.private_ip_address,
        allow_reassociation=False,
    )


def _third_party(topology: Topology) -> None:
    """Make an instance in the VPC that is no server, and that may take the address."""
    zone = topology.zones[0]
    topology.third_party = _interface(topology.backend, zone.private, 201, "third party")
    _instance(topology.backend, zone, "third-party", {"eth0": topology.third_party})


def _other_vpc(topology: Topology) -> None:
    backend = topology.backend
    vpc = backend.create_vpc("10.8.0.0/16")
    vpc.add_tag("Name", "other")
    subnet = backend.create_subnet(vpc.id, "10.8.1.0/24", availability_zone=topology.zones[0].name)
    stranger = _interface(backend, subnet, 11, "stranger")
    _instance(backend, topology.zones[0], "stranger", {"eth0": stranger})
    table = backend.create_route_table(vpc.id)
    backend.create_route(table.id, f"{VIP}/32", interface_id=stranger.id)
    topology.other_vpc, topology.other_route_table = vpc, table


def interfaces(topology: Topology) -> dict[str, dict[str, str]]:
    """Return server → device → the id of its network interface."""
    return {
        node.name: {device: interface.id for device, interface in node.interfaces.items()} for node in topology.nodes
    }


def described(topology: Topology) -> dict[str, Any]:
    """Return the part of sandbox.json that EC2 knows."""
    return {
        "region": topology.backend.region_name,
        "vpc_id": topology.vpc.id,
        "vpc_cidr_block": topology.vpc.cidr_block,
        "vip": VIP,
        "neighbours": [*NEAR_MISSES, SECOND_VIP],
        "route_table_ids": [table.id for table in topology.route_tables],
        "elastic_ip": topology.elastic_ip.public_ip,
        "allocation_id": topology.elastic_ip.allocation_id,
        "foreign_elastic_ip": topology.foreign_elastic_ip.public_ip,
        "foreign_allocation_id": topology.foreign_elastic_ip.allocation_id,
        "foreign_network_interface_id": topology.foreign_elastic_ip.eni.id,
        "third_party_network_interface_id": topology.third_party.id,
        "secondary_ip": SECONDARY_IP,
        "secondary_ipv6": SECONDARY_IPV6,
        "hosted_zone_id": dns.PRIVATE_ZONE,
        "public_hosted_zone_id": dns.PUBLIC_ZONE,
        "record": dns.RECORD.removesuffix("."),
        "other_vpc_id": topology.other_vpc.id,
        "other_route_table_id": topology.other_route_table.id,
        "nodes": {node.name: _described_node(node) for node in topology.nodes},
    }


def _described_node(node: Node) -> dict[str, Any]:
    return {
        "instance_id": node.instance.id,
        "availability_zone": node.interfaces["eth0"].availability_zone,
        "interfaces": {
            device: {
                "network_interface_id": interface.id,
                "private_ip_address": interface.private_ip_address,
                "mac": interface.mac_address,
                "subnet_id": interface.subnet_id,
            }
            for device, interface in node.interfaces.items()
        },
    }
