"""Resources of routes are made, checked, tried and shown by what is here."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ec2kit.errors import ArgumentInvalid
from ec2kit.finding import Finding, Findings, Outcome
from ec2kit.resource import Resource, Server, hosts, is_ipv4
from ec2kit.scenarios.route_table import Observed, Own, coverage, creation, guard, left_alone, objects
from ec2kit.scenarios.route_table.look import destinations, must_be_roles, place_of, questions
from ec2kit.scenarios.route_table.parameters import addresses, external_id, role_arn, table_tag, tables
from ec2kit.scenarios.wish import IP_RESOURCE, Field, Found, Given, Offered, without_ip_resources

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from ec2kit.ec2.answers import NetworkInterface
    from ec2kit.ec2.operations import Ec2
    from ec2kit.holding import Holdings
    from ec2kit.host.instance import Interface
    from ec2kit.scenarios.scenario import Check, Grant, Ground
    from ec2kit.status import Change

# -- create --------------------------------------------------------------------------------------------------


def _checked_tables(name: str, text: str) -> str:
    return ",".join(tables(name, text))


def _checked_vips(name: str, text: str) -> str:
    found = addresses(name, text)
    wrong = [each for each in found.split(",") if not hosts(each)]
    if wrong:
        raise ArgumentInvalid(name=name, reason=f"{wrong[0][:60]!a} is not one address; use --destination")
    return found


def _without_virtual_ip(offered: Offered, given: Given) -> bool:
    return not offered.get("ip_resources") and not given.get("virtual_ip")


def _with_chosen_tables(offered: Offered, given: Given) -> bool:
    return _chooses(given)


def _with_role(offered: Offered, given: Given) -> bool:
    return bool(given.get("role_arn"))


FIELDS: tuple[Field, ...] = (
    IP_RESOURCE,
    Field(
        "virtual_ip",
        "--vip",
        "ADDRESS",
        "virtual IP of a route-table resource; may be repeated",
        "Virtual IP, or several",
        checked=_checked_vips,
        asked=without_ip_resources,
        otherwise="another destination",
        names_it=True,
        several=True,
    ),
    Field(
        "destination",
        "--destination",
        "BLOCK|pl-…",
        "any destination instead of a virtual IP, in chosen route tables: 0.0.0.0/0, a block, a prefix list; may be "
        "repeated",
        "Destination, in chosen route tables",
        checked=addresses,
        asked=_without_virtual_ip,
        names_it=True,
        several=True,
    ),
    Field(
        "route_table_ids",
        "--route-table",
        "rtb-…",
        "a route table to move the route in, and no other; may be repeated",
        "Route tables",
        checked=_checked_tables,
        otherwise="all that have the route",
        several=True,
    ),
    Field(
        "route_table_tag",
        "--route-table-tag",
        "KEY=VALUE",
        "move the route in all route tables of the VPC that have this tag at the time, and in no other",
        "Tag of route tables, KEY=VALUE",
        checked=table_tag,
        otherwise="none",
    ),
    Field(
        "create_routes",
        "--create-routes",
        "",
        "make the route in each chosen table that lacks it",
        "Make the routes that are lacking",
        asked=_with_chosen_tables,
        otherwise="no",
        is_switch=True,
    ),
    Field(
        "role_arn",
        "--role-arn",
        "[rtb-…=]ARN",
        "role under which the route tables, or one of them, are looked at and changed, where they belong to another "
        "account; may be repeated",
        "Role of the route tables",
        checked=role_arn,
        otherwise="none",
        several=True,
        is_changeable=True,
    ),
    Field(
        "external_id",
        "--external-id",
        "TEXT",
        "external id that the trust policies of the roles ask for",
        "External id",
        checked=external_id,
        asked=_with_role,
        otherwise="none",
        is_changeable=True,
    ),
)


def understood(given: Given, address_of: Callable[[str], str] | None) -> Given:
    """
    Return the given fields with the virtual IP; under LifeKeeper it is the address of an IP resource.

    Raises:
        ArgumentInvalid: The virtual IP is missing, or is not the address of the IP resource; or there is another
            destination beside it, or without chosen tables.
    """
    tag, virtual_ip = given.get("ip_resource"), given.get("virtual_ip")
    if "external_id" in given and "role_arn" not in given:
        raise ArgumentInvalid(name="external-id", reason="it belongs to a role; give --role-arn, too")
    _must_be_roles(given)
    if "create_routes" in given and not _chooses(given):
        reason = "routes are made in chosen tables only; give --route-table or --route-table-tag, too"
        raise ArgumentInvalid(name="create-routes", reason=reason)
    if "destination" in given:
        return _of_any_destination(given)
    if address_of is None:
        if tag:
            raise ArgumentInvalid(name="ip-resource", reason="only LifeKeeper has IP resources; use --vip")
        if not virtual_ip:
            raise ArgumentInvalid(name="vip", reason="a route-table resource needs --vip")
        return given
    if not tag:
        reason = "a route-table resource under LifeKeeper needs --ip-resource, the IP resource of the virtual IP"
        raise ArgumentInvalid(name="ip-resource", reason=reason)
    address = address_of(tag)
    if virtual_ip not in (None, address):
        raise ArgumentInvalid(name="vip", reason=f"{virtual_ip[:60]!a} is not the address of {tag}")
    return {**given, "virtual_ip": address}


def _must_be_roles(given: Given) -> None:
    """Refuse a role of a table that is not listed; raises ArgumentInvalid."""
    text = role_arn("role-arn", given.get("role_arn", ""))
    try:
        must_be_roles(Own(tables("route-table", given.get("route_table_ids", "")), "", text))
    except ValueError as error:
        raise ArgumentInvalid(name="role-arn", reason=str(error)) from error


def _of_any_destination(given: Given) -> Given:
    for name, option in (("ip_resource", "ip-resource"), ("virtual_ip", "vip")):
        if name in given:
            raise ArgumentInvalid(name=option, reason="it does not go together with --destination")
    if not _chooses(given):
        reason = "it is moved in chosen tables only; give --route-table or --route-table-tag, too"
        raise ArgumentInvalid(name="destination", reason=reason)
    return given


def _chooses(given: Given) -> bool:
    return bool(given.get("route_table_ids") or given.get("route_table_tag"))


def preparations(given: Given, observed: Observed) -> tuple[Change, ...]:
    """Return the routes to be made where a chosen table lacks them, if create was told so."""
    if "create_routes" not in given or observed.unknown is not None:
        return ()
    return tuple(creation(observed, each) for each in observed.without_route)


def find(given: Given, ec2: Ec2) -> Found:
    """Return the addresses, the chosen tables and the role; nothing has to be looked up."""
    listed = given.get("route_table_ids", "")
    own = Own(
        tuple(listed.split(",")) if listed else (),
        given.get("route_table_tag", ""),
        given.get("role_arn", ""),
        given.get("external_id", ""),
    )
    return Found(given.get("destination") or given["virtual_ip"], own, given.get("ip_resource", ""))


def offers(ec2: Ec2 | None, ip_resources: Mapping[str, str] | None) -> Offered:
    """Return the IP resources of LifeKeeper."""
    return {"ip_resources": ip_resources}


# -- checks --------------------------------------------------------------------------------------------------

LOOK = "DescribeRouteTables"

ONE_VPC = True

DIFFERENT_ZONES = True


def displaces(ground: Ground) -> Holdings:
    """Return nothing: a route displaces nothing."""
    return ()


def interface_findings(ground: Ground, eni: NetworkInterface) -> Findings:
    """
    Tell whether the ENI's source/destination check is off, or can be switched off.

    The question names the present value, so that it changes nothing where an endpoint ignores DryRun.
    """
    name, place = "source/destination check", ground.server.network_interface_id
    present: dict[str, object] = {"NetworkInterfaceId": place, "SourceDestCheck": {"Value": True}}
    if not eni.source_dest_check:
        yield Finding(name, Outcome.OK, f"off on {place}")
    elif ground.ec2.is_allowed("ModifyNetworkInterfaceAttribute", **present):
        yield Finding(name, Outcome.WARN, f"on on {place}", "restore will switch it off")
    else:
        advice = "switch it off, otherwise EC2 drops packets to the virtual IP"
        yield Finding(name, Outcome.FAILED, f"on on {place}", advice)


def replies_to(interface: Interface) -> str:
    """Return an address in the VPC, where the clients of a virtual IP are."""
    vpc = ipaddress.IPv4Network(interface.vpc_cidr_blocks[0])
    return str(vpc.network_address + 2)


def _outside_the_vpc(ground: Ground) -> Findings:
    """
    Tell whether each address is outside all CIDR blocks of the VPC; inside, the local route would win.

    The metadata give the blocks of IPv4; those of IPv6 are the destinations of the VPC's local routes.
    """
    for each in hosts(ground.resource.address):
        blocks = ground.interface.vpc_cidr_blocks if is_ipv4(each) else _local_blocks(ground)
        yield from _outside(ipaddress.ip_address(each), blocks)


def _local_blocks(ground: Ground) -> tuple[str, ...]:
    """Return the VPC's blocks of IPv6, to which every route table has a local route."""
    tables = guard.all_tables(ground)
    local = {route.destination for table in tables for route in table.routes if route.target == "local"}
    return tuple(sorted(each for each in local if ":" in each))


def _outside(address: IPv4Address | IPv6Address, blocks: Sequence[str]) -> Findings:
    name = "vip outside the vpc"
    inside = [each for each in blocks if address in ipaddress.ip_network(each)]
    if inside:
        advice = "choose an address outside all blocks of the VPC; routes inside them cannot be moved"
        yield Finding(name, Outcome.FAILED, f"{address} is inside {', '.join(inside)}", advice)
    else:
        yield Finding(name, Outcome.OK, f"{address} is outside {', '.join(blocks) or 'the VPC, which has no IPv6'}")


def _routes(ground: Ground) -> Findings:
    """Tell which tables have the route."""
    vpc_id, block, tag = (
        ground.resource.vpc_id,
        ", ".join(destinations(ground.resource)),
        ground.resource.own.route_table_tag,
    )
    tables, lacking = objects(ground.seen), ground.seen.without_route
    for each in left_alone(ground.seen):
        advice = "create a static route there, too, if the subnets of the table use the address"
        yield Finding("routes of others", Outcome.WARN, str(each), advice)
    if lacking and "create_routes" in ground.given:
        yield Finding(
            "routes", Outcome.NOTE, f"{', '.join(lacking)} without a route {block}", "create makes it there"
        )
        yield from _may_create(ground)
    elif lacking:
        found = f"{', '.join(lacking)} of {vpc_id} without a static route {block}"
        advice = "create the route there (--create-routes does), or do not choose the table"
        yield Finding("routes", Outcome.FAILED, found, advice)
    elif tables:
        shown = ", ".join(tables[:10]) + (" …" if len(tables) > 10 else "")
        yield Finding("routes", Outcome.OK, f"{len(tables)} tables have {block}: {shown}")
    elif tag:
        found = f"no route table of {vpc_id} has the tag {tag}"
        yield Finding("routes", Outcome.FAILED, found, "give the tag to each table whose subnets use the address")
    else:
        found = f"no route table of {vpc_id} has a static route {block}"
        yield Finding("routes", Outcome.FAILED, found, "create the route in each table whose subnets use the address")


def _may_create(ground: Ground) -> Findings:
    """
    Tell whether the role may make the routes that are lacking, and take them away if create fails.

    The questions name the VPC's local route, which can be neither made nor deleted where an endpoint ignores DryRun.
    """
    for table in sorted({place_of(ground.resource, each)[0] for each in ground.seen.without_route}):
        local = {"RouteTableId": table, "DestinationCidrBlock": ground.interface.vpc_cidr_blocks[0]}
        target = {"NetworkInterfaceId": ground.server.network_interface_id}
        for operation, question in (("CreateRoute", {**local, **target}), ("DeleteRoute", local)):
            name = f"permission ec2:{operation}"
            if ground.ec2.under(ground.resource.own.role_of(table)).is_allowed(operation, **question):
                yield Finding(name, Outcome.OK, f"granted for {table}")
            else:
                advice = "add it to the role, as in etc/iam-policy.json, or create the routes by hand"
                yield Finding(name, Outcome.FAILED, f"missing for {table}", advice)


CHECKS: tuple[tuple[str, Check], ...] = (
    ("vip outside the vpc", _outside_the_vpc),
    ("routes", _routes),
    (guard.NAME, guard.findings),
)

ON_DEMAND: tuple[tuple[str, Check], ...] = ((coverage.NAME, coverage.findings),)


def grants(resource: Resource, observed: Observed) -> tuple[Grant, ...]:
    """Return the permissions for the tables of each role, and those of the servers for their ENIs."""
    from ec2kit.scenarios.scenario import Grant

    own: Own = resource.own
    roles = tuple(dict.fromkeys(role for role, _ in questions(own)))
    tables = sorted({place_of(resource, each)[0] for each in objects(observed)})
    needed: list[Grant] = []
    for role in roles:
        mine = tuple(f"route-table/{each}" for each in tables if own.role_of(each) == role)
        needed.append(Grant("LookAtRoutes", ("ec2:DescribeRouteTables",), role=role))
        if mine:
            needed.append(Grant("MoveRoutes", ("ec2:ReplaceRoute",), mine, role=role))
    if own.route_table_tag:
        key, _, value = own.route_table_tag.partition("=")
        condition = {"StringEquals": {f"aws:ResourceTag/{key}": value}}
        role = own.roles.default if own.roles else None
        needed.append(Grant("MoveRoutesOfTag", ("ec2:ReplaceRoute",), ("route-table/*",), condition, role))
    needed += [Grant("AssumeRoles", ("sts:AssumeRole",), (role.role_arn,)) for role in roles if role is not None]
    enis = tuple(f"network-interface/{each.network_interface_id}" for each in resource.servers)
    lists = tuple(f"prefix-list/{each}" for each in resource.addresses if each.startswith("pl-"))
    more = [Grant("SwitchCheckOff", ("ec2:ModifyNetworkInterfaceAttribute",), enis, is_optional=True)]
    if lists:
        more.append(Grant("LookAtPrefixLists", ("ec2:GetManagedPrefixListEntries",), lists, is_optional=True))
    return (*needed, *more)


# -- trying and showing --------------------------------------------------------------------------------------

NOT_PROVED_BY_PING = ""

WHEN_SILENT = (
    "the source/destination check of the ENI, the security group, the route table of the asking server's subnet, the "
    "rule for replies (`ip rule`) and rp_filter, and whether the address is on the device"
)


def packets_to(resource: Resource, holder: Server | None) -> tuple[str, ...]:
    """Return the virtual IPs; a block or a prefix list is no address that answers."""
    return hosts(resource.address)


def shown(resource: Resource) -> str:
    """Return the addresses, with the chosen tables and the role if there are any."""
    tag, role_arn, external = resource.own[1:]
    chosen = [*resource.own.route_table_ids, *([f"those with the tag {tag}"] if tag else [])]
    where = f" in {', '.join(chosen)}" if chosen else ""
    under = f" under {role_arn}" + (f" (external id {external})" if external else "") if role_arn else ""
    return ", ".join(resource.addresses) + where + under


IN_VENDORS_KIT = True
