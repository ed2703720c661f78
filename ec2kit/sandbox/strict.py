"""
Two tables close the differences between moto's EC2 and the real one; moto itself answers all the rest.

One table holds the checks before any operation, the other the operations that are carried out here instead of in
moto. An operation gets a `Desk` (whose backend, which call, which parameters) and returns the answer's members by
their API names; `document` writes them as XML.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ec2kit.sandbox import addresses, private_addresses, routes, view
from ec2kit.sandbox.call import Call, Refused
from ec2kit.sandbox.filters import ADDRESS, NETWORK_INTERFACE, ROUTE_TABLE, filtered
from ec2kit.sandbox.identifier import well_formed
from ec2kit.sandbox.pages import page

Result = dict[str, Any]

BY_MOTO = None
"""The result of an operation whose checks have passed and which moto may carry out."""


@dataclass(frozen=True)
class Desk:
    """Hold what one operation works on; EC2 refuses a request that lacks one of the `required` parameters."""

    backend: Any
    call: Call
    params: Mapping[str, Any]
    required: tuple[str, ...] = ()

    @property
    def filters(self) -> list[Mapping[str, Any]]:
        """Return the filters of a describing operation."""
        return list(self.params.get("Filters") or [])

    @property
    def route_tables(self) -> list[view.Shown]:
        """Return the route tables to show: the present ones, unless an effect lets the call see others."""
        return self._seen.route_tables if self.call.glasses else view.route_tables(self.backend)

    @property
    def addresses(self) -> list[view.Shown]:
        """Return the Elastic IPs to show: the present ones, unless an effect lets the call see others."""
        return self._seen.addresses if self.call.glasses else view.addresses(self.backend)

    @property
    def network_interfaces(self) -> list[view.Shown]:
        """Return the network interfaces to show: the present ones, unless an effect lets the call see others."""
        return self._seen.network_interfaces if self.call.glasses else view.network_interfaces(self.backend)

    @property
    def _seen(self) -> view.Picture:
        return self.call.seen(view.picture(self.backend))


# Checks -------------------------------------------------------------------------------------------------------------


def signed(desk: Desk) -> None:
    """
    Refuse a request without a signature; any key is good.

    Source: EC2 API, "Error codes", MissingParameter; the message is that of public logs.
    """
    if not desk.call.credential:
        raise Refused("MissingParameter", "The request must contain the parameter AWSAccessKeyId")


def in_this_region(desk: Desk) -> None:
    """
    Refuse a signature for another region than the endpoint's; moto makes an empty EC2 of every region.

    Source: EC2 API, "Error codes", AuthFailure; IAM user guide, "Signature Version 4", credential scope.
    """
    scope = desk.call.credential.split("/")
    if len(scope) > 2 and scope[2] != desk.backend.region_name:
        raise Refused("AuthFailure", f"Credential should be scoped to a valid region, not '{scope[2]}'.")


def in_time(desk: Desk) -> None:
    """
    Refuse a signature whose date is more than 15 minutes off EC2's clock; moto has no such check.

    Source: EC2 API, "Error codes", RequestExpired.
    """
    signed_at = desk.call.signed_at
    if signed_at is not None and abs(time.time() + desk.call.clock - signed_at) > _LONGEST_SKEW:
        raise Refused("RequestExpired", "Request has expired.")


_LONGEST_SKEW = 15 * 60


def complete(desk: Desk) -> None:
    """
    Refuse a request that lacks a required parameter; moto fails in its own ways.

    Source: EC2 API, "Error codes", MissingParameter.
    """
    for name in desk.required:
        if desk.params.get(name) in (None, "", []):
            lowered = name[0].lower() + name[1:]
            raise Refused("MissingParameter", f"The request must contain the parameter {lowered}")


def dry_run(desk: Desk) -> None:
    """
    Let DryRun never change anything; moto heeds it in some operations only, and its ReplaceRoute would write.

    Source: EC2 API, ReplaceRoute, DryRun; EC2 looks at the permission first, for which the effect `deny` stands.
    """
    if desk.call.dry_run:
        raise Refused("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")


CHECKS: tuple[Callable[[Desk], None], ...] = (signed, in_this_region, in_time, complete, well_formed, dry_run)


# Route tables -------------------------------------------------------------------------------------------------------


def describe_route_tables(desk: Desk) -> Result:
    """
    Describe with exact filters and wildcards, pages, routes that name instance and interface, and blackholes.

    moto lacks some filters, joins the values of a filter with "and", and knows neither pages nor blackholes.

    Source: EC2 API, DescribeRouteTables.
    """
    wanted = desk.params.get("RouteTableIds") or []
    tables = _chosen(desk.route_tables, "RouteTableId", wanted, _no_route_table)
    tables = filtered(tables, desk.filters, ROUTE_TABLE)
    tables, token = _page(desk, tables, largest=100)
    return {"RouteTables": tables, "NextToken": token}


def replace_route(desk: Desk) -> Result | None:
    """
    Replace a route only if the table, the route, the one target and its VPC are right; otherwise change nothing.

    moto forgets the old target before it finds that there is no new one, and takes an interface of another VPC.

    Source: EC2 API, ReplaceRoute; "Error codes", InvalidRouteTableID.NotFound, InvalidNetworkInterfaceID.NotFound.
    """
    table = _route_table(desk)
    block = routes.destination(desk.params)
    route = routes.found(table, block)
    if route is None:
        text = f"There is no route defined for '{block}' in the route table. Use CreateRoute instead."
        raise Refused("InvalidParameterValue", text)
    return {} if routes.point(desk.backend, route, desk.params, _target(desk, table)) else BY_MOTO


def create_route(desk: Desk) -> Result | None:
    """
    Create a route only if everything is right, to a destination of each kind; moto overwrites one that exists.

    Source: EC2 API, CreateRoute.
    """
    table = _route_table(desk)
    target = _target(desk, table)
    return {"Return": True} if routes.create(desk.backend, table, desk.params, target) else BY_MOTO


def delete_route(desk: Desk) -> Result:
    """
    Delete a route, but not a local one.

    Source: EC2 API, DeleteRoute.
    """
    routes.delete(_route_table(desk), desk.params)
    return {}


def get_managed_prefix_list_entries(desk: Desk) -> Result:
    """
    Return the entries of a prefix list in pages; moto knows no pages, and an unknown list is empty.

    Source: EC2 API, GetManagedPrefixListEntries.
    """
    wanted = desk.params["PrefixListId"]
    prefix_list = desk.backend.managed_prefix_lists.get(wanted)
    if prefix_list is None:
        raise routes.no_prefix_list(wanted)
    versions = list(prefix_list.entries.values())
    entries, token = _page(desk, list(versions[-1]) if versions else [], largest=100)
    return {"Entries": entries, "NextToken": token}


def _target(desk: Desk, table: Any) -> Any:
    """Return the interface that a route shall lead to, None if the one target is another."""
    if len([name for name in _TARGETS if desk.params.get(name)]) != 1:
        raise Refused("InvalidParameterCombination", "The request must contain exactly one target of the route.")
    interface = _target_interface(desk)
    if interface is not None and interface.vpc_id != table.vpc_id:
        text = f"route table {table.id} and interface {interface.id} belong to different networks"
        raise Refused("InvalidParameterValue", text)
    return interface


_TARGETS = (
    "CarrierGatewayId",
    "CoreNetworkArn",
    "EgressOnlyInternetGatewayId",
    "GatewayId",
    "InstanceId",
    "LocalGatewayId",
    "LocalTarget",
    "NatGatewayId",
    "NetworkInterfaceId",
    "TransitGatewayId",
    "VpcEndpointId",
    "VpcPeeringConnectionId",
)


def _route_table(desk: Desk) -> Any:
    table = desk.backend.route_tables.get(desk.params["RouteTableId"])
    if table is None:
        raise _no_route_table(desk.params["RouteTableId"])
    return table


def _target_interface(desk: Desk) -> Any:
    if desk.params.get("NetworkInterfaceId"):
        return _network_interface(desk, desk.params["NetworkInterfaceId"])
    if desk.params.get("InstanceId"):
        return _only_interface(desk, desk.params["InstanceId"])
    return None


# Addresses ----------------------------------------------------------------------------------------------------------


def describe_addresses(desk: Desk) -> Result:
    """
    Describe with private address, border group and every filter; moto always shows the primary address.

    Source: EC2 API, DescribeAddresses.
    """
    shown = _chosen(desk.addresses, "AllocationId", desk.params.get("AllocationIds") or [], _no_allocation)
    shown = _chosen(shown, "PublicIp", desk.params.get("PublicIps") or [], _no_address)
    return {"Addresses": filtered(shown, desk.filters, ADDRESS)}


def allocate_address(desk: Desk) -> Result:
    """
    Allocate an address that looks public; moto draws addresses from 127.0.0.0/8.

    Source: RFC 5737.
    """
    address = addresses.allocate(desk.backend, _asked_tags(desk))
    return {
        "PublicIp": address.public_ip,
        "AllocationId": address.allocation_id,
        "PublicIpv4Pool": "amazon",
        "NetworkBorderGroup": desk.backend.region_name,
        "Domain": "vpc",
    }


def associate_address(desk: Desk) -> Result:
    """
    Associate an address; one that is associated elsewhere moves unless the request forbids it.

    PrivateIpAddress is heeded, and an Elastic IP that is there already is displaced. moto refuses an address that is
    associated elsewhere, and knows nothing of private addresses and displacing.

    Source: EC2 API, AssociateAddress.
    """
    address = _elastic_ip(desk)
    interface = _association_target(desk)
    if not _has_internet_gateway(desk, interface.vpc_id):
        text = f"Network {interface.vpc_id} is not attached to any internet gateway"
        raise Refused("Gateway.NotAttached", text)
    association_id = addresses.associate(
        desk.backend,
        address,
        interface=interface,
        private_ip_address=_private_ip_address(desk, interface),
        allow_reassociation=desk.params.get("AllowReassociation") is not False,
    )
    return {"AssociationId": association_id}


def disassociate_address(desk: Desk) -> Result:
    """
    Disassociate an address and leave nothing of it on the interface.

    An unknown association id is refused in words; moto answers with a Python list.

    Source: EC2 API, DisassociateAddress; "Error codes", InvalidAssociationID.NotFound.
    """
    association_id, public_ip = desk.params.get("AssociationId"), desk.params.get("PublicIp")
    if not association_id and not public_ip:
        raise Refused("MissingParameter", "Either public IP or association id must be specified")
    for address in desk.backend.addresses:
        if address.public_ip == public_ip or (association_id and address.association_id == association_id):
            addresses.disassociate(desk.backend, address)
            return {"Return": True}
    if not association_id:
        raise _no_address(str(public_ip))
    text = f"The association ID '{association_id}' does not exist"
    raise Refused("InvalidAssociationID.NotFound", text)


def release_address(desk: Desk) -> Result:
    """
    Release an address unless it is in use; moto takes it from its user.

    Source: EC2 API, ReleaseAddress.
    """
    address = _elastic_ip(desk)
    if address.eni is not None:
        raise Refused("InvalidIPAddress.InUse", f"Address {address.public_ip} is in use.")
    desk.backend.addresses.remove(address)
    return {}


def _elastic_ip(desk: Desk) -> Any:
    allocation_id, public_ip = desk.params.get("AllocationId"), desk.params.get("PublicIp")
    if not allocation_id and not public_ip:
        raise Refused("MissingParameter", "Either public IP or allocation id must be specified")
    if allocation_id and public_ip:
        raise Refused("InvalidParameterCombination", "You may specify public IP or allocation id, but not both")
    for address in desk.backend.addresses:
        if address.allocation_id == allocation_id or address.public_ip == public_ip:
            return address
    raise _no_allocation(allocation_id) if allocation_id else _no_address(str(public_ip))


def _association_target(desk: Desk) -> Any:
    instance_id, interface_id = desk.params.get("InstanceId"), desk.params.get("NetworkInterfaceId")
    if instance_id and interface_id:
        text = "You may specify an instance or a network interface, but not both"
        raise Refused("InvalidParameterCombination", text)
    if interface_id:
        return _network_interface(desk, interface_id)
    if instance_id:
        return _only_interface(desk, instance_id)
    raise Refused("MissingParameter", "Either instance ID or network interface id must be specified")


def _private_ip_address(desk: Desk, interface: Any) -> str:
    asked = desk.params.get("PrivateIpAddress")
    if not asked:
        return str(interface.private_ip_address)
    if asked not in [each["PrivateIpAddress"] for each in interface.private_ip_addresses]:
        text = f"Invalid value '{asked}' for privateIpAddress. It is not assigned to interface {interface.id}."
        raise Refused("InvalidParameterValue", text)
    return str(asked)


def _has_internet_gateway(desk: Desk, vpc_id: str) -> bool:
    return any(gateway.vpc and gateway.vpc.id == vpc_id for gateway in desk.backend.internet_gateways.values())


# Network interfaces and instances -----------------------------------------------------------------------------------


def describe_network_interfaces(desk: Desk) -> Result:
    """
    Describe with every filter, pages, and the Elastic IP of each private address.

    moto knows some filters and one address.

    Source: EC2 API, DescribeNetworkInterfaces.
    """
    wanted = desk.params.get("NetworkInterfaceIds") or []
    shown = _chosen(desk.network_interfaces, "NetworkInterfaceId", wanted, _no_network_interface)
    shown = filtered(shown, desk.filters, NETWORK_INTERFACE)
    shown, token = _page(desk, shown, largest=1000)
    return {"NetworkInterfaces": shown, "NextToken": token}


def modify_network_interface_attribute(desk: Desk) -> Result | None:
    """
    Modify one attribute of a network interface; a request with any other number of attributes is refused.

    Source: EC2 API, ModifyNetworkInterfaceAttribute: "You can specify only one attribute at a time".
    """
    interface = _network_interface(desk, desk.params["NetworkInterfaceId"])
    given = [name for name in ("SourceDestCheck", "Description", "Groups", "Attachment") if name in desk.params]
    if len(given) != 1:
        raise Refused("InvalidParameterCombination", "The request must contain exactly one attribute")
    if given == ["SourceDestCheck"]:
        interface.source_dest_check = desk.params["SourceDestCheck"]["Value"]
        return {}
    return BY_MOTO


def assign_private_ip_addresses(desk: Desk) -> Result | None:
    """
    Assign only free addresses of the subnet, unless reassignment is allowed, and no more than an interface may have.

    A reassigned address takes its Elastic IP along. moto leaves it on both interfaces.

    Source: EC2 API, AssignPrivateIpAddresses, AllowReassignment; "Error codes", PrivateIpAddressLimitExceeded.
    """
    interface = _network_interface(desk, desk.params["NetworkInterfaceId"])
    asked = desk.params.get("PrivateIpAddresses") or []
    if not asked:
        return BY_MOTO
    return private_addresses.assign(
        desk.backend, interface, asked, may_take=bool(desk.params.get("AllowReassignment"))
    )


def unassign_private_ip_addresses(desk: Desk) -> Result:
    """
    Take secondary addresses off that the interface has, with their Elastic IPs; moto passes over the others.

    Source: EC2 API, UnassignPrivateIpAddresses; the message is that of public logs.
    """
    interface = _network_interface(desk, desk.params["NetworkInterfaceId"])
    private_addresses.unassign(desk.backend, interface, desk.params.get("PrivateIpAddresses") or [])
    return {}


def assign_ipv6_addresses(desk: Desk) -> Result | None:
    """
    Assign only addresses of the subnet that no interface has: there is no reassignment of IPv6 addresses.

    moto leaves it on both interfaces.

    Source: EC2 API, AssignIpv6Addresses.
    """
    interface = _network_interface(desk, desk.params["NetworkInterfaceId"])
    asked = desk.params.get("Ipv6Addresses") or []
    return private_addresses.assign_ipv6(desk.backend, interface, asked) if asked else BY_MOTO


def unassign_ipv6_addresses(desk: Desk) -> Result:
    """
    Take addresses off that the interface has; moto passes over the others.

    Source: EC2 API, UnassignIpv6Addresses.
    """
    interface = _network_interface(desk, desk.params["NetworkInterfaceId"])
    return private_addresses.unassign_ipv6(interface, desk.params.get("Ipv6Addresses") or [])


def create_nat_gateway(desk: Desk) -> Result:
    """
    Create a NAT gateway whose network interface belongs to the service.

    moto makes an interface like any other.

    Source: EC2 API, CreateNatGateway; NetworkInterface, InterfaceType, RequesterManaged.
    """
    allocation_id, subnet_id = desk.params.get("AllocationId"), desk.params["SubnetId"]
    gateway = desk.backend.create_nat_gateway(subnet_id, None, None, connectivity_type="public")
    interface = desk.backend.enis[gateway.address_set[0]["networkInterfaceId"]]
    interface.interface_type, interface.requester_managed = "nat_gateway", True
    if allocation_id:
        address, place = _elastic_ip(desk), str(interface.private_ip_address)
        addresses.associate(
            desk.backend, address, interface=interface, private_ip_address=place, allow_reassociation=False
        )
    return {"NatGateway": {"NatGatewayId": gateway.id, "SubnetId": subnet_id, "State": "available"}}


def delete_network_interface(desk: Desk) -> Result:
    """
    Delete a network interface that is not attached, and disassociate its Elastic IPs.

    Source: EC2 API, DeleteNetworkInterface: "You must detach the network interface before you can delete it".
    """
    interface = _network_interface(desk, desk.params["NetworkInterfaceId"])
    if interface.instance is not None:
        text = f"Network interface '{interface.id}' is currently in use."
        raise Refused("InvalidParameterValue", text)
    desk.backend.delete_network_interface(interface.id)
    addresses.released_with(desk.backend, interface)
    return {}


def terminate_instances(desk: Desk) -> Result:
    """
    Delete with an instance those interfaces that are set to be deleted, and detach the others.

    moto leaves them attached to an instance that no longer exists.

    Source: EC2 API, TerminateInstances; user guide, "Elastic network interfaces", delete on termination.
    """
    wanted = desk.params["InstanceIds"]
    attached = [nic for each in wanted for nic in desk.backend.get_instance(each).nics.values()]
    terminated = desk.backend.terminate_instances(wanted)
    for interface in attached:
        interface.instance.detach_eni(interface)
        if interface.id not in desk.backend.enis:
            addresses.released_with(desk.backend, interface)
    addresses.show(desk.backend)
    return {"TerminatingInstances": [_transition(each, before) for each, before in terminated]}


def _transition(instance: Any, before: Any) -> Result:
    return {
        "InstanceId": instance.id,
        "CurrentState": {"Code": 32, "Name": "shutting-down"},
        "PreviousState": {"Code": before.code, "Name": before.name},
    }


# What several operations need ---------------------------------------------------------------------------------------


def _chosen(
    shown: list[view.Shown], key: str, wanted: list[str], missing: Callable[[str], Refused]
) -> list[view.Shown]:
    """Return the items that were asked for by id, or all; one id that does not exist fails the whole request."""
    there = {item.get(key) for item in shown}
    for each in wanted:
        if each not in there:
            raise missing(each)
    return [item for item in shown if item.get(key) in wanted] if wanted else shown


def _page(desk: Desk, shown: list[view.Shown], *, largest: int) -> tuple[list[view.Shown], str | None]:
    call = desk.call
    return page(shown, desk.params, largest=largest, unasked=call.page_size, empty=call.empty_page)


def _network_interface(desk: Desk, network_interface_id: str) -> Any:
    interface = desk.backend.enis.get(network_interface_id)
    if interface is None:
        raise _no_network_interface(network_interface_id)
    return interface


def _only_interface(desk: Desk, instance_id: str) -> Any:
    """
    Return the interface of an instance that has exactly one.

    Source: EC2 API, AssociateAddress, InstanceId; "Error codes", InvalidInstanceID.
    """
    interfaces = list(desk.backend.get_instance(instance_id).nics.values())
    if len(interfaces) != 1:
        text = f"There are multiple interfaces attached to instance '{instance_id}'. Please specify an interface ID."
        raise Refused("InvalidInstanceID", text)
    return interfaces[0]


def _asked_tags(desk: Desk) -> dict[str, str]:
    specifications = desk.params.get("TagSpecifications") or []
    return {tag["Key"]: tag["Value"] for each in specifications for tag in each.get("Tags") or []}


def _no_route_table(route_table_id: str) -> Refused:
    return Refused("InvalidRouteTableID.NotFound", f"The routeTable ID '{route_table_id}' does not exist")


def _no_network_interface(network_interface_id: str) -> Refused:
    text = f"The networkInterface ID '{network_interface_id}' does not exist"
    return Refused("InvalidNetworkInterfaceID.NotFound", text)


def _no_allocation(allocation_id: str) -> Refused:
    return Refused("InvalidAllocationID.NotFound", f"The allocation ID '{allocation_id}' does not exist")


def _no_address(public_ip: str) -> Refused:
    return Refused("InvalidAddress.NotFound", f"Address '{public_ip}' not found.")


OPERATIONS: dict[str, Callable[[Desk], Result | None]] = {
    "AllocateAddress": allocate_address,
    "AssignIpv6Addresses": assign_ipv6_addresses,
    "AssignPrivateIpAddresses": assign_private_ip_addresses,
    "AssociateAddress": associate_address,
    "CreateNatGateway": create_nat_gateway,
    "CreateRoute": create_route,
    "DeleteNetworkInterface": delete_network_interface,
    "DeleteRoute": delete_route,
    "DescribeAddresses": describe_addresses,
    "DescribeNetworkInterfaces": describe_network_interfaces,
    "DescribeRouteTables": describe_route_tables,
    "DisassociateAddress": disassociate_address,
    "GetManagedPrefixListEntries": get_managed_prefix_list_entries,
    "ModifyNetworkInterfaceAttribute": modify_network_interface_attribute,
    "ReleaseAddress": release_address,
    "ReplaceRoute": replace_route,
    "TerminateInstances": terminate_instances,
    "UnassignIpv6Addresses": unassign_ipv6_addresses,
    "UnassignPrivateIpAddresses": unassign_private_ip_addresses,
}
