"""The soak's cluster: three servers, resources of each kind, actions as processes, and what they leave."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from ec2kit.ec2.answers import DESTINATIONS
from ec2kit.registry.local import LocalRegistry
from ec2kit.resource import Resource, Server
from ec2kit.sandbox.client import Sandbox
from ec2kit.state.lock import Lock

from ..builders import DNS_RECORD
from . import kind
from .judge import MAX_AGE, Done
from .truth import TAG, TAGGED, owner_at, owner_of, things

NODES = ("node1", "node2", "node3")
TABLES = 3
ZONES = 1
"""All servers are in one subnet, as secondary addresses need it."""

ACTIONS = Path(__file__).parents[2] / "actions"

SETTINGS = {
    "EC2_RESTORE_TIMEOUT": "8",
    "EC2_RECOVER_TIMEOUT": "8",
    "EC2_REMOVE_TIMEOUT": "5",
    "EC2_QUICKCHECK_TIMEOUT": "5",
    "EC2_VERIFY_TIMEOUT": "4",
    "EC2_CONFIRM_INTERVAL": "0.3",
    "EC2_SNAPSHOT_MAX_AGE": f"{MAX_AGE:g}",
    "AWSCLI_CONNECT_TIMEOUT": "1",
    "AWSCLI_READ_TIMEOUT": "1",
    "LC_ALL": "C.UTF-8",
}
"""Short deadlines, so that silence does not eat the run."""


@dataclass
class Running:
    """An action under way, with all that it starts in a session of its own."""

    stage: Stage
    server: str
    action: str
    tag: str
    process: subprocess.Popen[str]
    began: float
    killed: bool = False

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to everything that it consists of."""
        self.killed = self.killed or number is signal.SIGKILL
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            self.killed = False  # it was quicker

    def end(self) -> Done:
        """Wait for its end; one that does not come to it is a hang, and killed."""
        try:
            _, stderr = self.process.communicate(timeout=40)
            status = None if self.killed else self.process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            _, stderr = self.process.communicate()
            status = 99
        done = Done(self.server, self.action, self.tag, self.began, time.time(), status, stderr)
        self.stage.done.append(done)
        return done


@dataclass
class Stage:
    """
    Attributes:
        done: Every action that has ended.
        met: Faults that are no calls': kill -9, SIGSTOP, an outside hand.
    """

    sandbox: Sandbox
    done: list[Done] = field(default_factory=list)
    met: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._environments = {name: {**self.sandbox.environment(name), **SETTINGS} for name in NODES}
        self.tables: list[str] = self.sandbox.description["route_table_ids"]
        self.aws.create_tags(
            Resources=self.tables[:TAGGED], Tags=[dict(zip(("Key", "Value"), TAG.split("="), strict=True))]
        )
        made = kind.resources(self)
        self._kinds = {tag: each for tag, (each, _) in made.items()}
        self.resources = {tag: resource for tag, (_, resource) in made.items()}
        for name, resource in ((name, each) for name in NODES for each in self.resources.values()):
            LocalRegistry(self._environments[name]["EC2KIT_STATE_DIR"], server=name).store(resource)
        self.others = self.not_ours()
        self.first = self.now()

    @cached_property
    def aws(self) -> Any:
        """EC2 at the endpoint that nobody disturbs."""
        return self._undisturbed("ec2")

    @cached_property
    def route53(self) -> Any:
        """Route 53 at the endpoint that nobody disturbs."""
        return self._undisturbed("route53")

    def _undisturbed(self, service: Any) -> Any:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        url = self.sandbox.description["endpoint_url"]
        return boto3.client(service, endpoint_url=url, region_name="us-east-1", **keys)

    # -- setting up --

    def servers(self, device: str) -> list[Server]:
        """The servers as a definition has them, by one of their devices."""
        found = []
        for number, name in enumerate(NODES):
            node = self.sandbox.description["nodes"][name]
            interface = node["interfaces"][device]
            found.append(
                Server(
                    name=name,
                    priority=number + 1,
                    device=device,
                    network_interface_id=interface["network_interface_id"],
                    private_ip_address=interface["private_ip_address"],
                    instance_id=node["instance_id"],
                    availability_zone=node["availability_zone"],
                    mac_address=interface["mac"],
                )
            )
        return found

    def resource(self, scenario: str, servers: list[Server], address: str, own: Any) -> Resource:
        vpc_id = self.sandbox.description["vpc_id"]
        return Resource("soak", scenario, "us-east-1", vpc_id, address, "intelligent", tuple(servers), own)

    def eni(self, server: str, device: str) -> str:
        return str(self.sandbox.description["nodes"][server]["interfaces"][device]["network_interface_id"])

    # -- actions --

    def begin(self, server: str, action: str, tag: str) -> Running:
        words = [str(ACTIONS / action), "-t", tag, "-i", tag]
        began = time.time()
        process = subprocess.Popen(
            words,
            env=self._environments[server],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        return Running(self, server, action, tag, process, began)

    def meets(self, fault: str) -> None:
        with self._lock:
            self.met[fault] += 1

    def outside_hand(self, resource: Resource) -> None:
        """Somebody else points one thing of an address at what is no server's."""
        with self._lock:
            self.met["outside hand"] += 1
            self._kinds[resource.tag].move(self, resource)

    @staticmethod
    def tried(operation: Callable[..., Any], **parameters: Any) -> None:
        """Let an outside hand do what a server may have made impossible meanwhile."""
        with suppress(ClientError):
            operation(**parameters)

    # -- what there is --

    def now(self) -> dict[str, str]:
        """Thing → its owner, of all resources."""
        found: dict[str, str] = {}
        everything, held = self._everything(), self._held()
        for resource in self.resources.values():
            for thing in things(resource, self.tables):
                if resource.scenario == DNS_RECORD:
                    found[thing] = owner_at(resource, everything[thing])
                else:
                    eni, private = held.get(thing, (everything.get(thing, "nothing"), None))
                    found[thing] = owner_of(resource, eni, private) if eni != "nothing" else "nothing"
        return found

    def not_ours(self) -> dict[str, Any]:
        """Every route, Elastic IP, private address and record set but those of the resources."""
        ours = {thing for each in self.resources.values() for thing in things(each, self.tables)}
        return {name: where for name, where in self._everything().items() if name not in ours}

    def _everything(self) -> dict[str, Any]:
        return {**self._all_routes(), **self._held(), **self.private(), **self._records()}

    def _all_routes(self) -> dict[str, str]:
        pages = self.aws.get_paginator("describe_route_tables").paginate()
        tables = [table for page in pages for table in page["RouteTables"]]
        return {
            f"{table['RouteTableId']} {route[member]}": route.get("NetworkInterfaceId", "gateway")
            for table in tables
            for route in table["Routes"]
            for member in DESTINATIONS.values()
            if member in route
        }

    def _held(self) -> dict[str, tuple[str, str | None]]:
        return {
            each["AllocationId"]: (each.get("NetworkInterfaceId", "nothing"), each.get("PrivateIpAddress"))
            for each in self.aws.describe_addresses()["Addresses"]
        }

    def private(self) -> dict[str, str]:
        """Private address → the ENI that has it."""
        found: dict[str, str] = {}
        for each in self.aws.describe_network_interfaces()["NetworkInterfaces"]:
            addresses = [
                *(one["PrivateIpAddress"] for one in each["PrivateIpAddresses"]),
                *(one["Ipv6Address"] for one in each["Ipv6Addresses"]),
            ]
            found.update(dict.fromkeys(addresses, str(each["NetworkInterfaceId"])))
        return found

    def _records(self) -> dict[str, str]:
        zone = self.sandbox.description["hosted_zone_id"]
        listed = self.route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        return {
            f"{each['Type']} {each['Name'].removesuffix('.')}": each.get("ResourceRecords", [{"Value": "alias"}])[0][
                "Value"
            ]
            for each in listed
        }

    # -- what is left behind --

    def left_behind(self) -> Iterator[str]:
        """Locks that are held, files that are none of the kit's, processes, and sockets of dead ones."""
        for name in NODES:
            for place in ("EC2KIT_RUN_DIR", "EC2KIT_STATE_DIR"):
                for path in Path(self._environments[name][place]).rglob("*"):
                    if path.suffix == ".lock" and Lock(str(path)).is_held:
                        yield f"lock {path}"
                    elif path.is_file() and path.suffix not in (".lock", ".json") and path.name != _WRITES:
                        yield f"file {path}"
        yield from (f"process {each}" for each in _processes_of(self.sandbox.folder))

    @property
    def sockets(self) -> int:
        """How many the sandbox has open, for those who ask it."""
        descriptors = Path(f"/proc/{self.sandbox.description['pid']}/fd")
        return sum(os.readlink(each).startswith("socket:") for each in descriptors.iterdir() if each.is_symlink())


_WRITES = "writes"
"""The file that counts this server's writes, so that no shared answer is kept that one of them has outdated."""


def _processes_of(folder: Path) -> Iterator[str]:
    """What still runs with an environment of one of the servers."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_text(errors="replace")
            words = (entry / "cmdline").read_text(errors="replace").replace("\0", " ")
        except OSError:
            continue
        if f"EC2KIT_RUN_DIR={folder}" in environment:
            yield f"{entry.name}: {words}"
