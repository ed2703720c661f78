"""What EC2 does behind its API: packets go where the routes point, and a stopped instance is off."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from typing import Any

from ec2kit.sandbox.client import Sandbox

from .hypervisor import Hypervisor
from .network import Network


def owners(description: dict[str, Any]) -> dict[str, str]:
    """ENI → the node that it belongs to."""
    return {
        interface["network_interface_id"]: name
        for name, node in description["nodes"].items()
        for interface in node["interfaces"].values()
    }


class DataPlane(threading.Thread):
    """
    The router's routes follow the first route table, and the machines StopInstances, by EC2's journal of calls.

    Args:
        effective: Seconds from EC2's answer until packets follow a change of a route.
    """

    def __init__(self, sandbox: Sandbox, network: Network, hypervisor: Hypervisor, *, effective: float = 0.0) -> None:
        super().__init__(daemon=True)
        self._effective = effective
        self._waiting: deque[tuple[float, dict[str, str]]] = deque()
        self._path = sandbox.folder / "calls.jsonl"
        self._table = sandbox.description["route_table_ids"][0]
        self._owners = owners(sandbox.description)
        self._instances = {node["instance_id"]: name for name, node in sandbox.description["nodes"].items()}
        self._network = network
        self._hypervisor = hypervisor
        self.over = threading.Event()

    def run(self) -> None:
        with self._path.open() as file:
            part = ""
            while not self.over.is_set():
                part += file.readline()
                if part.endswith("\n"):
                    self._follow(json.loads(part))
                    part = ""
                else:
                    time.sleep(0.005)
                while self._waiting and self._waiting[0][0] <= time.monotonic():
                    self._move(self._waiting.popleft()[1])

    def _follow(self, call: dict[str, Any]) -> None:
        if not call["carried_out"] or call["dry_run"]:
            return
        if call["operation"] in ("ReplaceRoute", "CreateRoute"):
            self._waiting.append((time.monotonic() + self._effective, call["parameters"]))
        elif call["operation"] == "StopInstances":
            self._power_off(call["parameters"])

    def _move(self, said: dict[str, str]) -> None:
        if said["RouteTableId"] == self._table:
            self._network.route(said["DestinationCidrBlock"], self._owners.get(said["NetworkInterfaceId"]))

    def _power_off(self, said: dict[str, str]) -> None:
        for name in {self._instances.get(value) for key, value in said.items() if key.startswith("InstanceId.")}:
            if name is not None:
                self._hypervisor.fence(name)
