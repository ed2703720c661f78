"""An effect may look at, and change, more than the call that it disturbs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ec2kit.sandbox.region import Region
from ec2kit.sandbox.wire import Answer, Received

VIP = "10.1.0.10"
"""The virtual IP of the example."""


@dataclass(frozen=True)
class Surroundings:
    """
    Describe the sandbox around a call.

    Args:
        services: What rules can disturb in this sandbox.
        interfaces: Server → device → the id of its network interface.
        third_party: The network interface of an instance that is no server.
        undisturbed: Carries a request out as the endpoint does that no rule reaches.
    """

    region: Region
    services: tuple[str, ...]
    interfaces: Mapping[str, Mapping[str, str]]
    third_party: str
    undisturbed: Callable[[Received], Answer]
