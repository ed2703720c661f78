"""
Each of Pacemaker's agents moves one kind of address; the scenario lists the parameters, and here they are read.

Names are those of `ocf:heartbeat:aws-vpc-move-ip` and `ocf:heartbeat:awseip` if the meaning is the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ec2kit.errors import ArgumentInvalid
from ec2kit.resource import hosts
from ec2kit.scenarios import table
from ec2kit.scenarios.parameter import Parameter, anything

PREFIX = "OCF_RESKEY_"
_OF_PACEMAKER = re.compile(r"CRM_meta_|crm_feature_set$|trace_")

_LONGEST_LABEL = 15
"""Maximum bytes of a label with its device: IFNAMSIZ without the zero."""

WITHOUT_MEANING = {
    "awscli": "ec2kit calls EC2 itself and needs no AWS CLI.",
    "auth_type": "Credentials come from the SDK's usual chain: the instance's role, or a profile if one is named.",
    "monapi": "monitor always asks EC2, and no answer is never a failure.",
    "api_delay": "ec2kit looks until EC2 shows the change, instead of waiting for a fixed time.",
    "awscli_timeout": "Set AWSCLI_CONNECT_TIMEOUT and AWSCLI_READ_TIMEOUT in the file with the tunables.",
    "curl_retries": "The metadata service is asked without curl, within the operation's deadline.",
    "curl_sleep": "The metadata service is asked without curl, within the operation's deadline.",
}
"""Parameters of the heartbeat agents that are accepted and ignored → the reason."""

_IGNORED = tuple(
    Parameter(name, "accepted and ignored", f"Accepted and ignored. {why}", anything, reloadable=True)
    for name, why in WITHOUT_MEANING.items()
)


@dataclass(frozen=True)
class Agent:
    """One agent has a name, a scenario, two descriptions and parameters."""

    name: str
    scenario: str
    short: str
    long: str
    parameters: tuple[Parameter, ...]
    must_fit: Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True)
class Given:
    """
    The values of a resource's parameters.

    Attributes:
        device: "": the device with the private address.
        private_ip_address: "": the device's primary private address.
        own: The part that only a definition of this kind has.
        manages_address: True: the agent puts the address on the device.
        address_device: The device that gets the address; "": `device`.
        label: "eth0:vip", or "".
        repairs: True: monitor takes a lost address back.
        without_meaning, unknown: Names of parameters that are ignored.
    """

    scenario: str
    address: str
    device: str
    region: str
    profile: str
    repairs: bool
    own: Mapping[str, Any]
    private_ip_address: str = ""
    manages_address: bool = False
    address_device: str = ""
    label: str = ""
    without_meaning: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def on_the_device(self) -> tuple[str, ...]:
        """Return the addresses that the agent puts on the device."""
        return hosts(self.address) if self.manages_address else ()

    @property
    def carrier(self) -> str:
        """Return the device that gets the address."""
        return self.address_device or self.device


_COMMON = {
    *("address", "device", "address_device", "region", "profile", "repairs"),
    *("private_ip_address", "manages_address", "label"),
}
"""Values that resources of every kind may have; all other values belong to one kind."""


def agent(name: str) -> Agent:
    """Return the agent of that name; raises KeyError if there is none."""
    scenario = table.scenario_of_agent(name)
    offered = table.scenario(scenario).agent()
    return Agent(name, scenario, offered.short, offered.long, (*offered.parameters, *_IGNORED), offered.must_fit)


def read(agent: Agent, environment: Mapping[str, str]) -> Given:
    """
    Read the parameters of a resource.

    Raises:
        ArgumentInvalid: A parameter is missing or invalid.
    """
    given = {
        name.removeprefix(PREFIX): text.strip()
        for name, text in environment.items()
        if name.startswith(PREFIX) and not _OF_PACEMAKER.match(name.removeprefix(PREFIX)) and text.strip()
    }
    said = [(each.gives, each.read(each.name, _text(each, given))) for each in agent.parameters]
    meant = {what: value for what, value in said if what}
    agent.must_fit(meant)
    common = {name: value for name, value in meant.items() if name in _COMMON}
    known = {name for each in agent.parameters for name in (each.name, each.formerly)}
    carrier = common.get("address_device") or common["device"]
    return Given(
        **{**common, "label": _label(carrier, common.get("label", ""))},
        scenario=agent.scenario,
        own={name: value for name, value in meant.items() if name not in _COMMON},
        without_meaning=tuple(sorted({*given} & {*WITHOUT_MEANING})),
        unknown=tuple(sorted({*given} - known)),
    )


def needed_to_stop(agent: Agent, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with only those parameters that stop needs, see `Parameter.needed_to_stop`."""
    needed = {each.name for each in agent.parameters if each.needed_to_stop}
    return {
        name: text
        for name, text in environment.items()
        if not name.startswith(PREFIX) or name.removeprefix(PREFIX) in needed
    }


def _text(parameter: Parameter, given: Mapping[str, str]) -> str:
    name, old = parameter.name, parameter.formerly
    text = given.get(name) or given.get(old) or parameter.default
    if parameter.required and not text:
        raise ArgumentInvalid(name=name, reason="it is required")
    if text != given.get(old, text):
        raise ArgumentInvalid(name=old, reason=f"it is the old name of {name}, and differs from it")
    return text


def _label(device: str, label: str) -> str:
    """Return the label with its device, as the device shows it."""
    if not label:
        return ""
    if len(f"{device}:{label}") > _LONGEST_LABEL:
        raise ArgumentInvalid(name="iflabel", reason=f"{device}:{label} is longer than {_LONGEST_LABEL} characters")
    return f"{device}:{label}"
