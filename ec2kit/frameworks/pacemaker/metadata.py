"""
An agent's meta-data are written in the XML of the OCF resource agent API 1.1.

The DOCTYPE has no declarations of its own: Pacemaker 3.0 logs an assertion for each that it reads.

Source: github.com/ClusterLabs/OCF-spec, resource agent API 1.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from ec2kit import __version__
from ec2kit.frameworks.pacemaker.agents import Agent
from ec2kit.scenarios.parameter import Parameter

_HEAD = """\
<?xml version="1.0"?>
<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">"""


@dataclass(frozen=True)
class Advertised:
    """
    One operation with the values that a configuration tool should suggest, in seconds.

    Attributes:
        interval: 0: the operation does not recur.
        role: "Stopped": the operation recurs on servers where the resource does not run.
    """

    name: str
    timeout: int
    interval: int = 0
    role: str = ""


OPERATIONS = (
    Advertised("start", 180),
    Advertised("stop", 180),
    Advertised("migrate_to", 60),
    Advertised("migrate_from", 180),
    Advertised("monitor", 60, interval=30),
    Advertised("monitor", 60, interval=300, role="Stopped"),
    Advertised("reload-agent", 20),
    Advertised("validate-all", 20),
    Advertised("meta-data", 20),
)


def xml(agent: Agent) -> str:
    """Return the whole document."""
    return "\n".join(
        [
            _HEAD,
            f"<resource-agent{_attributes(name=agent.name, version=__version__)}>",
            "<version>1.1</version>",
            *_described(agent.short, agent.long),
            "",
            "<parameters>",
            *_lines(_parameter(each, agent) for each in agent.parameters),
            "</parameters>",
            "",
            "<actions>",
            *(_operation(each) for each in OPERATIONS),
            "</actions>",
            "</resource-agent>",
        ]
    )


def _parameter(parameter: Parameter, agent: Agent) -> Iterator[str]:
    """
    Yield one parameter; version 1.1 has `unique-group`.

    Tools of version 1.0 read `unique`, which is about one parameter alone: so it is not set in a group of several.
    """
    group = parameter.unique_group
    alone = bool(group) and [each.unique_group for each in agent.parameters].count(group) == 1
    attributes = {
        "name": parameter.name,
        "required": _flag(parameter.required),
        "unique": _flag(alone),
        "reloadable": _flag(parameter.reloadable),
    }
    if group:
        attributes["unique-group"] = group
    yield f"<parameter{_attributes(**attributes)}>"
    yield from _described(parameter.short, parameter.long)
    yield f"<content{_attributes(type=parameter.kind, default=parameter.default)}/>"
    yield "</parameter>"


def _operation(operation: Advertised) -> str:
    attributes = {"name": operation.name, "timeout": f"{operation.timeout}s"}
    if operation.interval:
        attributes |= {"interval": f"{operation.interval}s", "depth": "0"}
    if operation.role:
        attributes |= {"role": operation.role}
    return f"<action{_attributes(**attributes)}/>"


def _described(short: str, long: str) -> list[str]:
    return [f'<longdesc lang="en">\n{escape(long)}\n</longdesc>', f'<shortdesc lang="en">{escape(short)}</shortdesc>']


def _attributes(**attributes: str) -> str:
    return "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())


def _flag(value: bool) -> str:
    return "1" if value else "0"


def _lines(blocks: Iterable[Iterable[str]]) -> list[str]:
    return [line for block in blocks for line in block]
