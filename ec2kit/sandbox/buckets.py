"""
EC2 throttles requests: each operation of an account and region has a bucket of tokens, and a request takes one.

Source: EC2 developer guide, "Request throttling for the Amazon EC2 API".
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from ec2kit.sandbox.call import Call

Size = tuple[float, float]
"""The size of a bucket: how many tokens fit in, and how many flow in each second."""

WRITES: Size = (50, 5)
LOOKS: Size = (100, 20)
UNFILTERED_LOOKS: Size = (50, 10)
LISTED: dict[str, Size] = {
    "AssignIpv6Addresses": (100, 5),
    "AssignPrivateIpAddresses": (100, 5),
    "ModifyNetworkInterfaceAttribute": (100, 5),
    "UnassignPrivateIpAddresses": (100, 5),
}
"""Operations that move an address and for which EC2 publishes a size of their own."""


def size(call: Call) -> Size:
    """Return the published size of the bucket from which a call takes its token."""
    if call.writes:
        return LISTED.get(call.operation, WRITES)
    return LOOKS if _is_filtered_or_paged(call) else UNFILTERED_LOOKS


def _is_filtered_or_paged(call: Call) -> bool:
    return any(name.startswith(("Filter.", "MaxResults", "NextToken")) for name in call.parameters)


@dataclass
class Bucket:
    """One bucket, which held `tokens` tokens at the moment `counted`."""

    burst: float
    rate: float
    tokens: float
    counted: float = field(default_factory=time.monotonic)

    def take(self) -> bool:
        """Take a token if there is one, and tell whether there was."""
        now = time.monotonic()
        self.tokens = min(self.burst, self.tokens + (now - self.counted) * self.rate)
        self.counted = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Buckets:
    """
    Hold the buckets of an account; each comes into being with its first call.

    Args:
        burst, rate: The size of every bucket. None: the size that EC2 publishes.
        tokens: The tokens in a bucket when its first call comes. None: the bucket is full.
    """

    def __init__(self, *, burst: float | None, rate: float | None, tokens: float | None) -> None:
        self._told = (burst, rate)
        self._tokens = tokens
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, Size], Bucket] = {}

    def take(self, call: Call) -> bool:
        """Take a token for the call if there is one, and tell whether there was."""
        published = size(call)
        with self._lock:
            return self._bucket(call.operation, published).take()

    def _bucket(self, operation: str, published: Size) -> Bucket:
        burst, rate = (told if told is not None else usual for told, usual in zip(self._told, published, strict=True))
        tokens = burst if self._tokens is None else self._tokens
        return self._buckets.setdefault((operation, published), Bucket(burst, rate, tokens))
