"""
perform_action: restore, remove, or any other action on a resource.

[confirmed LRACI-perform_action] -t, -a, and what follows `--` goes to the script unchanged; the order in restore;
other actions are simply run. [confirmed genapp] A script gets `-t TAG -i ID`. [assumed] -G, -s, -b, -n mean nothing
here, since there are no global scripts; perform_action does nothing when it is interrupted: it ends, and the script,
which is not in its session, goes on, so that afterwards the state in the database is the one before.
"""

from __future__ import annotations

from . import log, process
from .database import IN_SERVICE
from .options import Options
from .server import Server


def perform_action(server: Server, words: list[str]) -> int:
    """[assumed] The status: that of the script; restore and remove 0 or 1."""
    options = Options(words, "Gsbnt:a:", needed="ta", more=True)
    tag, action = options["t"], options["a"]
    server.database.read().need(tag)
    if action == "restore":
        return 0 if restore(server, tag, options.rest) else 1
    if action == "remove":
        return 0 if remove(server, tag, options.rest) else 1
    return run(server, tag, action, options.rest)


def restore(server: Server, tag: str, words: list[str] | None = None) -> bool:
    """
    Bring in service here what the resource needs, then the resource itself, and nothing above it.

    [confirmed LRACI-perform_action] ISP: nothing. Children first. ISU becomes ISP. Else it is removed on the other
    server first; status 0 is ISP, another one OSF and the end. [assumed] If the other server's remove fails, nothing
    is begun here.
    """
    content = server.database.read()
    state = content.need(tag)["state"]
    if state == "ISP":
        return True
    if not all(restore(server, child, words) for child in content.children(tag)):
        return False
    if state == "ISU":
        set_state(server, tag, "ISP")
        return True
    if not _take_from_others(server, tag):
        return False
    succeeded = run(server, tag, "restore", words or []) == 0
    set_state(server, tag, "ISP" if succeeded else "OSF", "" if succeeded else "restore failed")
    return succeeded


def _take_from_others(server: Server, tag: str) -> bool:
    """
    [confirmed LRACI-perform_action] "the remove script for any affected resources on the remote system"; [inferred] a
    server that cannot be reached is not asked, since that is what a failover is for.
    """
    for row in server.database.read().equivalents(tag):
        other, other_tag = server.peer(row["system"]), row["other_tag"]
        if not server.reaches(other):
            log.say(
                server, "WARN", log.SKIPPED, f"{other.name} cannot be asked to remove it", action="restore", tag=tag
            )
        elif not remove(other, other_tag) and not other.is_off:
            log.say(server, "ERROR", log.FAILED, f"remove on {other.name} failed", action="restore", tag=tag)
            return False
    return True


def remove(server: Server, tag: str, words: list[str] | None = None) -> bool:
    """
    Take out of service here what needs the resource, then the resource itself.

    [inferred] Parents first. [confirmed basic behaviours] 0 is OSU. [assumed] The script runs only where it is in
    service; OSF becomes OSU without it; a remove that fails leaves OSF and ends.
    """
    content = server.database.read()
    instance = content.find(tag)
    if instance is None:
        return True
    if not all(remove(server, parent, words) for parent in content.parents(tag)):
        return False
    if instance["state"] in IN_SERVICE and run(server, tag, "remove", words or []):
        if not server.is_off:  # else it was the power that ended it
            set_state(server, tag, "OSF", "remove failed")
        return False
    set_state(server, tag, "OSU")
    return True


def run(server: Server, tag: str, action: str, words: list[str]) -> int:
    """Run one script; [assumed] one that is not there is status 1."""
    instance = server.database.read().need(tag)
    script = server.action(instance["app"], instance["type"], action)
    if not script:
        log.say(server, "ERROR", log.FAILED, f'there is no action "{action}"', action=action, tag=tag)
        return 1
    status = process.run(server, [script, "-t", tag, "-i", instance["id"], *words])
    if status:
        log.say(server, "ERROR", log.FAILED, f"{action} ended with status {status}", action=action, tag=tag)
    return status


def set_state(server: Server, tag: str, state: str, reason: str = "") -> None:
    """[confirmed log levels] A state that changes is a NOTIFY."""
    with server.database.changing() as content:
        instance = content.find(tag)
        before = instance["state"] if instance else state
        if instance:
            instance.update(state=state, reason=reason)
    if before != state:
        log.say(server, "NOTIFY", log.STATE, f"{before} -> {state}", tag=tag)
