"""
lkcheck: one round of checks of what is in service on a server.

[confirmed LKCHECKINTERVAL] LifeKeeper's is a daemon that does this every 120 s; here a test says when. Its flags are
the stand-in's own: -l SECONDS is the limit of one quickCheck.
"""

from __future__ import annotations

import signal
from typing import Any

from . import log, process
from .database import Content, Instance
from .events import recover
from .options import Options
from .server import Server

_LIMIT = "100"
"""EC2_QUICKCHECK_TIMEOUT of the original kit. [confirmed parameters list]"""

_GRACE = 10.0
"""[assumed] Seconds that a quickCheck may live on after SIGALRM before it is killed."""


def lkcheck(server: Server, words: list[str]) -> int:
    """[inferred] What is ISP is checked; [assumed] children before parents, one after the other."""
    limit = float(Options(words, "l:").get("l", _LIMIT))
    content = server.database.read()
    for tag in _in_order(content):
        instance = server.database.read().find(tag)
        if instance and instance["state"] == "ISP":  # an earlier one's recovery may have moved it away
            _check(server, instance, limit)
    return 0


def _in_order(content: Content) -> list[str]:
    tags = [each["tag"] for each in content.instances if each["state"] == "ISP"]
    return sorted(tags, key=lambda tag: len(content.all_children(tag)))


def _check(server: Server, instance: Instance, limit: float) -> None:
    """
    [confirmed genapp] A status that is not 0 is a failure; [assumed] where only events count, it is only logged. A
    type without quickCheck is not checked. [confirmed genapp]
    """
    script = server.action(instance["app"], instance["type"], "quickCheck")
    status = _quick_check(server, instance, script, limit) if script else 0
    if not status or server.is_off:
        return
    text = f"quickCheck ended with status {status}"
    log.say(server, "ERROR", log.CHECK, text, action="quickCheck", tag=instance["tag"])
    if server.recovery in ("exit", "both"):
        recover(server, instance, _action_recover(server, instance))


def _action_recover(server: Server, instance: Instance) -> str:
    return server.action(instance["app"], instance["type"], "recover")


def _quick_check(server: Server, instance: Instance, script: str, limit: float) -> int:
    """
    The status; 0 where it was ended for its time.

    [confirmed quickCheck ALRM] SIGALRM ends it, the resource does not fail, 001047 says so. [inferred] The signal
    goes to the script itself, not to what it started. [assumed] The resource does not fail either where the script
    lives on, or ends with another status after it.
    """
    import subprocess

    tag = instance["tag"]
    begun = process.start(server, [script, "-t", tag, "-i", instance["id"]], stdout=None, stderr=None)
    try:
        return process.ended(server, begun, limit)
    except subprocess.TimeoutExpired:
        text = f'END failed quickCheck of "{tag}" due to a "ALRM" signal.'
        log.say(server, "NOTIFY", log.ALARM, text, action="quickCheck", tag=tag)
        _end(server, begun)
        return 0


def _end(server: Server, begun: Any) -> None:
    import subprocess

    begun.send_signal(signal.SIGALRM)
    try:
        process.ended(server, begun, _GRACE)
    except subprocess.TimeoutExpired:
        begun.kill()
        process.ended(server, begun)
