"""The guard of a server's own way to EC2 is pure: which way an ENI has, and whether the resource moves it."""

from __future__ import annotations

import pytest

from ec2kit.ec2.answers import Route, SubnetTable
from ec2kit.scenarios.route_table.guard import Way, ways, winners

EC2, ENDPOINT, SIX = "198.51.100.7", "10.0.9.9", "2001:db8::7"


def table(name: str, *destinations: str, subnets: tuple[str, ...] = (), is_main: bool = False) -> SubnetTable:
    routes = tuple(Route(each, "local" if each == "10.0.0.0/16" else "igw-1") for each in destinations)
    return SubnetTable(name, routes, subnets, is_main)


MAIN = table("rtb-main", "10.0.0.0/16", "0.0.0.0/0", "::/0", is_main=True)
OWN = table("rtb-own", "10.0.0.0/16", "0.0.0.0/0", "198.51.0.0/16", "pl-1", subnets=("subnet-own",))
NONE = table("rtb-none", "10.0.0.0/16", subnets=("subnet-none",))


def way(subnet: str, peer: str, *moved: tuple[str, str], blocks: tuple[str, ...] = ()) -> Way | None:
    found = ways([MAIN, OWN, NONE], {"eni-1": subnet}, peer, moved, {"pl-1": blocks} if blocks else {})
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize(
    ("subnet", "peer", "moved", "blocks", "expected"),
    [
        pytest.param(
            "subnet-x", EC2, ("rtb-main", "0.0.0.0/0"), (), ("rtb-main", "0.0.0.0/0", True), id="main table"
        ),
        pytest.param(
            "subnet-x", EC2, ("rtb-own", "0.0.0.0/0"), (), ("rtb-main", "0.0.0.0/0", False), id="other table"
        ),
        pytest.param("subnet-x", SIX, ("rtb-main", "::/0"), (), ("rtb-main", "::/0", True), id="IPv6"),
        pytest.param("subnet-x", SIX, ("rtb-main", "0.0.0.0/0"), (), ("rtb-main", "::/0", False), id="other family"),
        pytest.param(
            "subnet-own", EC2, ("rtb-own", "0.0.0.0/0"), (), ("rtb-own", "198.51.0.0/16", False), id="longer prefix"
        ),
        pytest.param(
            "subnet-own", EC2, ("rtb-own", "pl-1"), ("198.51.100.0/24",), ("rtb-own", "pl-1", True), id="prefix list"
        ),
        pytest.param(
            "subnet-own",
            EC2,
            ("rtb-own", "pl-1"),
            ("198.51.0.0/16",),
            ("rtb-own", "198.51.0.0/16", False),
            id="a prefix list comes after a route of the same length",
        ),
        pytest.param(
            "subnet-own", ENDPOINT, ("rtb-own", "0.0.0.0/0"), (), ("rtb-own", "10.0.0.0/16", False), id="endpoint"
        ),
        pytest.param(
            "subnet-x",
            "127.0.0.1",
            ("rtb-main", "0.0.0.0/0"),
            (),
            ("rtb-main", "0.0.0.0/0", True),
            id="hidden by a proxy",
        ),
        pytest.param("subnet-x", "", ("rtb-main", "0.0.0.0/0"), (), ("rtb-main", "0.0.0.0/0", True), id="not known"),
        pytest.param("subnet-none", EC2, ("rtb-none", "0.0.0.0/0"), (), None, id="no way"),
    ],
)
def test_way_of_an_eni_is_by_the_longest_prefix_of_its_effective_table(
    subnet: str, peer: str, moved: tuple[str, str], blocks: tuple[str, ...], expected: tuple[str, str, bool] | None
) -> None:
    """The table of the subnet, or the main one, decides as EC2 does."""
    found = way(subnet, peer, moved, blocks=blocks)
    assert (found and found[1:]) == expected


@pytest.mark.parametrize(
    ("moved", "blocks", "expected"),
    [
        pytest.param("10.1.0.0/16", (), ["10.1.7.0/24", "10.1.9.9/32"], id="a block"),
        pytest.param("10.1.7.0/24", (), [], id="a block in which nothing is longer"),
        pytest.param("10.0.0.0/8", (), ["10.1.0.0/16", "10.1.7.0/24", "10.1.9.9/32"], id="not the local route"),
        pytest.param("0.0.0.0/0", (), [], id="a default route is for the rest"),
        pytest.param("::/0", (), [], id="IPv6"),
        pytest.param("pl-1", ("10.1.7.0/24",), ["10.1.7.0/24"], id="a prefix list comes after a route of its length"),
        pytest.param("pl-1", ("10.1.7.8/32",), [], id="a prefix list that is longer"),
    ],
)
def test_route_that_takes_a_part_of_a_moved_one_is_named(
    moved: str, blocks: tuple[str, ...], expected: list[str]
) -> None:
    """In its own table only, with its target and with whatever made it."""
    others = ("10.1.0.0/16", "10.1.7.0/24", "10.1.9.9/32", "2001:db8::/32", "pl-2")
    routes = tuple(Route(each, "vgw-1", origin="EnableVgwRoutePropagation") for each in others)
    mine = SubnetTable("rtb-1", (*routes, Route("10.0.0.0/16", "local"), Route(moved, "eni-1")), (), False)
    found = winners([mine, table("rtb-2", *others)], [("rtb-1", moved)], {"pl-1": blocks})
    why = f"of rtb-1 wins over {moved}: it points at vgw-1 by EnableVgwRoutePropagation"
    assert found == [f"{each} {why}" for each in expected]
