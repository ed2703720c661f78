"""A resource as Pacemaker has it: an agent, its parameters, and operations run as processes with OCF's variables."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..actions.cluster import ACTIONS, Cluster, Done, crowded, given_time, until
from ..patience import HANGS, Stalls

AGENTS = ACTIONS / "ocf"

SUCCESS, ERR_GENERIC, ERR_ARGS, ERR_UNIMPLEMENTED = 0, 1, 2, 3
ERR_INSTALLED, ERR_CONFIGURED, NOT_RUNNING = 5, 6, 7

VIP = "10.1.0.10"

LONG = 240_000
"""Milliseconds that an operation may take, where the test is not about that."""


def brief(seconds: float) -> int:
    """Return a time-out of an operation that shall meet it, in milliseconds; on a busy machine it is longer."""
    return round(crowded(seconds) * 1000)


def ended(process: subprocess.Popen[str], *, within: float = HANGS, stalls: Stalls | None = None) -> Done:
    """
    Wait for an operation; one that does not end is killed as Pacemaker does it, and fails the test.

    Args:
        stalls: What the machine kept the operation waiting since its beginning does not count.
    """
    began = time.monotonic()
    while True:
        try:
            stdout, stderr = process.communicate(timeout=0.2)
        except subprocess.TimeoutExpired:
            forgiven = min(HANGS, stalls.seconds) if stalls else 0.0
            if time.monotonic() - began > within + forgiven:
                kill(process)
                raise
        else:
            return Done(process.returncode, stderr, stdout)


def kill(process: subprocess.Popen[str], signal_number: int = signal.SIGKILL) -> None:
    """Signal an operation with all its processes; wait until it is gone if it has to go."""
    os.killpg(process.pid, signal_number)
    if signal_number == signal.SIGKILL:
        process.communicate()


def variables(name: str, parameters: dict[str, str], **meta: object) -> dict[str, str]:
    """What Pacemaker puts into an agent's environment; times are in milliseconds."""
    return {
        "OCF_ROOT": "/usr/lib/ocf",
        "OCF_RA_VERSION_MAJOR": "1",
        "OCF_RESOURCE_INSTANCE": name,
        "OCF_RESOURCE_PROVIDER": "ec2kit",
        "OCF_RESKEY_crm_feature_set": "3.16.2",
        **{f"OCF_RESKEY_{each}": value for each, value in parameters.items()},
        **{f"OCF_RESKEY_CRM_meta_{each}": str(value) for each, value in meta.items()},
    }


@dataclass
class OcfResource:
    """A resource of the cluster; each operation takes the server, and what Pacemaker says of the operation."""

    cluster: Cluster
    agent: str
    name: str
    parameters: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._forget_calls()

    def _forget_calls(self) -> None:
        self._earlier = len(self.cluster.sandbox.calls()), len(self.cluster.sandbox.imds_calls())

    def started(self, server: str) -> None:
        """Let it run there a moment ago, as a real start left it, which is run once and kept."""
        self.cluster.lay_out(f"{self.name}-started-{server}", lambda: self._start(server))
        memory = self.cluster.path(server, "EC2KIT_RUN_DIR") / f"{self.name}.memory.json"
        content = json.loads(memory.read_text())
        memory.write_text(json.dumps({**content, "in_service_at": time.clock_gettime(time.CLOCK_BOOTTIME)}))
        self._forget_calls()

    def _start(self, server: str) -> None:
        done = self.start(server)
        assert done.status == SUCCESS, done.stderr

    def begin(
        self, server: str, operation: str, meta: dict[str, int | str] | None = None, **settings: str
    ) -> subprocess.Popen[str]:
        environment = self.cluster.environment(server, **settings)
        return subprocess.Popen(
            [str(AGENTS / self.agent), operation],
            env={**environment, **variables(self.name, self.parameters, **(meta or {}))},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def begun_until(
        self, came: Callable[[], bool], server: str, operation: str, *, seconds: float
    ) -> tuple[subprocess.Popen[str], float]:
        """Begin an operation that comes to a point before its time-out; also return that time-out, in seconds."""

        def begun(seconds: float) -> tuple[subprocess.Popen[str], float]:
            process = self.begin(server, operation, {"timeout": round(seconds * 1000), "interval": 10_000})
            until(lambda: came() or process.poll() is not None)
            if process.poll() is not None:
                process.communicate()
            return process, seconds

        return given_time(begun, lambda operation: operation[0].returncode is None, seconds=seconds)

    def run(self, server: str, operation: str, meta: dict[str, int | str] | None = None, **settings: str) -> Done:
        """Run an operation; one that does not end in its time is killed, as by Pacemaker, and fails the test."""
        within, stalls = int((meta or {}).get("timeout", LONG)) / 1000, Stalls()
        return ended(self.begin(server, operation, meta, **settings), within=within, stalls=stalls)

    def start(self, server: str, **settings: str) -> Done:
        return self.run(server, "start", {"timeout": LONG}, **settings)

    def stop(self, server: str, **settings: str) -> Done:
        return self.run(server, "stop", {"timeout": LONG}, **settings)

    def monitor(self, server: str, **settings: str) -> Done:
        return self.run(server, "monitor", {"timeout": LONG, "interval": 10_000}, **settings)

    def probe(self, server: str, **settings: str) -> Done:
        return self.run(server, "monitor", {"timeout": LONG, "interval": 0}, **settings)

    def stand_by(self, server: str, **settings: str) -> Done:
        meta: dict[str, int | str] = {"timeout": LONG, "interval": 11_000, "role": "Stopped"}
        return self.run(server, "monitor", meta, **settings)

    def given(self, **parameters: str) -> OcfResource:
        """The same resource with other parameters."""
        self.parameters = {**self.parameters, **parameters}
        return self

    def without(self, *names: str) -> OcfResource:
        self.parameters = {name: value for name, value in self.parameters.items() if name not in names}
        return self

    def marker(self, server: str) -> Path:
        return self.cluster.path(server, "EC2KIT_RUN_DIR") / f"{self.name}.marker.json"

    def calls(self, server: str) -> list[str]:
        """The operations that a server has asked EC2 for in this test."""
        calls = self.cluster.sandbox.calls()[self._earlier[0] :]
        return [str(call["operation"]) for call in calls if call["server"] == server]

    def imds_calls(self, server: str) -> list[str]:
        """The paths that a server has asked its metadata service for in this test."""
        calls = self.cluster.sandbox.imds_calls()[self._earlier[1] :]
        return [str(call["path"]) for call in calls if call["server"] == server]


class VirtualIp(OcfResource):
    """10.1.0.10, moved by the route tables of the sandbox's VPC to eth1 of a server."""

    def __init__(self, cluster: Cluster, agent: str = "route-table") -> None:
        super().__init__(cluster, agent, "vip", {"ip": VIP, "interface": "eth1"})

    def started(self, server: str) -> None:
        super().started(server)
        if not self.is_on(server):
            self.put_on(server)
        for table in self.cluster.tables:
            self.cluster.point(table, self.cluster.eni(server))

    def is_on(self, server: str, device: str = "eth1") -> bool:
        """Whether the address is on a server's device."""
        return f"{VIP}/32" in self._addresses(server, device).read_text().split()

    def put_on(self, server: str, device: str = "eth1") -> None:
        """An outside hand puts the address on a device."""
        with self._addresses(server, device).open("a") as file:
            file.write(f"{VIP}/32\n")

    def take_off(self, server: str, device: str = "eth1") -> None:
        path = self._addresses(server, device)
        path.write_text(re.sub(rf"{re.escape(VIP)}/32\n", "", path.read_text()))

    def _addresses(self, server: str, device: str) -> Path:
        return self.cluster.path(server, "EC2KIT_NET_DIR") / device / "addresses"


class ElasticIp(OcfResource):
    """The sandbox's Elastic IP."""

    def __init__(self, cluster: Cluster, agent: str = "elastic-ip") -> None:
        described = cluster.sandbox.description
        parameters = {"elastic_ip": described["elastic_ip"], "allocation_id": described["allocation_id"]}
        super().__init__(cluster, agent, "eip", parameters)

    def started(self, server: str) -> None:
        super().started(server)
        self.cluster.associate(server, "eth0")

    def holder(self) -> tuple[str | None, str | None]:
        """(ENI, private address) that the address is associated with."""
        ids = [self.parameters["allocation_id"]]
        (address,) = self.cluster.aws.describe_addresses(AllocationIds=ids)["Addresses"]
        return address.get("NetworkInterfaceId"), address.get("PrivateIpAddress")
