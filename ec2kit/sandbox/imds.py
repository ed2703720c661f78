"""
The instance metadata service of one server speaks version 2 only.

Source: EC2 user guide, "Instance metadata categories" and "Use the Instance Metadata Service to access instance
metadata".
"""

from __future__ import annotations

import json
import time
import uuid
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from ec2kit.sandbox.announcement import folders
from ec2kit.sandbox.call import TOKEN_PATH, Announced, Call, Journal
from ec2kit.sandbox.region import Region
from ec2kit.sandbox.rules import Rules
from ec2kit.sandbox.wire import Answer, Received

if TYPE_CHECKING:
    from ec2kit.sandbox.topology import Node  # which loads moto

ROLE = "ec2kit-sandbox-role"
ACCESS_KEY_PREFIX = "ASIAEC2KITSANDBOX"
SECRET_PREFIX = "ec2kit-sandbox-secret-"  # noqa: S105  # good for nothing
SESSION_PREFIX = "ec2kit-sandbox-session-"
TOKEN_PREFIX = "ec2kit-sandbox-imds-token-"  # noqa: S105  # good for nothing

_TTL = "x-aws-ec2-metadata-token-ttl-seconds"
_LONGEST_TTL = 21600

Tree = dict[str, Any]


class Imds:
    """Answer requests of one server."""

    def __init__(self, node: Node, *, region: Region, rules: Rules, journal: Journal) -> None:
        self._node = node
        self._region = region
        self._rules = rules
        self._journal = journal
        self._tokens: dict[str, float] = {}

    def __call__(self, received: Received) -> Answer:
        path, era = received.path.split("?", 1)[0], self._journal.era
        call = Call("imds", self._node.name, path, {}, received)
        answer, effects = self._rules.disturb(call, lambda: self._carry_out(call))
        self._journal.write(
            {
                "time": call.began,
                "server": call.server,
                "method": received.method,
                "path": path,
                "status": answer.status or None,
                "user_agent": received.headers.get("user-agent", ""),
                "effects": effects,
            },
            era=era,
        )
        return answer

    def _carry_out(self, call: Call) -> Answer:
        received = call.received
        if received.method == "PUT" and call.operation == TOKEN_PATH:
            return self._token(received)
        if received.method != "GET":
            return _text("", status=405)
        token = received.headers.get("x-aws-ec2-metadata-token", "")
        if call.forgotten:
            self._tokens.pop(token, None)
        if self._tokens.get(token, 0.0) <= time.monotonic():
            return _text("", status=401)
        with self._region.lock:
            return _at(self._tree(call.announced), call.operation)

    def _token(self, received: Received) -> Answer:
        """Answer with a new token, but not to a request that came through a proxy."""
        ttl = received.headers.get(_TTL, "")
        if "x-forwarded-for" in received.headers:
            return _text("", status=403)
        if not ttl.isdigit() or not 1 <= int(ttl) <= _LONGEST_TTL:
            return _text("", status=400)
        token = TOKEN_PREFIX + uuid.uuid4().hex
        self._tokens[token] = time.monotonic() + int(ttl)
        return _text(token, headers={"X-Aws-Ec2-Metadata-Token-Ttl-Seconds": ttl})

    def _tree(self, announced: list[Announced]) -> Tree:
        return {
            "latest": {
                "meta-data": {**_meta_data(self._node, self._region.backend), **folders(announced)},
                "dynamic": {"instance-identity": {"document": lambda: _document(self._node, self._region.backend)}},
            }
        }


def _meta_data(node: Node, backend: Any) -> Tree:
    primary = node.interfaces["eth0"]
    zone = primary.availability_zone
    return {
        "ami-id": node.instance.image_id,
        "hostname": node.name,
        "iam": {
            "info": lambda: json.dumps({"Code": "Success", "InstanceProfileArn": _profile(backend)}),
            "security-credentials": {ROLE: lambda: _credentials(node)},
        },
        "instance-id": node.instance.id,
        "instance-type": node.instance.instance_type,
        "local-hostname": node.name,
        "local-ipv4": primary.private_ip_address,
        "mac": primary.mac_address,
        "network": {"interfaces": {"macs": _macs(node, backend)}},
        "placement": {"availability-zone": zone, "region": backend.region_name},
        **_if_any("public-ipv4", [primary.public_ip] if primary.public_ip else []),
        "services": {"domain": "amazonaws.com", "partition": "aws"},
    }


def _macs(node: Node, backend: Any) -> Tree:
    return {nic.mac_address: _interface(nic, backend) for nic in node.instance.nics.values()}


def _interface(interface: Any, backend: Any) -> Tree:
    vpc = backend.get_vpc(interface.vpc_id)
    associations = _associations(interface)
    return {
        "device-number": str(interface.device_index),
        "interface-id": interface.id,
        **({"ipv4-associations": associations} if associations else {}),
        **_if_any("ipv6s", interface.ipv6_addresses),
        "local-ipv4s": "\n".join(each["PrivateIpAddress"] for each in interface.private_ip_addresses),
        "mac": interface.mac_address,
        "owner-id": interface.owner_id,
        **_if_any("public-ipv4s", list(associations)),
        "subnet-id": interface.subnet_id,
        "subnet-ipv4-cidr-block": interface.subnet.cidr_block,
        **_if_any(
            "subnet-ipv6-cidr-blocks",
            [each["ipv6CidrBlock"] for each in interface.subnet.ipv6_cidr_block_association_set],
        ),
        "vpc-id": interface.vpc_id,
        "vpc-ipv4-cidr-block": vpc.cidr_block,
        "vpc-ipv4-cidr-blocks": "\n".join(
            block["cidr_block"] for block in vpc.get_cidr_block_association_set(ipv6=False)
        ),
    }


def _associations(interface: Any) -> dict[str, str]:
    """Return the private address of each public address."""
    return {
        each["Association"]["PublicIp"]: each["PrivateIpAddress"]
        for each in interface.private_ip_addresses
        if "Association" in each
    }


def _if_any(name: str, lines: list[str]) -> Tree:
    return {name: "\n".join(lines)} if lines else {}


def _profile(backend: Any) -> str:
    return f"arn:aws:iam::{backend.account_id}:instance-profile/{ROLE}"


def _credentials(node: Node) -> str:
    """Return keys that open nothing; each begins with one of the constants of this module."""
    number = int(node.name.removeprefix("node"))
    now = datetime.now(timezone.utc)
    keys = {
        "Code": "Success",
        "LastUpdated": _instant(now),
        "Type": "AWS-HMAC",
        "AccessKeyId": f"{ACCESS_KEY_PREFIX}{number:03d}",
        "SecretAccessKey": SECRET_PREFIX + node.name,
        "Token": SESSION_PREFIX + node.name,
        "Expiration": _instant(now + timedelta(hours=6)),
    }
    return json.dumps(keys, indent=2)


def _document(node: Node, backend: Any) -> str:
    document = {
        "accountId": backend.account_id,
        "architecture": "x86_64",
        "availabilityZone": node.interfaces["eth0"].availability_zone,
        "imageId": node.instance.image_id,
        "instanceId": node.instance.id,
        "instanceType": node.instance.instance_type,
        "pendingTime": _instant(datetime.now(timezone.utc)),
        "privateIp": node.interfaces["eth0"].private_ip_address,
        "region": backend.region_name,
        "version": "2017-09-30",
    }
    return json.dumps(document, indent=2)


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _at(tree: Tree, path: str) -> Answer:
    """Return the value at a path, or the listing of a folder, in which inner folders end with a slash."""
    place: Any = tree
    for name in [part for part in path.split("/") if part]:
        if not isinstance(place, dict) or name not in place:
            return _text("", status=404)
        place = place[name]
    if isinstance(place, dict):
        return _text("\n".join(_listed(name, inner) for name, inner in place.items()))
    return _text(str(place() if callable(place) else place))


def _listed(name: str, inner: Any) -> str:
    return f"{name}/" if isinstance(inner, dict) else name


def _text(text: str, *, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, text.encode(), content_type="text/plain", headers=headers or {})
