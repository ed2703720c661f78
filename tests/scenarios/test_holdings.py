"""What a definition of each kind has of AWS for itself, and which two definitions would take it from each other."""

from __future__ import annotations

from typing import Any

import pytest

from ec2kit.holding import as_json, from_json, meeting
from ec2kit.resource import Resource
from ec2kit.scenarios import dns_record, elastic_ip, route_table
from ec2kit.scenarios.table import names, scenario_of

from ..builders import (
    DNS_RECORD,
    ELASTIC_IP,
    PRIVATE_IPV6,
    ROUTE_TABLE,
    SECONDARY_IP,
    a_resource,
    a_server,
)


def has(resource: Resource) -> Any:
    """What other servers are told."""
    return from_json(as_json(scenario_of(resource).holdings(resource)))


def routes(*tables: str, tag: str = "", address: str = "10.1.0.10", vpc: str = "vpc-1") -> Resource:
    return a_resource(ROUTE_TABLE, own=route_table.Own(tables, tag), address=address, vpc_id=vpc)


def an_elastic_ip(public_ip: str, **server: str) -> Resource:
    place = a_server("server-a", **server)
    return a_resource(ELASTIC_IP, address=public_ip, own=elastic_ip.Own(f"eipalloc-{public_ip}"), servers=(place,))


def a_record(record_type: str, zone: str = "Z1", name: str = "db.example.com") -> Resource:
    own = dns_record.Own(zone, record_type, "10", ("server-a=192.0.2.1",))
    return a_resource(DNS_RECORD, address=name, own=own)


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        pytest.param(routes(), routes(), True, id="one VIP in all tables, twice"),
        pytest.param(routes(), routes("rtb-1"), True, id="all tables and one of them"),
        pytest.param(routes("rtb-1", "rtb-2"), routes("rtb-2"), True, id="a listed table in common"),
        pytest.param(routes("rtb-1"), routes("rtb-2"), False, id="other listed tables"),
        pytest.param(routes("rtb-1"), routes(tag="nat=a"), True, id="a listed table may have the tag"),
        pytest.param(routes(tag="nat=a"), routes(tag="nat=a"), True, id="one tag"),
        pytest.param(routes(tag="nat=a"), routes(tag="nat=b,c"), False, id="two values of one key"),
        pytest.param(routes(tag="nat=a"), routes(tag="vip=a"), True, id="two keys"),
        pytest.param(routes("rtb-1", tag="nat=a"), routes(tag="nat=b"), True, id="a list and a tag, and another tag"),
        pytest.param(routes(), routes(address="10.1.0.20"), False, id="another VIP"),
        pytest.param(routes(), routes(address="10.1.0.20,10.1.0.10"), True, id="one VIP of several"),
        pytest.param(routes(), routes(vpc="vpc-2"), False, id="one VIP in two VPCs"),
        pytest.param(routes(), routes("rtb-1", address="10.1.0.0/16"), False, id="a VIP beside a block around it"),
        pytest.param(
            routes("rtb-1", address="0.0.0.0/0"),
            routes("rtb-1", address="0.0.0.0/0,::/0"),
            True,
            id="one default route",
        ),
        pytest.param(
            an_elastic_ip("203.0.113.1"), an_elastic_ip("203.0.113.1", device="eth0"), True, id="one Elastic IP"
        ),
        pytest.param(
            an_elastic_ip("203.0.113.1"), an_elastic_ip("203.0.113.2"), True, id="one place of two Elastic IPs"
        ),
        pytest.param(
            an_elastic_ip("203.0.113.1"),
            an_elastic_ip("203.0.113.2", network_interface_id="eni-2", private_ip_address="10.0.1.20"),
            False,
            id="two Elastic IPs, each with a place of its own",
        ),
        pytest.param(a_resource(SECONDARY_IP), a_resource(SECONDARY_IP), True, id="one private address"),
        pytest.param(a_resource(SECONDARY_IP), a_resource(SECONDARY_IP, vpc_id="vpc-2"), False, id="in two VPCs"),
        pytest.param(
            a_resource(SECONDARY_IP), a_resource(SECONDARY_IP, address=PRIVATE_IPV6), False, id="another address"
        ),
        pytest.param(a_record("A"), a_record("A"), True, id="one record set"),
        pytest.param(a_record("A"), a_record("AAAA"), False, id="two types of one name"),
        pytest.param(a_record("AAAA"), a_record("CNAME"), True, id="a CNAME is alone with its name"),
        pytest.param(a_record("A"), a_record("A", zone="Z2"), False, id="one name in two zones"),
        pytest.param(a_record("A"), a_record("A", name="web.example.com"), False, id="another name"),
    ],
)
def test_two_definitions_meet_where_one_would_take_something_of_the_other(
    one: Resource, other: Resource, meet: bool
) -> None:
    """Each sees it of the other, by what servers tell each other alone."""
    assert (bool(meeting(has(one), has(other))), bool(meeting(has(other), has(one)))) == (meet, meet)


@pytest.mark.parametrize("kind", names())
def test_definitions_of_two_kinds_never_meet(kind: str) -> None:
    """What they have is of different kinds, too; a definition always meets itself."""
    mine = has(a_resource(kind))
    met = {each for each in names() if meeting(mine, has(a_resource(each)))}
    assert met == {kind}
