"""
The stage has the sandbox's servers, runs actions on them as processes, and asks EC2 at its undisturbed endpoint.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3

from ec2kit.sandbox.client import Sandbox

LONGEST = 60.0
"""Seconds after which an action counts as hanging, and is killed."""

ELASTIC_IP, PRIVATE_ADDRESS, RECORD_SET = "Elastic IP", "private address", "record set"
NOBODY = "nobody"

Place = tuple[str, str]
"""A thing that can point at a server: ("rtb-0123", "10.1.0.10/32"), ("Elastic IP", "203.0.113.1"), …"""

Truth = Mapping[Place, str]
"""Place → its holder: "node1 eth1", "bystander", "nobody"."""


@dataclass(frozen=True)
class Done:
    """
    Hold the end of an action.

    Attributes:
        lines: Its output, on stderr and stdout.
        milliseconds: Of the whole process.
        writes: The updating requests that EC2 carried out for it, ("ReplaceRoute", "ReplaceRoute").
    """

    action: str
    status: int
    lines: tuple[str, ...]
    milliseconds: float
    writes: tuple[str, ...]


class Stage:
    """
    The servers of one sandbox.

    Args:
        actions: The folder of the action scripts.
    """

    def __init__(self, sandbox: Sandbox, actions: Path) -> None:
        self.sandbox = sandbox
        self.description: dict[str, Any] = sandbox.description
        self.actions = actions
        self._environments = {
            server: {**sandbox.environment(server), "LC_ALL": "C.UTF-8"}  # the story is in English
            for server in self.description["nodes"]
        }

    def tune(self, assignment: str) -> None:
        """Put one tunable into every server's own /etc/default/LifeKeeper."""
        for environment in self._environments.values():
            with open(environment["EC2KIT_DEFAULTS"], "a", encoding="utf-8") as defaults:
                defaults.write(f"{assignment}\n")

    def run(self, server: str, action: str, *words: str) -> Done:
        """Run an action on a server, and see what it wrote."""
        seen = len(self.sandbox.calls())
        began = time.perf_counter()
        status, output = self._finished(server, [str(self.actions / action), *words])
        milliseconds = (time.perf_counter() - began) * 1000
        writes = tuple(
            str(call["operation"]) for call in self.sandbox.calls()[seen:] if call["server"] == server and wrote(call)
        )
        return Done(action, status, tuple(output.splitlines()), milliseconds, writes)

    def _finished(self, server: str, command: list[str]) -> tuple[int, str]:
        with subprocess.Popen(
            command,
            env=self._environments[server],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # Ctrl-C goes to the demo alone, which ends the whole group
        ) as process:
            try:
                output, _ = process.communicate(timeout=LONGEST)
            except subprocess.TimeoutExpired:
                _kill(process)
                output = f"{process.communicate()[0]}\n(killed: it did not end within {LONGEST:g} s)"
            except BaseException:
                _kill(process)
                raise
        return process.returncode, output

    # -- what EC2 says, and an outside hand --

    @cached_property
    def ec2(self) -> Any:
        """Return plain boto3 at the endpoint that no fault disturbs."""
        return self._boto3("ec2")

    def _boto3(self, service: Any) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.description["endpoint_url"],
            region_name=self.description["region"],
            aws_access_key_id="demo",
            aws_secret_access_key="demo",  # noqa: S106  # the sandbox accepts any
        )

    def truth(self) -> Truth:
        """Return the holder of every route, Elastic IP, secondary address and record set of the account."""
        return {**self._routes(), **self._addresses(), **self._private_addresses(), **self._record_sets()}

    def _routes(self) -> dict[Place, str]:
        pages = self.ec2.get_paginator("describe_route_tables").paginate()
        return {
            (table["RouteTableId"], route["DestinationCidrBlock"]): self._holder(route)
            for page in pages
            for table in page["RouteTables"]
            for route in table["Routes"]
        }

    def _addresses(self) -> dict[Place, str]:
        return {
            (ELASTIC_IP, each["PublicIp"]): self._holder(each) for each in self.ec2.describe_addresses()["Addresses"]
        }

    def _private_addresses(self) -> dict[Place, str]:
        return {
            (PRIVATE_ADDRESS, one["PrivateIpAddress"]): each["Description"]
            for each in self.ec2.describe_network_interfaces()["NetworkInterfaces"]
            for one in each["PrivateIpAddresses"]
            if not one["Primary"]
        }

    def _record_sets(self) -> dict[Place, str]:
        listed = self._route53.list_resource_record_sets(HostedZoneId=self.description["hosted_zone_id"])
        owners = {
            each["private_ip_address"]: f"{name} {device}"
            for name, node in self.description["nodes"].items()
            for device, each in node["interfaces"].items()
        }
        return {
            (RECORD_SET, each["Name"].removesuffix(".")): owners.get(value["Value"], value["Value"])
            for each in listed["ResourceRecordSets"]
            for value in each.get("ResourceRecords", ())
        }

    @cached_property
    def _route53(self) -> Any:
        return self._boto3("route53")

    def _holder(self, target: Mapping[str, Any]) -> str:
        network_interface_id = target.get("NetworkInterfaceId")
        return self._names.get(network_interface_id) or network_interface_id or target.get("GatewayId") or NOBODY

    @cached_property
    def _names(self) -> dict[str | None, str]:
        """Return ENI → "node1 eth1", as the sandbox describes it."""
        interfaces = self.ec2.describe_network_interfaces()["NetworkInterfaces"]
        return {each["NetworkInterfaceId"]: each["Description"] for each in interfaces}


def wrote(call: Mapping[str, Any]) -> bool:
    """Tell whether a call changed something in AWS."""
    looked = str(call["operation"]).startswith(("Describe", "List", "Get"))
    return bool(call["carried_out"]) and not call["dry_run"] and not looked


def _kill(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
