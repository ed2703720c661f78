"""What an effect may look at besides the call that it disturbs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ec2kit.sandbox.view import Picture


@dataclass(frozen=True)
class Surroundings:
    """
    The sandbox around a call.

    Args:
        interfaces: Server → the ids of its network interfaces.
        picture: What EC2 shows now.
    """

    interfaces: Mapping[str, frozenset[str]]
    picture: Callable[[], Picture]
