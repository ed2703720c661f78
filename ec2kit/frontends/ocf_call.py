"""How Pacemaker calls an operation: the resource's name, the operation's time-out, interval and role."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

_LEAST_RESERVE, _RESERVE = 2.0, 0.1
"""Of an operation's own time-out, in seconds and as a share, the greater one is kept back."""


@dataclass(frozen=True)
class Call:
    """
    What Pacemaker says of the operation itself.

    Attributes:
        tag: The resource, as a name of files and log lines.
        timeout: Seconds that Pacemaker gives the operation; infinite if it does not say.
        interval: Seconds between two monitors; 0: a probe; None: it does not say.
        stands_by: The monitor is one of the role Stopped.
    """

    tag: str
    timeout: float = math.inf
    interval: float | None = None
    stands_by: bool = False

    @property
    def seconds(self) -> float | None:
        """The time-out less a reserve, which is half of a very short one; None if there is none."""
        if math.isinf(self.timeout):
            return None
        return self.timeout - min(max(_LEAST_RESERVE, self.timeout * _RESERVE), self.timeout / 2)


def call_of(environment: Mapping[str, str]) -> Call:
    """
    Read the call from Pacemaker's variables; what is no number is not said.

    Source: Pacemaker Administration, "Resource Agents"; OCF_RESKEY_CRM_meta_* are in milliseconds.
    """
    timeout, interval = (_seconds(environment.get(f"OCF_RESKEY_CRM_meta_{name}", "")) for name in _TIMES)
    return Call(
        tag=_tag(environment.get("OCF_RESOURCE_INSTANCE", "")),
        timeout=timeout or math.inf,
        interval=interval,
        stands_by=environment.get("OCF_RESKEY_CRM_meta_role", "").lower() == "stopped",
    )


_TIMES = ("timeout", "interval")


def _seconds(text: str) -> float | None:
    return int(text) / 1000 if re.fullmatch("[0-9]{1,12}", text) else None


def _tag(instance: str) -> str:
    """The instance's name; what a file name of ours cannot hold is spelt by its number."""
    return re.sub(r"[^A-Za-z0-9._-]", lambda found: f"_{ord(found[0]):x}_", instance)[:128]
