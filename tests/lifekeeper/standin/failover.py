"""
Failover of a hierarchy: out of service here, in service on the next server by priority.

[confirmed LCDI-relationship] The priority gives the order of cascading failover. [confirmed log levels] A remove that
fails here halts the server (004788). [assumed] All the rest; one failover at a time on one server.
"""

from __future__ import annotations

import fcntl
import os

from . import log, power
from .actions import remove, restore
from .database import IN_SERVICE, Content
from .server import Server


def fail_over(server: Server, tag: str) -> bool:
    """Whether it is in service elsewhere afterwards, or was not in service here any more."""
    with open(os.path.join(server.config, "failover.lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        content = server.database.read()
        if content.need(tag)["state"] not in IN_SERVICE:
            _say(server, "INFO", "it is not in service here any more", tag)
            return True
        _say(server, "NOTIFY", "failover begins", tag)
        roots = content.roots(tag)
        _take_out(server, content, roots)
        if server.is_cut_off and not server.is_off:
            _say(server, "ERROR", "no other server can be told", tag)
            return False
        return move(server, content, roots)


def _take_out(server: Server, content: Content, roots: list[str]) -> None:
    """Parents first. [confirmed log levels] 004788 where one fails; [assumed] what is below it is then left."""
    hierarchy = dict.fromkeys(each for root in roots for each in [root, *content.all_children(root)])
    for each in sorted(hierarchy, key=lambda each: len(content.all_parents(each))):
        if not remove(server, each):
            text = f'failed to remove resource "{each}". SYSTEM HALTED.'
            log.say(server, "EMERG", log.HALTED, text, tag=each)
            power.halt(server)
            return


def move(lost: Server, content: Content, tags: list[str]) -> bool:
    """
    Bring resources in service on the best server but the lost one; if that fails, on the following one.

    Args:
        content: What the lost server knew.
        tags: As they are called there; those that other servers do not have stay out of service.
    """
    for name in _candidates(content, tags):
        other = lost.peer(name)
        if other.is_off or other.is_cut_off:
            _say(other, "INFO", "cannot take it over", tags[0])
            continue
        theirs = [row["other_tag"] for tag in tags for row in content.equivalents(tag) if row["system"] == name]
        _say(other, "NOTIFY", f"takes it over from {lost.name}", theirs[0])
        if all(restore(other, tag) for tag in theirs):
            _say(other, "NOTIFY", f"took it over from {lost.name}", theirs[0])
            return True
        _say(other, "ERROR", "could not take it over", theirs[0])
    if tags:
        log.say(lost, "ERROR", log.FAILOVER, "no server could take it over", action="failover", tag=tags[0])
    return False


def _candidates(content: Content, tags: list[str]) -> list[str]:
    """The highest priority first."""
    rows = [row for tag in tags for row in content.equivalents(tag)]
    return list(dict.fromkeys(row["system"] for row in sorted(rows, key=lambda row: int(row["other_priority"]))))


def _say(server: Server, level: str, text: str, tag: str) -> None:
    log.say(server, level, log.FAILOVER, text, action="failover", tag=tag)
