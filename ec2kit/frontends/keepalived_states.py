"""What keepalived tells: which VRRP instance or group is in which state, and which deed that means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ec2kit.errors import UsageError
from ec2kit.resource import checked_tag

UP, DOWN = "restore", "remove"

_DEEDS = {
    "MASTER": UP,
    "MASTER_RX_LOWER_PRI": UP,  # another one was MASTER for a moment, and may have taken the address
    "BACKUP": DOWN,
    "FAULT": DOWN,
    "STOP": DOWN,
    "DELETED": DOWN,
}
_WITHOUT_MEANING = ("MASTER_PRIORITY", "BACKUP_PRIORITY")
_STATES = (*_DEEDS, *_WITHOUT_MEANING)

_LINE = re.compile(r'(INSTANCE|GROUP) +"?([^"]+?)"? +([A-Z_]+)(?: +[0-9]+)?\s*')
_OF_OTHERS = re.compile(r"(VS|RS)\b.*", re.DOTALL)
"""Of virtual and real servers, which come through the same pipe where keepalived balances load, too."""

Map = Mapping[str, tuple[str, ...]]
"""Name of a VRRP instance or group → tags of its resources."""


@dataclass(frozen=True)
class Told:
    """One notification: a VRRP instance or group, and its state."""

    name: str
    state: str

    @property
    def deed(self) -> str:
        """The action to run: restore or remove; "" for what only tells a priority."""
        return _DEEDS.get(self.state, "")


def read_line(line: str) -> Told | None:
    """
    One line of the pipe, 'INSTANCE "VI_1" MASTER 100'; None for what is not about VRRP.

    Raises:
        ValueError: It is none of keepalived's.

    Source: keepalived.conf(5), notify_fifo.
    """
    if not line.strip() or _OF_OTHERS.fullmatch(line):
        return None
    found = _LINE.fullmatch(line)
    if found is None or found[3] not in _STATES:
        raise ValueError(line)
    return Told(found[2], found[3])


def latest(told: Iterable[Told]) -> list[Told]:
    """The last one of each name, in the order in which these came; the earlier ones are obsolete."""
    last: dict[str, Told] = {}
    for each in told:
        if each.deed:
            last.pop(each.name, None)
            last[each.name] = each
    return list(last.values())


def read_map(words: Iterable[str]) -> Map:
    """
    What the configuration says belongs together: "VI_1=ec2-vip1,ec2-eip1".

    Raises:
        UsageError: It is not of that form, or a tag stands there twice.
        TagInvalid: A tag is none.
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
    """A MASTER of one and a BACKUP of the other would restore and remove it at once."""
    names = f"{name} twice" if name == other else f"{name} and {other}"
    return f"keepalived: {tag} belongs to {names}; name it once, with the sync group if there is one"
