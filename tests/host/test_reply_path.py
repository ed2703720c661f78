"""The way of replies: decided from what `ip` shows, and put on and taken off by it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ec2kit.deadline import Deadline
from ec2kit.errors import LocalCommandFailed
from ec2kit.host import reply_path
from ec2kit.host.ip import Carried, dotted, is_in, number, shown
from ec2kit.host.reply_path import Way, destinations, leaves_by, routes_of, rules_of, way_of
from ec2kit.settings import Settings

VIP = "10.1.0.10"
HERE = [Carried("lo", "127.0.0.1", 8), Carried("eth0", "10.0.10.11", 24), Carried("eth1", "10.0.11.11", 24)]
LOCAL = {"priority": 0, "src": "all", "table": "local"}
MAIN = {"priority": 32766, "src": "all", "table": "main"}
BY_ETH0 = {"dst": "default", "gateway": "10.0.10.1", "dev": "eth0", "flags": []}
ETH0, ETH1 = ({"dst": f"10.0.1{n}.0/24", "dev": f"eth{n}", "scope": "link"} for n in (0, 1))
BY_ETH1 = {"dst": "default", "gateway": "10.0.11.1", "dev": "eth1", "table": "7"}


def test_numbers_and_blocks_of_addresses() -> None:
    """The table of an address has its number, so no two addresses share one."""
    assert (number(VIP), dotted(number(VIP)), Way(VIP, "eth1", "").table) == (167837706, VIP, "167837706")
    for address, block, expected in (
        (VIP, "10.1.0.0/16", True),
        (VIP, "10.1.0.10", True),
        (VIP, "10.1.0.11/32", False),
        (VIP, "0.0.0.0/0", True),
    ):
        assert is_in(address, block) is expected


def test_way_of_an_address_is_by_the_router_of_its_devices_subnet() -> None:
    """A VPC has its router at the first address of each subnet; the address that moves is no subnet."""
    here = [*HERE, Carried("eth1", VIP, 32)]
    assert way_of(VIP, "eth1", here) == Way(VIP, "eth1", "10.0.11.1")
    assert way_of(VIP, "eth1", [Carried("eth1", VIP, 32)]) is None


def test_destinations_are_in_the_vpc_and_in_the_subnets_of_other_devices_there() -> None:
    """Clients beside another ENI would be answered by it; a bridge of containers is outside of the VPC."""
    here = [*HERE, Carried("docker0", "172.17.0.1", 16)]
    assert destinations("eth1", here, ["10.0.0.0/16"]) == ("10.0.0.2", "10.0.10.1")


@pytest.mark.parametrize(
    ("more_rules", "more_routes", "destination", "expected"),
    [
        pytest.param([], [], "10.0.0.2", "eth0", id="main-table"),
        pytest.param([], [], "10.0.11.9", "eth1", id="longest-prefix"),
        pytest.param([{"priority": 9, "src": VIP, "table": "7"}], [BY_ETH1], "10.0.0.2", "eth1", id="rule"),
        pytest.param([{"priority": 9, "src": VIP, "table": "7"}], [], "10.0.0.2", "eth0", id="rule-without-routes"),
        pytest.param(
            [{"priority": 9, "src": "10.1.0.0", "srclen": 16, "table": "7"}],
            [BY_ETH1],
            "10.0.0.2",
            "eth1",
            id="block",
        ),
        pytest.param([{"priority": 9, "src": "10.0.11.11", "table": "7"}], [BY_ETH1], "10.0.0.2", "eth0", id="other"),
        pytest.param(
            [{"priority": 9, "src": "all", "fwmark": "0x1", "table": "7"}], [BY_ETH1], "10.0.0.2", "eth0", id="mark"
        ),
        pytest.param(
            [
                {"priority": 8, "src": "all", "table": "main", "suppress_prefixlen": 0},
                {"priority": 9, "src": VIP, "table": "7"},
            ],
            [BY_ETH1],
            "10.0.0.2",
            "eth1",
            id="suppressed-default",
        ),
        pytest.param(
            [{"priority": 9, "src": VIP, "table": "7"}],
            [{"type": "blackhole", "dst": "default", "table": "7"}],
            "10.0.0.2",
            "",
            id="blackhole",
        ),
        pytest.param(
            [{"priority": 9, "src": VIP, "table": "7"}],
            [{"dst": "default", "table": "7", "nexthops": [{"dev": "eth1"}, {"dev": "eth2"}]}],
            "10.0.0.2",
            "eth1",
            id="several-hops",
        ),
    ],
)
def test_leaves_by_is_what_the_kernel_would_do(
    more_rules: list[dict[str, object]], more_routes: list[dict[str, object]], destination: str, expected: str
) -> None:
    """The kernel refuses to be asked for an address that it does not have, so its rules and routes are read."""
    rules = rules_of([LOCAL, MAIN, *more_rules])
    routes = routes_of([BY_ETH0, ETH0, ETH1, *more_routes])
    assert leaves_by(rules, routes, source=VIP, destination=destination) == expected


# -- by `ip` -------------------------------------------------------------------------------------------------------


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(server="a", net_dir=str(tmp_path / "net"), path=f"{tmp_path}:/usr/bin:/bin")


def an_ip(folder: Path, script: str) -> None:
    """An `ip` command that notes its words, then does as the script says."""
    path = folder / "ip"
    path.write_text(f'#!/bin/sh\necho "$*" >> {folder}/words\n{script}\n')
    path.chmod(0o755)


def words(folder: Path) -> list[str]:
    return (folder / "words").read_text().splitlines()


@pytest.mark.parametrize("is_there", [False, True])
def test_put_on_makes_route_and_rule_and_keeps_a_rule_that_is_there(
    is_there: bool, settings: Settings, tmp_path: Path
) -> None:
    """The rule comes last: without its route it would lead nowhere."""
    rule = {"priority": 10050, "src": VIP, "table": "167837706", "protocol": "226"}
    an_ip(tmp_path, f"case $* in *show*) echo '{json.dumps([LOCAL, *([rule] if is_there else [])])}' ;; esac")
    reply_path.put_on(Way(VIP, "eth1", "10.0.11.1"), settings, Deadline(30))
    added = [] if is_there else [f"-4 rule add from {VIP}/32 lookup 167837706 pref 10050 protocol 226"]
    assert words(tmp_path) == [
        "-4 route replace default via 10.0.11.1 dev eth1 onlink table 167837706 proto 226",
        "-j -4 rule show",
        *added,
    ]


def test_take_off_removes_only_what_has_the_kits_protocol(settings: Settings, tmp_path: Path) -> None:
    """A rule of the network's own configuration stays, and a rule that is not there is no error."""
    an_ip(tmp_path, "case $* in *rule*) echo 'No such file' >&2; exit 2 ;; esac")
    assert reply_path.take_off(VIP, settings, Deadline(30)) is False
    assert all("226" in each for each in words(tmp_path))


@pytest.mark.parametrize("output", ["nonsense", "{}"])
def test_output_of_ip_that_is_no_list_could_not_be_read(output: str, settings: Settings, tmp_path: Path) -> None:
    """Old versions of ip have no JSON for everything."""
    an_ip(tmp_path, f"echo '{output}'")
    with pytest.raises(LocalCommandFailed, match="its output is not"):
        shown(["rule", "show"], settings, Deadline(30))
