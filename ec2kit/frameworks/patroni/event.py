"""
The words that Patroni appends to a callback are read here: what happened, in which role, and the deed that it means.

Source: Patroni, "YAML Configuration Settings", callbacks; patroni/postgresql/__init__.py, call_nowait.
"""

from __future__ import annotations

from typing import NamedTuple

from ec2kit.errors import UsageError

UP, DOWN = "restore", "remove"

_LEADING = ("primary", "promoted", "master", "standby_leader")
"""Roles of a leader; versions before 4.0 say master. In a standby cluster the leader is a standby_leader."""

_FOLLOWING = ("replica", "demoted", "uninitialized")

_BY_ROLE = ("on_start", "on_role_change", "on_restart")
_WITHOUT_MEANING = ("on_reload",)


class Event(NamedTuple):
    """
    One event of one member.

    Attributes:
        action: "on_role_change".
        role: "primary".
        scope: The name of Patroni's cluster.
    """

    action: str
    role: str
    scope: str

    @property
    def deed(self) -> str:
        """Return the action to run, restore or remove; "" if the event moves nothing."""
        if self.action in _WITHOUT_MEANING:
            return ""
        return UP if self.action in _BY_ROLE and self.role in _LEADING else DOWN


def read(action: str, role: str, scope: str) -> Event:
    """
    Read the three words of a callback.

    Raises:
        UsageError: Patroni has no such event or role: the words are not Patroni's.
    """
    if action not in (*_BY_ROLE, *_WITHOUT_MEANING, "on_stop"):
        raise UsageError(problem=f"patroni: {action[:60]!a} is no event of Patroni's")
    if role not in (*_LEADING, *_FOLLOWING):
        raise UsageError(problem=f"patroni: {role[:60]!a} is no role of Patroni's")
    return Event(action, role, scope)
