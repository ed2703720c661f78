"""One sandbox holds everything that is measured: ec2kit's actions, and what they are compared with."""

from __future__ import annotations

import http.client
import json
import shutil
import urllib.parse
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.client import BaseClient
from installed import ACTIONS, PYTHON
from measure import Row, Run, once

from ec2kit.sandbox.client import Sandbox

HERE = Path(__file__).resolve().parent
VIP_TAG, EIP_TAG = "ec2-vip1", "ec2-eip1"
BLOCK = "10.1.0.10/32"

PYTHON_FLOOR = "isolated Python that imports json and socket"
CURL = "curl --aws-sigv4, one request"
BARE = "bare boto3 with a cut model, one request"
PLAIN = "plain boto3, one request"
COLD = "quickCheck, route table"
COLD_EIP = "quickCheck, Elastic IP"
SHARED = "quickCheck, by the shared answer"
RESTORE = "restore, route table (1 table)"
RESTORE_EIP = "restore, Elastic IP"
REMOVE_EIP = "remove, Elastic IP"
REMOVE = "remove, route table"

OTHER_KINDS = {
    "ec2-sip1": "secondary address",
    "ec2-sip6": "secondary address of IPv6",
    "ec2-dns1": "record set",
    "ec2-tag1": "route tables by a tag (1 table)",
    "ec2-nat1": "default route (1 table)",
}
"""Resource → its kind; a hundred virtual IPs and a prefix list have a comparison of their own."""


class Servers:
    """
    The servers of a sandbox with one resource of each scenario, in service on node1.

    Args:
        actions: The folder of the actions that they run.
    """

    def __init__(self, sandbox: Sandbox, actions: Path = ACTIONS) -> None:
        self.sandbox = sandbox
        self.actions = actions
        self.vpc_id: str = sandbox.description["vpc_id"]
        self._environments = {name: sandbox.environment(name) for name in sandbox.description["nodes"]}

    def environment(self, server: str, **settings: str) -> dict[str, str]:
        """Return a server's environment, in which each check looks for itself, unless a row says otherwise."""
        return {**self._environments[server], "EC2_SNAPSHOT_MAX_AGE": "0", **settings}

    def action(self, server: str, name: str, tag: str, **settings: str) -> Run:
        return Run((str(self.actions / name), "-t", tag, "-i", "x"), self.environment(server, **settings), server)

    def run_dir(self, server: str) -> Path:
        return Path(self._environments[server]["EC2KIT_RUN_DIR"])

    def state_dir(self, server: str) -> Path:
        return Path(self._environments[server]["EC2KIT_STATE_DIR"])

    @cached_property
    def aws(self) -> BaseClient:
        """Return a client at the endpoint where nothing is measured or disturbed."""
        return boto3.client(
            "ec2",
            endpoint_url=self.sandbox.description["endpoint_url"],
            region_name=self.sandbox.description["region"],
            aws_access_key_id="x",
            aws_secret_access_key="x",  # noqa: S106  (of the sandbox, which takes any)
        )

    def place_on(self, server: str) -> None:
        """Move both addresses as an outside party does."""
        description = self.sandbox.description
        eni = description["nodes"][server]["interfaces"]["eth1"]["network_interface_id"]
        for table in description["route_table_ids"]:
            self.aws.replace_route(RouteTableId=table, DestinationCidrBlock=BLOCK, NetworkInterfaceId=eni)
        self.aws.associate_address(AllocationId=description["allocation_id"], NetworkInterfaceId=eni)

    def create(self) -> None:
        """Make both resources on both servers."""
        elastic_ip = self.sandbox.description["elastic_ip"]
        for tag, words in (
            (VIP_TAG, ["--type", "route-table", "--vip", "10.1.0.10"]),
            (EIP_TAG, ["--type", "elastic-ip", "--elastic-ip", elastic_ip]),
        ):
            create = (str(self.actions / "create"), "-t", tag, *words, "--interface", "eth1")
            once(Run(create, self.environment("node1")))
            once(Run((str(self.actions / "extend"), "node1", tag), self.environment("node2")))

    def create_other_kinds(self) -> None:
        """Make a resource of each other kind on both servers, with the routes that it needs."""
        told, table = self.sandbox.description, self.sandbox.description["route_table_ids"][0]
        self.aws.create_tags(Resources=[table], Tags=[{"Key": "vip", "Value": "a"}])
        routes = ["--create-routes", "--type", "route-table"]
        zone = ["--hosted-zone", told["hosted_zone_id"], "--record", told["record"]]
        words = {
            "ec2-sip1": ["--type", "secondary-ip", "--private-ip", told["secondary_ip"]],
            "ec2-sip6": ["--type", "secondary-ip", "--private-ip", told["secondary_ipv6"]],
            "ec2-dns1": ["--type", "dns-record", *zone],
            "ec2-tag1": [*routes, "--vip", "10.1.0.30", "--route-table-tag", "vip=a"],
            "ec2-nat1": [*routes, "--destination", "0.0.0.0/0", "--route-table", table],
        }
        for tag in OTHER_KINDS:
            create = (str(self.actions / "create"), "-t", tag, *words[tag], "--interface", "eth1")
            once(Run(create, self.environment("node1")))
            once(Run((str(self.actions / "extend"), "node1", tag), self.environment("node2")))


def rows_of_other_kinds(servers: Servers) -> list[Row]:
    """Return for each other kind a check and a restore on either server; the same for each."""
    return [
        row
        for tag, kind in OTHER_KINDS.items()
        for row in (
            Row(f"quickCheck, {kind}", [servers.action("node1", "quickCheck", tag)]),
            Row(f"restore, {kind}", [servers.action(each, "restore", tag) for each in ("node2", "node1")]),
        )
    ]


def rows(servers: Servers) -> list[Row]:
    """Return the rows that need nothing but this machine."""
    environment = servers.environment("node1")
    asked = (servers.vpc_id, BLOCK)
    shared = servers.action("node1", "quickCheck", VIP_TAG, EC2_SNAPSHOT_MAX_AGE="3600")
    return [
        Row(PYTHON_FLOOR, [Run((PYTHON, "-I", "-S", "-c", "import json, socket"), environment)]),
        *_curl(servers),
        Row(BARE, [Run((PYTHON, "-I", str(HERE / "bare.py"), *asked), environment, "node1")]),
        Row(PLAIN, [Run((PYTHON, "-I", str(HERE / "plain.py"), *asked), environment, "node1")]),
        Row(
            COLD,
            [servers.action("node1", "quickCheck", VIP_TAG)],
            prepare=lambda: servers.place_on("node1"),
        ),
        Row(COLD_EIP, [servers.action("node1", "quickCheck", EIP_TAG)]),
        Row(SHARED, [shared], before=[shared]),
        Row(REMOVE_EIP, [servers.action("node1", "remove", EIP_TAG)]),
        Row(RESTORE_EIP, [servers.action(each, "restore", EIP_TAG) for each in ("node2", "node1")]),
        Row(REMOVE, [servers.action("node1", "remove", VIP_TAG)]),
        Row(RESTORE, [servers.action(each, "restore", VIP_TAG) for each in ("node2", "node1")]),
    ]


def _curl(servers: Servers) -> list[Row]:
    """Return the row of the floor, no SDK and keys in hand; no row if curl is missing."""
    curl = shutil.which("curl")
    if curl is None:
        return []
    environment = servers.environment("node1")
    keys = role_credentials(environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"])
    question = {
        "Action": "DescribeRouteTables",
        "Version": "2016-11-15",
        "Filter.1.Name": "vpc-id",
        "Filter.1.Value.1": servers.vpc_id,
        "Filter.2.Name": "route.destination-cidr-block",
        "Filter.2.Value.1": BLOCK,
    }
    command = [
        curl,
        "--silent",
        "--fail",
        "--cacert",
        environment["AWS_CA_BUNDLE"],
        "--aws-sigv4",
        "aws:amz:us-east-1:ec2",
    ]
    command += ["--user", f"{keys['AccessKeyId']}:{keys['SecretAccessKey']}"]
    command += ["--header", f"X-Amz-Security-Token: {keys['Token']}"]
    command += ["--data", urllib.parse.urlencode(question), environment["AWS_ENDPOINT_URL"]]
    return [Row(CURL, [Run(command, environment, "node1")])]


def role_credentials(metadata_url: str) -> Mapping[str, Any]:
    """Return the keys of the role, from the sandbox's metadata service."""
    place = urllib.parse.urlsplit(metadata_url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=10)

    def ask(method: str, path: str, **headers: str) -> str:
        connection.request(method, path, headers=headers)
        return connection.getresponse().read().decode()

    token = ask("PUT", "/latest/api/token", **{"X-aws-ec2-metadata-token-ttl-seconds": "60"})
    folder, header = "/latest/meta-data/iam/security-credentials/", {"X-aws-ec2-metadata-token": token}
    found: Mapping[str, Any] = json.loads(ask("GET", folder + ask("GET", folder, **header), **header))
    return found
