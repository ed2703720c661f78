"""Pacemaker's call of an operation has the resource's name, and the operation's time-out, interval and role."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

_LEAST_RESERVE, _RESERVE = 2.0, 0.1
"""The reserve of an operation's time-out, in seconds and as a share; the greater of both counts."""


@dataclass(frozen=True)
class Call:
    """
    Pacemaker's variables about the operation itself.

    Attributes:
        tag: The resource's name, as files and log lines have it.
        timeout: Seconds that Pacemaker allows; infinite if they are not given.
        interval: Seconds between two monitors; 0: a probe; None: not given.
        stands_by: True: the monitor is one of the role Stopped.
        refused: Why the resource's name cannot be used; the tag is "" then.
        intentions_expected_in: Folder in which actions/agent looks for intentions; "": it does not say.
    """

    tag: str
    timeout: float = math.inf
    interval: float | None = None
    stands_by: bool = False
    refused: str = ""
    intentions_expected_in: str = ""

    @property
    def seconds(self) -> float | None:
        """Return the time-out without its reserve, which is at most half of it; None without a time-out."""
        if math.isinf(self.timeout):
            return None
        return self.timeout - min(max(_LEAST_RESERVE, self.timeout * _RESERVE), self.timeout / 2)


def call_of(environment: Mapping[str, str]) -> Call:
    """
    Read the call from Pacemaker's variables; a value that is no number counts as not given.

    Source: Pacemaker Administration, "Resource Agents"; OCF_RESKEY_CRM_meta_* are in milliseconds.
    """
    timeout, interval = (_seconds(environment.get(f"OCF_RESKEY_CRM_meta_{name}", "")) for name in _TIMES)
    instance = environment.get("OCF_RESOURCE_INSTANCE", "")
    tag = re.sub(r"[^A-Za-z0-9._-]", lambda found: _spelt(found[0]), instance)
    refused = _refused(instance, tag)
    return Call(
        tag="" if refused else tag,
        timeout=timeout or math.inf,
        interval=interval,
        stands_by=environment.get("OCF_RESKEY_CRM_meta_role", "").lower() == "stopped",
        refused=refused,
        intentions_expected_in=environment.get("EC2KIT_AGENT_RUN_DIR", ""),
    )


_TIMES = ("timeout", "interval")


def _seconds(text: str) -> float | None:
    return int(text) / 1000 if re.fullmatch("[0-9]{1,12}", text) else None


_LONGEST = 200
"""Characters of a name that still fits into the names of files; actions/agent has the same limit."""


def _refused(instance: str, tag: str) -> str:
    """Return why a name cannot be used: no two resources may have the same files, as by a name that is cut."""
    if len(tag) > _LONGEST:
        return f"it has more than {_LONGEST} characters"
    return f"{_spelt(':')} is how ec2kit spells a colon" if _spelt(":") in instance else ""


def _spelt(character: str) -> str:
    """Return the spelling of a character that ec2kit's file names cannot have: its number."""
    return f"_{ord(character):x}_"
