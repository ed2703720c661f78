"""EC2 shows route tables, addresses and network interfaces in the form of the API's answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Shown = dict[str, Any]


@dataclass(frozen=True)
class Picture:
    """Hold route tables, addresses and network interfaces as they were at one moment."""

    route_tables: list[Shown]
    addresses: list[Shown]
    network_interfaces: list[Shown]


def picture(backend: Any) -> Picture:
    """Return the present."""
    return Picture(route_tables(backend), addresses(backend), network_interfaces(backend))


def route_tables(backend: Any) -> list[Shown]:
    """
    Return every route table of the region.

    Source: EC2 API, RouteTable.
    """
    return [_route_table(backend, table) for table in backend.route_tables.values()]


def _route_table(backend: Any, table: Any) -> Shown:
    return {
        "RouteTableId": table.id,
        "VpcId": table.vpc_id,
        "OwnerId": table.owner_id,
        "Associations": table.associations,
        "PropagatingVgws": [],
        "Routes": [_route(backend, route) for route in table.routes],
        "Tags": tags(backend, table.id),
    }


def _route(backend: Any, route: Any) -> Shown:
    return _present(
        {
            "DestinationCidrBlock": route.destination_cidr_block,
            "DestinationIpv6CidrBlock": route.destination_ipv6_cidr_block,
            "DestinationPrefixListId": route.destination_prefix_list_id,
            "GatewayId": route.gateway_id,
            "NatGatewayId": route.nat_gateway_id,
            "TransitGatewayId": route.transit_gateway_id,
            "EgressOnlyInternetGatewayId": route.egress_only_internet_gateway_id,
            "VpcPeeringConnectionId": route.vpc_peering_connection_id,
            "CarrierGatewayId": route.carrier_gateway_id,
            **_target(route),
            "Origin": route.origin,
            "State": _state(backend, route),
        }
    )


def _target(route: Any) -> Shown:
    """
    Return network interface and instance of a route that leads to either; moto names only one of them.

    Source: EC2 API, Route.
    """
    interface = target_interface(route)
    if interface is None:
        return {}
    instance = interface.instance
    return {
        "NetworkInterfaceId": interface.id,
        "InstanceId": instance.id if instance else None,
        "InstanceOwnerId": interface.owner_id if instance else None,
    }


def target_interface(route: Any) -> Any:
    """Return the network interface that a route leads to, None if it leads elsewhere."""
    if route.interface is None and route.instance is not None:
        return route.instance.nics.get(0)
    return route.interface


def _state(backend: Any, route: Any) -> str:
    """
    Return "blackhole" if the target is gone, is detached or its instance does not run, otherwise "active".

    moto always says "active".

    Source: EC2 API, Route, State.
    """
    interface = target_interface(route)
    if interface is None:
        return "blackhole" if route.gateway and not getattr(route.gateway, "vpc", True) else "active"
    forwards = interface.id in backend.enis and interface.instance and interface.instance.state == "running"
    return "active" if forwards else "blackhole"


def addresses(backend: Any) -> list[Shown]:
    """
    Return every Elastic IP of the region.

    Source: EC2 API, Address.
    """
    return [_address(backend, address) for address in backend.addresses]


def _address(backend: Any, address: Any) -> Shown:
    interface = address.eni
    instance = interface.instance if interface else None
    return _present(
        {
            "PublicIp": address.public_ip,
            "AllocationId": address.allocation_id,
            "Domain": address.domain,
            "PublicIpv4Pool": "amazon",
            "NetworkBorderGroup": backend.region_name,
            "AssociationId": address.association_id,
            "NetworkInterfaceId": interface.id if interface else None,
            "NetworkInterfaceOwnerId": interface.owner_id if interface else None,
            "PrivateIpAddress": address.private_ip_address,
            "InstanceId": instance.id if instance else None,
            "Tags": tags(backend, address.allocation_id),
        }
    )


def network_interfaces(backend: Any) -> list[Shown]:
    """
    Return every network interface of the region.

    Source: EC2 API, NetworkInterface.
    """
    return [_network_interface(backend, interface) for interface in backend.enis.values()]


def _network_interface(backend: Any, interface: Any) -> Shown:
    private_ip_addresses = [dict(each) for each in interface.private_ip_addresses]
    primary = private_ip_addresses[0]
    return _present(
        {
            "NetworkInterfaceId": interface.id,
            "AvailabilityZone": interface.availability_zone,
            "SubnetId": interface.subnet_id,
            "VpcId": interface.vpc_id,
            "OwnerId": interface.owner_id,
            "Description": interface.description,
            "InterfaceType": interface.interface_type,
            "MacAddress": interface.mac_address,
            "RequesterManaged": interface.requester_managed,
            "SourceDestCheck": interface.source_dest_check,
            "Status": "in-use" if interface.instance else "available",
            "PrivateIpAddress": interface.private_ip_address,
            "PrivateIpAddresses": private_ip_addresses,
            "Ipv6Addresses": interface.network_interface_ipv6_addresses_list,
            "Association": primary.get("Association"),
            "Attachment": _attachment(interface),
            "Groups": [{"GroupId": group.id, "GroupName": group.name} for group in interface.group_set],
            "TagSet": tags(backend, interface.id),
            "Tags": tags(backend, interface.id),
        }
    )


def _attachment(interface: Any) -> Shown | None:
    if interface.instance is None:
        return None
    return {
        "AttachmentId": interface.attachment_id,
        "AttachTime": interface.attach_time,
        "DeleteOnTermination": interface.delete_on_termination,
        "DeviceIndex": interface.device_index,
        "NetworkCardIndex": 0,
        "InstanceId": interface.instance.id,
        "InstanceOwnerId": interface.owner_id,
        "Status": "attached",
    }


def tags(backend: Any, resource_id: str) -> list[dict[str, str]]:
    """Return the tags of one resource."""
    return [{"Key": key, "Value": value} for key, value in backend.tags.get(resource_id, {}).items()]


def _present(fields: Shown) -> Shown:
    return {name: value for name, value in fields.items() if value is not None}
