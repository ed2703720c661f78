"""What an effect may look at, and lay hands on, besides the call that it disturbs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ec2kit.sandbox.region import Region
from ec2kit.sandbox.wire import Answer, Received


@dataclass(frozen=True)
class Surroundings:
    """
    The sandbox around a call.

    Args:
        interfaces: Server → device → the id of its network interface.
        third_party: The network interface of somebody who is no server.
        undisturbed: Carries a request out as the endpoint does that no rule reaches.
    """

    region: Region
    interfaces: Mapping[str, Mapping[str, str]]
    third_party: str
    undisturbed: Callable[[Received], Answer]
