"""A cluster on the sandbox as the tests of the action scripts see it: servers, actions as processes, AWS's truth."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import boto3
from botocore.client import BaseClient

from ec2kit.sandbox.client import Sandbox

from ..leaks import must_not_be_left_in, must_not_leak

ACTIONS = Path(__file__).parents[2] / "actions"

VIP_TAG = "ec2-vip1"
EIP_TAG = "ec2-eip1"

PATIENCE = {
    "EC2_QUICKCHECK_TIMEOUT": "30",
    "EC2_RESTORE_TIMEOUT": "60",
    "EC2_RECOVER_TIMEOUT": "30",
    "EC2_REMOVE_TIMEOUT": "30",
    "EC2_VERIFY_TIMEOUT": "3",
    "EC2_CONFIRM_INTERVAL": "0.2",
    "AWSCLI_CONNECT_TIMEOUT": "2",
    "AWSCLI_READ_TIMEOUT": "5",
}
"""Deadlines that a busy machine keeps, where the test is not about them."""

HURRY = {
    "EC2_QUICKCHECK_TIMEOUT": "3",
    "EC2_RESTORE_TIMEOUT": "3",
    "EC2_RECOVER_TIMEOUT": "3",
    "EC2_REMOVE_TIMEOUT": "3",
    "AWSCLI_CONNECT_TIMEOUT": "1",
    "AWSCLI_READ_TIMEOUT": "1",
}
"""Deadlines of a test's length, where nothing answers anyway."""

_ALMOST_NO_DESCRIPTORS = """
import os, resource, sys
limit, free = 40, int(sys.argv[1])
for number in range(3, limit):
    os.dup2(0, number, inheritable=True)
os.closerange(limit - free, limit)
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True)
class Done:
    """How an action ended; what it said is looked through for secrets, whoever asks."""

    status: int
    stderr: str
    stdout: str

    def __post_init__(self) -> None:
        must_not_leak(self.stderr + self.stdout)

    @property
    def seconds(self) -> float:
        """How long the action says that it took; the start of Python is not in it."""
        return float(re.findall(r"after ([0-9.]+) s", self.stderr)[-1])


@dataclass
class Cluster:
    """The servers of one sandbox; each test gets it as it was at the start, without resources."""

    sandbox: Sandbox
    tunables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._environments = {name: self.sandbox.environment(name) for name in self.sandbox.description["nodes"]}

    # -- running actions --

    def environment(self, server: str, **settings: str) -> dict[str, str]:
        return {**self._environments[server], **PATIENCE, **self.tunables, **settings}

    def start(self, server: str, action: str, *words: str, **settings: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(ACTIONS / action), *words],
            env=self.environment(server, **settings),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, server: str, action: str, *words: str, within: float = 30, **settings: str) -> Done:
        return finished(self.start(server, action, *words, **settings), within=within)

    def act(self, server: str, action: str, tag: str = VIP_TAG, **settings: str) -> Done:
        return self.run(server, action, "-t", tag, "-i", "x", **settings)

    def modules_loaded_by(self, server: str, action: str, tag: str = VIP_TAG, **settings: str) -> set[str]:
        """All of Python that an action that succeeds loads."""
        program = (
            "import sys; from ec2kit import edge; from ec2kit.frontends import actions\n"
            "edge.leave = lambda status: print(status, *sys.modules)\n"
            "actions.main(sys.argv[1:])"
        )
        command = [sys.executable, "-I", "-c", program, action, "-t", tag]
        environment = self.environment(server, **settings)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
        status, *modules = done.stdout.split()
        assert status == "0"
        return set(modules)

    def create(self, server: str = "node1", tag: str = VIP_TAG, **settings: str) -> Done:
        kind = ["--type", "route-table", "--vip", "10.1.0.10"]
        if tag == EIP_TAG:
            kind = ["--type", "elastic-ip", "--elastic-ip", self.sandbox.description["elastic_ip"]]
        words = ["-t", tag, "-s", "intelligent", "--region", "us-east-1", *kind, "--interface", "eth1"]
        return self.run(server, "create", *words, **settings)

    def with_resource(self, tag: str = VIP_TAG, servers: int = 2) -> Cluster:
        """A resource created on node1 and extended to the others; in service on node1."""
        kept = self.sandbox.folder / f"kept-{tag}-{servers}"
        if not kept.exists():
            self._make_resource(tag, servers)
            for name, place in self._places():
                if place.exists():
                    shutil.copytree(place, kept / name / place.name)
        elif tag == EIP_TAG:
            self.associate("node1")
        for name, place in self._places():
            if (kept / name / place.name).exists():
                shutil.copytree(kept / name / place.name, place, dirs_exist_ok=True)
        return self

    def _places(self) -> list[tuple[str, Path]]:
        names = ("EC2KIT_STATE_DIR", "EC2KIT_RUN_DIR")
        return [
            (server, Path(environment[name])) for server, environment in self._environments.items() for name in names
        ]

    def _make_resource(self, tag: str, servers: int) -> None:
        assert self.create(tag=tag).status == 0
        for number in range(2, servers + 1):
            words = ["node1", tag, "--priority", str(number * 10)]
            done = self.run(f"node{number}", "extend", *words)
            assert done.status == 0, done.stderr

    # -- what AWS says, at the endpoint that nobody disturbs --

    @property
    def aws(self) -> BaseClient:
        return boto3.client(
            "ec2",
            endpoint_url=self.sandbox.description["endpoint_url"],
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def routes(self) -> dict[tuple[str, str], str | None]:
        """Every route of the account: (table, destination) → ENI or other target."""
        pages = self.aws.get_paginator("describe_route_tables").paginate()
        tables = [table for page in pages for table in page["RouteTables"]]
        return {
            (table["RouteTableId"], route["DestinationCidrBlock"]): route.get("NetworkInterfaceId")
            or route.get("GatewayId")
            for table in tables
            for route in table["Routes"]
        }

    def holders(self, cidr: str = "10.1.0.10/32") -> list[str]:
        """The servers that the VPC's routes to the address point at, one for each table."""
        ours = set(self.sandbox.description["route_table_ids"])
        return [
            self.server_of(eni) for (table, block), eni in self.routes().items() if block == cidr and table in ours
        ]

    def others(self) -> dict[tuple[str, str], str | None]:
        """All routes but ours, which must never change."""
        ours = set(self.sandbox.description["route_table_ids"])
        return {
            (table, block): eni
            for (table, block), eni in self.routes().items()
            if not (block == "10.1.0.10/32" and table in ours)
        }

    def address_holder(self) -> str | None:
        """The server that the Elastic IP is associated with."""
        ids = [self.sandbox.description["allocation_id"]]
        (address,) = self.aws.describe_addresses(AllocationIds=ids)["Addresses"]
        eni = address.get("NetworkInterfaceId")
        return self.server_of(eni) if eni else None

    def associate(self, server: str, device: str = "eth1") -> None:
        """An outside hand moves the Elastic IP."""
        allocation, eni = self.sandbox.description["allocation_id"], self.eni(server, device)
        self.aws.associate_address(AllocationId=allocation, NetworkInterfaceId=eni)

    def server_of(self, eni: str | None) -> str:
        """The server whose eth1 the ENI is, else the ENI."""
        for name, node in self.sandbox.description["nodes"].items():
            if node["interfaces"]["eth1"]["network_interface_id"] == eni:
                return str(name)
        return str(eni)

    def eni(self, server: str, device: str = "eth1") -> str:
        return str(self.sandbox.description["nodes"][server]["interfaces"][device]["network_interface_id"])

    def point(self, table: str, eni: str, cidr: str = "10.1.0.10/32") -> None:
        """An outside hand changes one route."""
        self.aws.replace_route(RouteTableId=table, DestinationCidrBlock=cidr, NetworkInterfaceId=eni)

    @property
    def tables(self) -> list[str]:
        return list(self.sandbox.description["route_table_ids"])

    def writes(self, server: str) -> list[dict[str, object]]:
        """The updating requests of a server that EC2 carried out."""
        kinds = ("ReplaceRoute", "AssociateAddress", "DisassociateAddress", "ModifyNetworkInterfaceAttribute")
        return [
            call
            for call in self.sandbox.calls()
            if call["server"] == server and call["operation"] in kinds and call["carried_out"] and not call["dry_run"]
        ]

    # -- this machine --

    def path(self, server: str, name: str) -> Path:
        return Path(self.environment(server)[name])

    def log(self, server: str) -> str:
        path = self.path(server, "EC2KIT_LOG_FILE")
        return path.read_text() if path.exists() else ""

    def clean(self) -> None:
        """Forget everything: EC2 as at the start, no resources, no logs."""
        self.sandbox.reset()
        self.sandbox.page_size(None)
        for name in self._environments:
            must_not_be_left_in(self.sandbox.folder / name)
        for _, place in self._places():
            shutil.rmtree(place, ignore_errors=True)
        for name in self._environments:
            Path(self._environments[name]["EC2KIT_LOG_FILE"]).unlink(missing_ok=True)
            for trouble in ("unreachable", "silent"):
                (self.sandbox.folder / name / trouble).unlink(missing_ok=True)

    def cut_off(self, server: str) -> None:
        """No other server can ask this one any more."""
        (self.sandbox.folder / server / "unreachable").touch()


def finished(process: subprocess.Popen[str], *, within: float = 30) -> Done:
    """Wait for an action; one that does not end is killed and fails the test."""
    try:
        stdout, stderr = process.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Done(process.returncode, stderr, stdout)


def with_descriptors(free: int, *words: str) -> list[str]:
    """The command line of a program that finds all file descriptors in use but some."""
    return [sys.executable, "-c", _ALMOST_NO_DESCRIPTORS, str(free), *words]


def until(condition: object, *, within: float = 20) -> None:
    """Wait until a condition of another process holds."""
    ends = time.monotonic() + within
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < ends, "it did not come to that"
        time.sleep(0.02)


def stop(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGSTOP)


def go_on(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGCONT)
