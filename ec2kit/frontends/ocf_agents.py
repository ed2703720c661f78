"""
Pacemaker's agents as data: each parameter once, from which its reading, the meta-data and the documents come.

Names are those of `ocf:heartbeat:aws-vpc-move-ip` and `ocf:heartbeat:awseip` where the meaning is the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ec2kit.errors import ArgumentInvalid
from ec2kit.resource import ELASTIC_IP, ROUTE_TABLE, checked_ipv4

PREFIX = "OCF_RESKEY_"
_OF_PACEMAKER = re.compile(r"CRM_meta_|crm_feature_set$|trace_")

_LONGEST_LABEL = 15
"""Bytes of a label with its device, IFNAMSIZ less the zero."""


@dataclass(frozen=True)
class Parameter:
    """
    One parameter of an agent.

    Attributes:
        read: Makes its value from (name, text); the text may be empty. Raises ArgumentInvalid.
        kind: OCF's content type.
        reloadable: Whether a change takes effect without a restart.
        formerly: Another name under which it may be given.
    """

    name: str
    short: str
    long: str
    read: Callable[[str, str], Any]
    kind: str = "string"
    default: str = ""
    required: bool = False
    unique: bool = False
    reloadable: bool = False
    formerly: str = ""


@dataclass(frozen=True)
class Agent:
    """One agent: what it moves, and its parameters."""

    name: str
    scenario: str
    short: str
    long: str
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True)
class Given:
    """
    What a resource's parameters say.

    Attributes:
        device: "": the one with the private address.
        private_ip_address: "": the device's primary one.
        route_table_ids: Empty: all tables of the VPC that hold the address.
        manages_address: Whether the agent puts the address on the device.
        label: "eth0:vip", or "".
        repairs: Whether monitor takes a lost address back.
        without_meaning, unknown: Names of parameters that were given in vain.
    """

    scenario: str
    address: str
    device: str
    region: str
    profile: str
    repairs: bool
    allocation_id: str = ""
    private_ip_address: str = ""
    route_table_ids: tuple[str, ...] = ()
    manages_address: bool = False
    label: str = ""
    without_meaning: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def read(agent: Agent, environment: Mapping[str, str]) -> Given:
    """
    Read the parameters of a resource.

    Raises:
        ArgumentInvalid: One is missing, or is not what it should be.
    """
    given = {
        name.removeprefix(PREFIX): text.strip()
        for name, text in environment.items()
        if name.startswith(PREFIX) and not _OF_PACEMAKER.match(name.removeprefix(PREFIX)) and text.strip()
    }
    said = {each.name: each.read(each.name, _text(each, given)) for each in agent.parameters}
    known = {*said, *(each.formerly for each in agent.parameters)}
    return replace(
        _of_route_table(said) if agent.scenario == ROUTE_TABLE else _of_elastic_ip(said),
        without_meaning=tuple(sorted({*given} & {*WITHOUT_MEANING})),
        unknown=tuple(sorted({*given} - known)),
    )


def needed_to_stop(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without the parameters that say nothing of what is on this server, or of where it is in AWS."""
    return {
        name: text
        for name, text in environment.items()
        if not name.startswith(PREFIX) or name.removeprefix(PREFIX) in _NEEDED_TO_STOP
    }


_NEEDED_TO_STOP = (
    *("ip", "address", "interface", "manage_address"),
    *("elastic_ip", "allocation_id", "private_ip_address", "region", "profile"),
)


def _text(parameter: Parameter, given: Mapping[str, str]) -> str:
    name, old = parameter.name, parameter.formerly
    text = given.get(name) or given.get(old) or parameter.default
    if parameter.required and not text:
        raise ArgumentInvalid(name=name, reason="it is required")
    if text != given.get(old, text):
        raise ArgumentInvalid(name=old, reason=f"it is not the same as {name}, whose old name it is")
    return text


def _of_route_table(said: Mapping[str, Any]) -> Given:
    device, label = said["interface"], said["iflabel"]
    if label and len(f"{device}:{label}") > _LONGEST_LABEL:
        raise ArgumentInvalid(name="iflabel", reason=f"{device}:{label} is longer than {_LONGEST_LABEL} characters")
    return Given(
        scenario=ROUTE_TABLE,
        address=said["ip"],
        device=device,
        region=said["region"],
        profile=said["profile"],
        repairs=said["repair_in_monitor"],
        route_table_ids=said["routing_table"],
        manages_address=said["manage_address"],
        label=f"{device}:{label}" if label else "",
    )


def _of_elastic_ip(said: Mapping[str, Any]) -> Given:
    return Given(
        scenario=ELASTIC_IP,
        address=said["elastic_ip"],
        device=said["interface"],
        region=said["region"],
        profile=said["profile"],
        repairs=said["repair_in_monitor"],
        allocation_id=said["allocation_id"],
        private_ip_address=said["private_ip_address"],
    )


# -- what a text may be ----------------------------------------------------------------------------------------


def _anything(name: str, text: str) -> str:
    return text


def _address(name: str, text: str) -> str:
    return checked_ipv4(name, text) if text else ""


def _like(pattern: str, form: str) -> Callable[[str, str], str]:
    """A text of a certain form, or none."""

    def read(name: str, text: str) -> str:
        if text and not re.fullmatch(pattern, text):
            raise ArgumentInvalid(name=name, reason=f"{text[:60]!a} is not {form}")
        return text

    return read


def _tables(name: str, text: str) -> tuple[str, ...]:
    tables = tuple(dict.fromkeys(text.replace(",", " ").split()))
    for each in tables:
        _like("rtb-[0-9a-f]+", "the id of a route table, rtb-…")(name, each)
    return tables


def _switch(name: str, text: str) -> bool:
    """OCF's words for yes and no."""
    word = text.lower()
    if word not in (*_YES, *_NO):
        raise ArgumentInvalid(name=name, reason=f"{text[:60]!a} is neither true nor false")
    return word in _YES


_YES, _NO = ("true", "yes", "1", "on", "ja"), ("false", "no", "0", "off", "nein")


def _refused(name: str, text: str) -> str:
    if text:
        raise ArgumentInvalid(name=name, reason="tables of another account cannot be moved; remove the parameter")
    return ""


# -- the parameters --------------------------------------------------------------------------------------------

WITHOUT_MEANING = {
    "awscli": "ec2kit calls EC2 itself and needs no AWS CLI.",
    "auth_type": "Credentials come from the SDK's usual chain: the instance's role, or a profile if one is named.",
    "monapi": "monitor always asks EC2, and no answer is never a failure.",
    "api_delay": "ec2kit looks until EC2 shows the change, instead of waiting for a fixed time.",
    "awscli_timeout": "Set AWSCLI_CONNECT_TIMEOUT and AWSCLI_READ_TIMEOUT in the file with the tunables.",
    "curl_retries": "The metadata service is asked without curl, within the operation's deadline.",
    "curl_sleep": "The metadata service is asked without curl, within the operation's deadline.",
}
"""Parameters of the heartbeat agents that are accepted and ignored, and why."""

_IGNORED = tuple(
    Parameter(name, "accepted and ignored", f"Accepted and ignored. {why}", _anything, reloadable=True)
    for name, why in WITHOUT_MEANING.items()
)

_device = _like(r"(?!\.{1,2}$)[^/\s]{1,15}", "the name of a network device")

_REGION = Parameter(
    "region",
    "AWS region",
    "AWS region, us-west-2. Default: the region of the instance.",
    _like("[a-z0-9-]+", "the name of a region"),
)
_PROFILE = Parameter(
    "profile",
    "profile with credentials",
    "Profile in the SDK's configuration files (AWS_PROFILE). Default, also if it is \"default\": the SDK's usual "
    "chain, which ends with the instance's role.",
    _anything,
    reloadable=True,
)
_REPAIR = Parameter(
    "repair_in_monitor",
    "let monitor take a lost address back",
    "Whether a monitor that finds the address elsewhere first tries to take it back, and fails only if it cannot. "
    "By default it fails, and the cluster decides; then it usually restarts the resource where it is. It takes the "
    "address back from whatever holds it, so use it only where fencing works; a server that missed a check does not.",
    _switch,
    kind="boolean",
    default="false",
    reloadable=True,
)

_ROUTE_TABLE_AGENT = Agent(
    "route-table",
    ROUTE_TABLE,
    "moves a virtual IP by the route tables of an AWS VPC",
    "Points the host route of a virtual IP, in every route table of the VPC that has one, at the network interface "
    "of the server where the resource runs, and puts the address on that interface. The address lies outside the "
    "VPC's CIDR blocks, so it moves across Availability Zones. An EC2 API that does not answer is never a failure "
    "of monitor.",
    (
        Parameter(
            "ip",
            "virtual IP address",
            "The virtual IP address, outside all CIDR blocks of the VPC. Its host route must exist.",
            _address,
            required=True,
            unique=True,
            formerly="address",
        ),
        Parameter("address", "old name of ip", "Old name of ip.", _address),
        Parameter(
            "routing_table",
            "route tables to move it in",
            "Ids of route tables, separated by commas: rtb-11111111,rtb-22222222. Only these are looked at and "
            "changed. Default: all tables of the VPC that have the address.",
            _tables,
        ),
        Parameter(
            "interface", "network interface", "Network interface that gets the address.", _device, default="eth0"
        ),
        Parameter(
            "iflabel",
            "label of the address",
            "Label of the address on the interface, as ifconfig shows it; with the interface and a colon at most 15 "
            "characters.",
            _like("[A-Za-z0-9_.-]+", "a label of letters and digits"),
        ),
        Parameter(
            "manage_address",
            "put the address on the interface",
            "Whether the agent puts the address on the interface and takes it off. If not, another resource has to "
            "(ocf:heartbeat:IPaddr2), before this one in a group.",
            _switch,
            kind="boolean",
            default="true",
        ),
        _REPAIR,
        _REGION,
        _PROFILE,
        Parameter(
            "lookup_type",
            "how the target of a route is looked up",
            "InstanceId or NetworkInterfaceId. ec2kit always compares network interfaces, so both mean the same.",
            _like("InstanceId|NetworkInterfaceId", "InstanceId or NetworkInterfaceId"),
            reloadable=True,
        ),
        Parameter(
            "routing_table_role",
            "refused",
            "A role for route tables of another account. Not possible: a resource that has it is refused.",
            _refused,
        ),
        *_IGNORED,
    ),
)

_ELASTIC_IP_AGENT = Agent(
    "elastic-ip",
    ELASTIC_IP,
    "moves an Elastic IP between AWS instances",
    "Associates an Elastic IP with the network interface of the server where the resource runs. It is moved in one "
    "call and never without an owner in between. An EC2 API that does not answer is never a failure of monitor.",
    (
        Parameter(
            "elastic_ip", "Elastic IP address", "The Elastic IP address.", _address, required=True, unique=True
        ),
        Parameter(
            "allocation_id",
            "its allocation id",
            "The allocation id of the Elastic IP, eipalloc-0123456789abcdef0; both must belong together.",
            _like("eipalloc-[0-9a-f]+", "an allocation id, eipalloc-…"),
            required=True,
            unique=True,
        ),
        Parameter(
            "private_ip_address",
            "private address on the server",
            "Private address that the Elastic IP is associated with, and so the network interface. Each server has "
            "another one, so it needs a rule for each; usually interface is enough. Default: the interface's primary "
            "one.",
            _address,
            unique=True,
        ),
        Parameter(
            "interface",
            "network interface",
            "Network interface that the Elastic IP is associated with. Default: the one that has private_ip_address, "
            "else the instance's primary one.",
            _device,
        ),
        _REPAIR,
        _REGION,
        _PROFILE,
        *_IGNORED,
    ),
)

AGENTS = {
    "route-table": _ROUTE_TABLE_AGENT,
    "elastic-ip": _ELASTIC_IP_AGENT,
    "aws-vpc-move-ip": replace(_ROUTE_TABLE_AGENT, name="aws-vpc-move-ip"),
    "awseip": replace(_ELASTIC_IP_AGENT, name="awseip"),
}
"""The name that an agent is called by → the agent; the last two are there to be changed to in one word."""
