"""The soak's cluster: three servers of a sandbox, twenty resources, actions as processes, and what they leave."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3

from ec2kit.registry.local import LocalRegistry
from ec2kit.resource import Resource, Server
from ec2kit.sandbox.client import Sandbox
from ec2kit.scenarios import elastic_ip, route_table
from ec2kit.state.lock import Lock

from ..builders import ELASTIC_IP, ROUTE_TABLE
from .judge import MAX_AGE, Done
from .truth import owner_of, things

NODES = ("node1", "node2", "node3")
TABLES = 3
VIRTUAL_IPS = 16
ELASTIC_IPS = 3

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
        self.resources = {each.tag: each for each in (*self._routes(), *self._addresses())}
        for name, resource in ((name, each) for name in NODES for each in self.resources.values()):
            LocalRegistry(self._environments[name]["EC2KIT_STATE_DIR"], server=name).store(resource)
        self.others = self.not_ours()
        self.first = self.now()

    @cached_property
    def aws(self) -> Any:
        """EC2 at the endpoint that nobody disturbs."""
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(
            "ec2", endpoint_url=self.sandbox.description["endpoint_url"], region_name="us-east-1", **keys
        )

    # -- setting up --

    def _server(self, number: int, name: str, private_ip_address: str = "") -> Server:
        node = self.sandbox.description["nodes"][name]
        interface = node["interfaces"]["eth1"]
        return Server(
            name=name,
            priority=number + 1,
            device="eth1",
            network_interface_id=interface["network_interface_id"],
            private_ip_address=private_ip_address or interface["private_ip_address"],
            instance_id=node["instance_id"],
            availability_zone=node["availability_zone"],
        )

    def _resource(self, tag: str, scenario: str, servers: list[Server], address: str, own: Any) -> Resource:
        vpc_id = self.sandbox.description["vpc_id"]
        return Resource(tag, scenario, "us-east-1", vpc_id, address, "intelligent", tuple(servers), own)

    def _routes(self) -> Iterator[Resource]:
        servers = [self._server(number, name) for number, name in enumerate(NODES)]
        for number in range(1, VIRTUAL_IPS + 1):
            resource = self._resource(f"route-{number}", ROUTE_TABLE, servers, f"10.2.0.{number}", route_table.Own())
            for table in self.tables:
                self.aws.create_route(
                    RouteTableId=table,
                    DestinationCidrBlock=f"{resource.address}/32",
                    NetworkInterfaceId=servers[0].network_interface_id,
                )
            yield resource

    def _addresses(self) -> Iterator[Resource]:
        for number in range(1, ELASTIC_IPS + 1):
            made = self.aws.allocate_address(Domain="vpc")
            servers = [self._secondary(place, name, 100 + 10 * number + place) for place, name in enumerate(NODES)]
            own = elastic_ip.Own(made["AllocationId"])
            yield self._resource(f"eip-{number}", ELASTIC_IP, servers, made["PublicIp"], own)

    def _secondary(self, place: int, name: str, host: int) -> Server:
        """A server with a private address of its own for one Elastic IP, so that none displaces another."""
        primary = self._server(place, name)
        address = f"{primary.private_ip_address.rpartition('.')[0]}.{host}"
        self.aws.assign_private_ip_addresses(
            NetworkInterfaceId=primary.network_interface_id, PrivateIpAddresses=[address]
        )
        return self._server(place, name, address)

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
        """Somebody else points one thing of an address at an interface that is no server's."""
        with self._lock:
            self.met["outside hand"] += 1
            eni = self.sandbox.description["nodes"]["node1"]["interfaces"]["eth0"]["network_interface_id"]
            if resource.scenario == ROUTE_TABLE:
                self.aws.replace_route(
                    RouteTableId=self.tables[0],
                    DestinationCidrBlock=f"{resource.address}/32",
                    NetworkInterfaceId=eni,
                )
            else:
                self.aws.associate_address(AllocationId=resource.own.allocation_id, NetworkInterfaceId=eni)

    # -- what there is --

    def now(self) -> dict[str, str]:
        """Thing → its owner, of all resources."""
        found: dict[str, str] = {}
        held, routes = self._held(), self._all_routes()
        for resource in self.resources.values():
            for thing in things(resource, self.tables):
                eni, private = held[thing] if resource.scenario == ELASTIC_IP else (routes[thing], None)
                found[thing] = owner_of(resource, eni, private)
        return found

    def not_ours(self) -> dict[str, Any]:
        """Every route and every Elastic IP but those of the resources."""
        ours = {thing for each in self.resources.values() for thing in things(each, self.tables)}
        everything = {**self._all_routes(), **self._held()}
        return {name: where for name, where in everything.items() if name not in ours}

    def _all_routes(self) -> dict[str, str]:
        pages = self.aws.get_paginator("describe_route_tables").paginate()
        return {
            f"{table['RouteTableId']} {route['DestinationCidrBlock']}": route.get("NetworkInterfaceId", "gateway")
            for page in pages
            for table in page["RouteTables"]
            for route in table["Routes"]
        }

    def _held(self) -> dict[str, tuple[str, str | None]]:
        return {
            each["AllocationId"]: (each.get("NetworkInterfaceId", "nothing"), each.get("PrivateIpAddress"))
            for each in self.aws.describe_addresses()["Addresses"]
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
