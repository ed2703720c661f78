"""
By parameters a framework defines a resource in its own configuration; here are their form, and those of all agents.

Names are those of `ocf:heartbeat:aws-vpc-move-ip` and `ocf:heartbeat:awseip` if the meaning is the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ec2kit.errors import ArgumentInvalid
from ec2kit.resource import checked_ipv4


class Parameter(NamedTuple):
    """
    One parameter of an agent.

    Attributes:
        read: Makes the value from (name, text); the text may be empty. Raises ArgumentInvalid.
        gives: Name of the value in a `Given` of the framework, "device", or in the scenario's `Own`,
            "route_table_ids"; "": the value is checked and not used.
        kind: OCF's content type.
        unique_group: No two resources of the agent have the same values of all parameters of this group; "": of none.
        reloadable: True: a change takes effect without a restart.
        formerly: An older name of the parameter, which is accepted, too.
        needed_to_stop: True: stop needs it to find what is on this server, or in AWS.
    """

    name: str
    short: str
    long: str
    read: Callable[[str, str], Any]
    gives: str = ""
    kind: str = "string"
    default: str = ""
    required: bool = False
    unique_group: str = ""
    reloadable: bool = False
    formerly: str = ""
    needed_to_stop: bool = False


def _fit(meant: Mapping[str, Any]) -> None:
    """Let all values go together."""


class Agent(NamedTuple):
    """
    The descriptions and the parameters of the OCF agent of one kind of address.

    Attributes:
        must_fit: Called with the values by the names that the parameters give; raises ArgumentInvalid if they do not
            go together.
    """

    short: str
    long: str
    parameters: tuple[Parameter, ...]
    must_fit: Callable[[Mapping[str, Any]], None] = _fit


# -- readers of texts ------------------------------------------------------------------------------------------


def anything(name: str, text: str) -> str:
    """Take any text."""
    return text


def ipv4(name: str, text: str) -> str:
    """Read an IPv4 address, or an empty text."""
    return checked_ipv4(name, text) if text else ""


def like(pattern: str, form: str) -> Callable[[str, str], str]:
    """
    Make a reader of texts of a certain form; it also accepts an empty text.

    Args:
        form: The form in the words of the error, "the name of a region".
    """

    def read(name: str, text: str) -> str:
        if text and not re.fullmatch(pattern, text):
            raise ArgumentInvalid(name=name, reason=f"{text[:60]!a} is not {form}")
        return text

    return read


def switch(name: str, text: str) -> bool:
    """Read OCF's words for yes and no."""
    word = text.lower()
    if word not in (*_YES, *_NO):
        raise ArgumentInvalid(name=name, reason=f"{text[:60]!a} is neither true nor false")
    return word in _YES


_YES, _NO = ("true", "yes", "1", "on", "ja"), ("false", "no", "0", "off", "nein")

device = like(r"(?!\.{1,2}$)[^/\s]{1,15}", "the name of a network device")


# -- parameters that every agent has ---------------------------------------------------------------------------

REGION = Parameter(
    "region",
    "AWS region",
    "AWS region, us-west-2. Default: the region of the instance.",
    like("(?!.*[0-9][a-z]$)[a-z0-9-]+", "the name of a region"),  # us-east-1a is a zone
    "region",
    needed_to_stop=True,
)
PROFILE = Parameter(
    "profile",
    "profile with credentials",
    "Profile in the SDK's configuration files (AWS_PROFILE). Default, also if it is \"default\": the SDK's usual "
    "chain, which ends with the instance's role.",
    anything,
    "profile",
    reloadable=True,
    needed_to_stop=True,
)
REPAIR = Parameter(
    "repair_in_monitor",
    "let monitor take a lost address back",
    "If true, a monitor that finds the address elsewhere first tries to take it back, and fails only if that is "
    "impossible. If false, the monitor fails, and the cluster decides; usually it restarts the resource on the same "
    "server. The monitor takes the address back from any owner, so set this only in a cluster with working fencing. "
    "A server that missed a check does not take the address back.",
    switch,
    "repairs",
    kind="boolean",
    default="false",
    reloadable=True,
)
