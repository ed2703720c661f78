"""The story is data: the scenes, their steps, and all that is expected of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stage import ELASTIC_IP, PRIVATE_ADDRESS, RECORD_SET, Place, Stage

VIP_TAG = "ec2-vip1"
EIP_TAG = "ec2-eip1"

Holders = tuple[str, ...]
"""The holders of the scenario's address afterwards, one for each place: ("node1 eth1", "node1 eth1")."""


@dataclass(frozen=True)
class Act:
    """
    Describe one action on one server.

    Attributes:
        says: Words that its output must contain.
        writes: The updating requests that it must make.
        shown: Show the table of holders even if nothing changed.
    """

    why: str
    server: str
    command: str
    holders: Holders
    status: int = 0
    says: tuple[str, ...] = ()
    writes: Holders = ()
    shown: bool = False


@dataclass(frozen=True)
class Event:
    """Describe something that happens to the cluster: the prompt, what is typed there, and the effect."""

    why: str
    prompt: str
    typed: str
    does: Callable[[Stage], object]
    holders: Holders
    shown: bool = False


@dataclass(frozen=True)
class Move:
    """
    Describe one kind of address in one line: a resource is made, gets a second server, and moves there.

    Attributes:
        kind: The word for its address.
        servers: The first has it before, the second afterwards, by "eth1".
        writes: The updating requests that the move must make.
    """

    kind: str
    tag: str
    create: str
    servers: tuple[str, str]
    place: Place
    writes: Holders


@dataclass(frozen=True)
class Scene:
    """One part of the story has a title, prose and steps."""

    title: str
    prose: str
    steps: tuple[Act | Event | Move, ...]


@dataclass(frozen=True)
class Scenario:
    """Hold scenes about one address; everything else that EC2 knows must not change in them."""

    places: tuple[Place, ...]
    scenes: tuple[Scene, ...]


def story(description: dict[str, Any]) -> tuple[Scenario, ...]:
    """Return the whole story, for the sandbox so described."""
    return (_route_table(description), _elastic_ip(description), _other_kinds(description))


# -- the virtual IP ------------------------------------------------------------------------------------------


def _route_table(description: dict[str, Any]) -> Scenario:
    vip, tables = description["vip"], description["route_table_ids"]
    node1, node2 = (("node1 eth1",) * len(tables), ("node2 eth1",) * len(tables))
    return Scenario(
        tuple((table, f"{vip}/32") for table in tables),
        (
            _protection(vip, node1),
            _planned_move(node1, node2, writes=("ReplaceRoute",) * len(tables)),
            _drift(description, node1),
            _dead_api(node1, node2, writes=("ReplaceRoute",) * len(tables)),
        ),
    )


def _protection(vip: str, node1: Holders) -> Scene:
    create = f"create -t {VIP_TAG} --type route-table --vip {vip} --interface eth1"
    return Scene(
        "Route table scenario: the address comes under protection",
        f"Clients inside the VPC reach {vip} by a route in their subnet's table. Each table has it once.",
        (
            Act("Make the resource, in service on node1.", "node1", create, node1, says=("created on",), shown=True),
            Act(
                "Make node2 its second server.",
                "node2",
                f"extend node1 {VIP_TAG} --priority 10",
                node1,
                says=("extended to node2",),
            ),
            Act("Is the address here?", "node1", f"quickCheck -t {VIP_TAG}", node1, says=("IN_SERVICE",)),
        ),
    )


def _planned_move(node1: Holders, node2: Holders, writes: Holders) -> Scene:
    remove, restore, check = (f"{deed} -t {VIP_TAG}" for deed in ("remove", "restore", "quickCheck"))
    return Scene(
        "Planned move, and back",
        "What an HA framework calls for a switchover: remove here, then restore there.",
        (
            Act("node1 lets go; routes stay until another server takes them.", "node1", remove, node1),
            Act("node2 takes over, all tables at once.", "node2", restore, node2, writes=writes, says=("2 changed",)),
            Act("Is the address here?", "node2", check, node2, says=("IN_SERVICE",)),
            Act("And back: node2 lets go …", "node2", remove, node2),
            Act("… and node1 takes over.", "node1", restore, node1, writes=writes, says=("2 changed",)),
            Act("Once more: restore is idempotent.", "node1", restore, node1, says=("nothing to change",)),
        ),
    )


def _drift(description: dict[str, Any], node1: Holders) -> Scene:
    table, eni = description["route_table_ids"][0], description["foreign_network_interface_id"]
    drift = {
        "RouteTableId": table,
        "DestinationCidrBlock": f"{description['vip']}/32",
        "NetworkInterfaceId": eni,
    }
    words = ", ".join(f'{name}="{value}"' for name, value in drift.items())
    drifted = ("bystander", *node1[1:])
    return Scene(
        "Drift: an outside hand changes a route",
        "An outside script points one table at a machine that is no server of the resource.",
        (
            Event(
                "Plain boto3, not ec2kit:",
                "outsider >>>",
                f"ec2.replace_route({words})",
                lambda stage: stage.ec2.replace_route(**drift),
                drifted,
            ),
            Act(
                "quickCheck looks twice before it says no.",
                "node1",
                f"quickCheck -t {VIP_TAG}",
                drifted,
                status=1,
                says=(f"{eni}: {table}",),
            ),
            Act(
                "recover writes only what is wrong.",
                "node1",
                f"recover -t {VIP_TAG}",
                node1,
                writes=("ReplaceRoute",),
                says=("1 changed",),
            ),
            Act("Is the address here?", "node1", f"quickCheck -t {VIP_TAG}", node1, says=("IN_SERVICE",)),
        ),
    )


def _dead_api(node1: Holders, node2: Holders, writes: Holders) -> Scene:
    return Scene(
        "node1 loses the EC2 API, node2 takes over, node1 comes back",
        "No answer is never a verdict, and a server that comes back takes nothing away.",
        (
            Event(
                "node1's way to the EC2 API breaks: connections are refused.",
                "sandbox$",
                "ec2kit sandbox fault --dir DIR --server node1 refuse",
                lambda stage: stage.sandbox.fault("refuse", server="node1"),
                node1,
            ),
            Act(
                "node1 cannot know; so it does not say no: 0, and why.",
                "node1",
                f"quickCheck -t {VIP_TAG}",
                node1,
                says=("UNKNOWN", "no connection to http:"),
            ),
            Act(
                "The framework decides for node2, which needs nothing from node1.",
                "node2",
                f"restore -t {VIP_TAG}",
                node2,
                writes=writes,
                says=("2 changed",),
            ),
            Event(
                "node1's way to the API is back.",
                "sandbox$",
                "ec2kit sandbox clear --dir DIR",
                lambda stage: stage.sandbox.clear(),
                node2,
            ),
            Act(
                "Now EC2 answers, and the answer is no.",
                "node1",
                f"quickCheck -t {VIP_TAG}",
                node2,
                status=1,
                says=("points at",),
            ),
            Act(
                "recover asks node2 and refuses: nothing is stolen.",
                "node1",
                f"recover -t {VIP_TAG}",
                node2,
                status=1,
                says=("taken over by node2",),
                shown=True,
            ),
            Act("The framework tidies up on node1 …", "node1", f"remove -t {VIP_TAG}", node2),
            Act("… and all is well on node2.", "node2", f"quickCheck -t {VIP_TAG}", node2, says=("IN_SERVICE",)),
        ),
    )


# -- the Elastic IP ------------------------------------------------------------------------------------------


def _elastic_ip(description: dict[str, Any]) -> Scenario:
    address = description["elastic_ip"]
    node1, node2, once = ("node1 eth0",), ("node2 eth0",), ("AssociateAddress",)
    create = f"create -t {EIP_TAG} --type elastic-ip --elastic-ip {address} --interface eth0"
    restore = f"restore -t {EIP_TAG}"
    steps = (
        Act("Make the resource, in service on node1.", "node1", create, node1, writes=once, says=("created on",)),
        Act("Make node2 its second server.", "node2", f"extend node1 {EIP_TAG}", node1, says=("extended to node2",)),
        Act("Failover: one AssociateAddress, so no gap without owner.", "node2", restore, node2, writes=once),
        Act("A remove that comes late does not take it from node2.", "node1", f"remove -t {EIP_TAG}", node2),
        Act("Is the address here?", "node2", f"quickCheck -t {EIP_TAG}", node2, says=("IN_SERVICE",)),
        Act("And back.", "node1", restore, node1, writes=once),
    )
    prose = f"Clients on the Internet reach {address}, wherever it is associated."
    return Scenario(((ELASTIC_IP, address),), (Scene("Elastic IP scenario: the same, in short", prose, steps),))


# -- all other kinds -----------------------------------------------------------------------------------------


def _other_kinds(description: dict[str, Any]) -> Scenario:
    table, private, record = description["route_table_ids"][0], description["secondary_ip"], description["record"]
    zone = description["hosted_zone_id"]
    moves = (
        Move(
            "default route",
            "ec2-nat",
            f"--type route-table --destination 0.0.0.0/0 --route-table {table} --create-routes",
            ("node1", "node2"),
            (table, "0.0.0.0/0"),
            ("ReplaceRoute",),
        ),
        Move(
            PRIVATE_ADDRESS,
            "ec2-sip",
            f"--type secondary-ip --private-ip {private}",
            ("node1", "node3"),
            (PRIVATE_ADDRESS, private),
            ("AssignPrivateIpAddresses",),
        ),
        Move(
            RECORD_SET,
            "ec2-dns",
            f"--type dns-record --hosted-zone {zone} --record {record}",
            ("node1", "node2"),
            (RECORD_SET, record),
            ("ChangeResourceRecordSets",),
        ),
    )
    prose = "Made on node1, extended to another server, restored there. node3 is in the subnet of node1."
    scene = Scene("Every other kind of address, in a line each", prose, moves)
    return Scenario(tuple(each.place for each in moves), (scene,))
