"""Keepalived's notifications are read here: the state of a VRRP instance or group, and the deed that it means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ec2kit.errors import UsageError
from ec2kit.resource import checked_tag

UP, DOWN = "restore", "remove"

_DEEDS = {
    "MASTER": UP,
    "MASTER_RX_LOWER_PRI": UP,  # another server was MASTER for a moment, and may have taken the address
    "BACKUP": DOWN,
    "FAULT": DOWN,
    "STOP": DOWN,
    "DELETED": DOWN,
}
_WITHOUT_MEANING = ("MASTER_PRIORITY", "BACKUP_PRIORITY")
_STATES = (*_DEEDS, *_WITHOUT_MEANING)

_LINE = re.compile(r'(INSTANCE|GROUP) +"?([^"]+?)"? +([A-Z_]+)(?: +[0-9]+)?\s*')
_OF_OTHERS = re.compile(r"(VS|RS)\b.*", re.DOTALL)
"""Lines of virtual and real servers, which come through the same pipe if keepalived balances load, too."""

Map = Mapping[str, tuple[str, ...]]
"""Name of a VRRP instance or group → tags of its resources."""


@dataclass(frozen=True)
class Told:
    """One notification: a VRRP instance or group, and its state."""

    name: str
    state: str

    @property
    def deed(self) -> str:
        """Return the action to run, restore or remove; "" if the notification only has a priority."""
        return _DEEDS.get(self.state, "")


def read_line(line: str) -> Told | None:
    """
    Read one line of the pipe, 'INSTANCE "VI_1" MASTER 100'; None for a line that is not about VRRP.

    Raises:
        ValueError: The line has no form of keepalived's.

    Source: keepalived.conf(5), notify_fifo.
    """
    if not line.strip() or _OF_OTHERS.fullmatch(line):
        return None
    found = _LINE.fullmatch(line)
    if found is None or found[3] not in _STATES:
        raise ValueError(line)
    return Told(found[2], found[3])


def latest(told: Iterable[Told]) -> list[Told]:
    """Return the last notification of each name, in the order of the pipe; the earlier ones are obsolete."""
    last: dict[str, Told] = {}
    for each in told:
        if each.deed:
            last.pop(each.name, None)
            last[each.name] = each
    return list(last.values())


def read_map(words: Iterable[str]) -> Map:
    """
    Read which resources belong to which VRRP instance or group: "VI_1=ec2-vip1,ec2-eip1".

    Raises:
        UsageError: A word does not have that form, or a tag appears twice.
        BadRequest: A tag is invalid.
    """
    name_of: dict[str, str] = {}
    for word in words:
        name, _, tags = word.partition("=")
        if not name or not tags:
            raise UsageError(problem=f"keepalived: {word[:60]!a} is not of the form INSTANCE=TAG[,TAG]")
        for tag in map(checked_tag, tags.split(",")):
            if tag in name_of:
                raise UsageError(problem=_belongs_to(tag, name_of[tag], name))
            name_of[tag] = name
    return {name: tuple(tag for tag in name_of if name_of[tag] == name) for name in name_of.values()}


def _belongs_to(tag: str, name: str, other: str) -> str:
    """Explain that a tag appears twice: MASTER of one name and BACKUP of the other would contradict each other."""
    names = f"{name} twice" if name == other else f"{name} and {other}"
    return f"keepalived: {tag} belongs to {names}; name it once, with the sync group if there is one"
