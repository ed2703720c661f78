"""The data plane: what EC2 does with packets, by the router's routes."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

from ec2kit.sandbox.client import Sandbox

from .network import Network


def owners(description: dict[str, Any]) -> dict[str, str]:
    """ENI → the node that it belongs to."""
    return {
        interface["network_interface_id"]: name
        for name, node in description["nodes"].items()
        for interface in node["interfaces"].values()
    }


class DataPlane(threading.Thread):
    """The router's routes follow the first route table, by the journal of the calls that EC2 carried out."""

    def __init__(self, sandbox: Sandbox, network: Network) -> None:
        super().__init__(daemon=True)
        self._path = sandbox.folder / "calls.jsonl"
        self._table = sandbox.description["route_table_ids"][0]
        self._owners = owners(sandbox.description)
        self._network = network
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

    def _follow(self, call: dict[str, Any]) -> None:
        said = call["parameters"]
        if call["operation"] not in ("ReplaceRoute", "CreateRoute") or not call["carried_out"] or call["dry_run"]:
            return
        if said["RouteTableId"] == self._table:
            self._network.route(said["DestinationCidrBlock"], self._owners.get(said["NetworkInterfaceId"]))
