"""
A hundred virtual IPs move: by one resource of all of them, by a prefix list, and by a resource of each in turn.

Beside them stands one virtual IP that as many route tables have, because it takes as many writes. No side waits for
EC2's token bucket, so what is measured is the cost of the programs.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass

import rivals
from contestants import VIP_TAG, Servers
from measure import Figures, Row, Run, alternating, once

from ec2kit.sandbox.client import started

COUNT = 100
ADDRESSES = tuple(f"10.9.0.{number}" for number in range(1, COUNT + 1))
ALL_TAG, LIST_TAG = "ec2-hundred", "ec2-list"

BY_ONE = f"restore, {COUNT} virtual IPs of one resource (1 table)"
BY_LIST = f"restore, prefix list of {COUNT} virtual IPs (1 table)"
AS_MANY = f"restore, one virtual IP ({COUNT} tables)"
IN_TURN = f"aws-vpc-move-ip start, {COUNT} resources in turn (1 table)"


@dataclass(frozen=True)
class Hundred:
    """
    Hold what moving a hundred virtual IPs costs.

    Attributes:
        writes: The writes of one restore of the prefix list.
        in_turn: Seconds of the rival's agents together; None: they were not measured.
    """

    figures: dict[str, Figures]
    writes: int
    in_turn: float | None


def measure(servers: Servers, *, rounds: int, with_rivals: bool) -> Hundred:
    """Measure on a sandbox with one table, beside one with a hundred, in alternation."""
    _make(servers)
    with tempfile.TemporaryDirectory() as folder, started(folder, tables=COUNT, tls=True) as sandbox:
        others = Servers(sandbox)
        others.create()
        rows = {
            servers.sandbox: [_restore(BY_ONE, servers, ALL_TAG), _restore(BY_LIST, servers, LIST_TAG)],
            sandbox: [_restore(AS_MANY, others, VIP_TAG)],
        }
        before = len(servers.sandbox.calls())
        figures = alternating(rows, rounds=rounds)
    writes = [
        call
        for call in servers.sandbox.calls()[before:]
        if call["operation"] == "ReplaceRoute" and call["user_agent"].endswith(f" {LIST_TAG}")
    ]
    restores = 2 * (rounds + 1)
    return Hundred(figures, -(-len(writes) // restores), _in_turn(servers) if with_rivals else None)


def _restore(name: str, servers: Servers, tag: str) -> Row:
    return Row(name, [servers.action(each, "restore", tag) for each in ("node2", "node1")])


def _make(servers: Servers) -> None:
    """Make the prefix list, and both resources with their routes."""
    entries = [{"Cidr": f"{each}/32"} for each in ADDRESSES]
    made = servers.aws.create_managed_prefix_list(
        PrefixListName="virtual-ips", MaxEntries=COUNT, AddressFamily="IPv4", Entries=entries
    )
    table = servers.sandbox.description["route_table_ids"][0]
    for tag, words in (
        (ALL_TAG, [word for each in ADDRESSES for word in ("--vip", each)]),
        (LIST_TAG, ["--destination", made["PrefixList"]["PrefixListId"]]),
    ):
        words += ["--route-table", table, "--create-routes", "--interface", "eth1"]
        create = (str(servers.actions / "create"), "-t", tag, "--type", "route-table", *words)
        once(Run(create, servers.environment("node1")))
        once(Run((str(servers.actions / "extend"), "node1", tag), servers.environment("node2")))


def _in_turn(servers: Servers) -> float:
    """Return the seconds in which the rival's agents, one for each virtual IP, take all over from node2, once."""
    sandbox = servers.sandbox
    eni = sandbox.description["nodes"]["node2"]["interfaces"]["eth1"]["network_interface_id"]
    table = sandbox.description["route_table_ids"][0]
    for each in ADDRESSES:
        servers.aws.replace_route(RouteTableId=table, DestinationCidrBlock=f"{each}/32", NetworkInterfaceId=eni)
    runs: Sequence[Run] = [rivals.start_of(servers, each) for each in ADDRESSES]
    began = time.perf_counter()
    for run in runs:
        once(run)
    seconds = time.perf_counter() - began
    for each in ADDRESSES:
        subprocess.run(["ip", "address", "flush", "to", each], check=True)
    return seconds
