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

_PATIENCE = 2
"""Seconds that ping waits for an answer."""

_SECONDS = 5.0
"""Seconds for one try."""

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
        if once(address, settings, deadline, patience=_PATIENCE) is not None:
            return True
    return False


def once(address: str, settings: Settings, deadline: Deadline, *, patience: int) -> str | None:
    """
    Send one echo request; return what ping says of the answer, None if none came.

    Args:
        patience: Seconds for the answer.

    Raises:
        LocalCommandFailed: The request cannot be sent.
    """
    words = ["ping", "-c", "1", "-W", str(patience), address]
    done = run(words, deadline.within(_SECONDS), environment={"PATH": settings.path, "LC_ALL": "C"})
    if done.status == 0:
        return done.stdout
    if not _was_sent(done):
        reason = done.stderr.strip() or f"exit status {done.status}"
        raise LocalCommandFailed(command=" ".join(words), reason=reason)
    return None


def _was_sent(done: Completed) -> bool:
    """Tell whether ping could try at all: there was no answer, or the network has no way to the address."""
    silent = done.status == 1 and not done.stderr.strip()
    return silent or _NO_WAY.search(done.stdout + done.stderr) is not None
