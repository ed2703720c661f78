"""An address is pinged from here by the system's own `ping`, which may send what other programs may not."""

from __future__ import annotations

import re

from ec2kit.deadline import Deadline
from ec2kit.errors import LocalCommandFailed
from ec2kit.host.command import Completed, run
from ec2kit.settings import Settings

_TRIES = 3
_PAUSE = 1.0
"""Seconds between tries: a change that EC2 has accepted may become effective a moment later."""

_SECONDS = 5.0
"""Seconds for one try; ping itself waits 2 s for an answer."""

_NO_WAY = re.compile(r"unreachable|no route to host|100% packet loss", re.IGNORECASE)


def answers(address: str, settings: Settings, deadline: Deadline) -> bool:
    """
    Tell whether an address answers at least one of a few echo requests.

    Raises:
        LocalCommandFailed: The requests cannot be sent: there is no ping, or it may not send.
        DeadlinePassed: There was no time for all tries.

    Source: iputils, ping(8): 0 an answer, 1 none, 2 other trouble; busybox has 1 for all.
    """
    for number in range(_TRIES):
        if number:
            deadline.pause(_PAUSE, f"another ping of {address}")
        words = ["ping", "-c", "1", "-W", "2", address]
        done = run(words, deadline.within(_SECONDS), environment={"PATH": settings.path, "LC_ALL": "C"})
        if done.status == 0:
            return True
        if not _was_sent(done):
            reason = done.stderr.strip() or f"exit status {done.status}"
            raise LocalCommandFailed(command=" ".join(words), reason=reason)
    return False


def _was_sent(done: Completed) -> bool:
    """Tell whether ping could try at all: there was no answer, or the network has no way to the address."""
    silent = done.status == 1 and not done.stderr.strip()
    return silent or _NO_WAY.search(done.stdout + done.stderr) is not None
