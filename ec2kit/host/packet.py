"""Packets are sent to an address from here until one is answered: by ICMP, by TCP, or by a command."""

from __future__ import annotations

import errno
import re
import socket
from typing import TYPE_CHECKING, NamedTuple

from ec2kit.deadline import Deadline
from ec2kit.errors import LocalCommandFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from ec2kit.settings import Settings

_PAUSE, _LONGEST_PAUSE = 0.2, 1.0
"""Seconds between two tries, which grow: what EC2 has accepted becomes effective at some moment."""

_PATIENCE = 1
"""Seconds for the answer to one packet; no packet inside of a region takes a tenth of that."""

_MORE = 5.0
"""Seconds that a try needs beyond that at most, to begin and to end."""

_LOST = {
    errno.ETIMEDOUT,
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
    errno.EHOSTDOWN,
    errno.ECONNRESET,
    errno.ECONNABORTED,
}
"""Errors of connect(2) and below that say that no answer came; all others say that nothing could be sent."""


class Answer(NamedTuple):
    """
    The answer to a packet.

    Attributes:
        milliseconds: From the packet to its answer, as far as the way of trying tells it.
        remark: "it refuses port 5432"; "" as a rule.
    """

    milliseconds: float
    remark: str = ""


def answer(way: str, address: str, settings: Settings, deadline: Deadline) -> Answer | None:
    """
    Send packets until one is answered; return None if none is before the deadline.

    Args:
        way: A value of EC2_PROBE that is not off, "tcp:5432".
        address: An IPv4 or IPv6 address, no name.

    Raises:
        LocalCommandFailed: Nothing is known, because the packets cannot be sent.
    """
    kind, _, what = way.partition(":")
    once, was_silent, pause = _ONCE[kind], False, _PAUSE
    while True:
        began = deadline.clock.now()
        try:
            said = once(what, address, settings, deadline)
        except LocalCommandFailed:
            if was_silent and deadline.passed:
                return None  # only this try was cut off
            raise
        if said is not None:
            measured = said.milliseconds or (deadline.clock.now() - began) * 1000
            return said._replace(milliseconds=round(measured, 2))
        if deadline.remaining() <= pause + _PATIENCE:
            return None
        was_silent = True
        deadline.pause(pause, f"another packet to {address}")
        pause = min(pause * 1.3, _LONGEST_PAUSE)


_RTT = re.compile(r"time[=<]([0-9]+(?:\.[0-9]+)?) ?ms")


def _by_icmp(_: str, address: str, settings: Settings, deadline: Deadline) -> Answer | None:
    """Send one echo request; a ping that began may end a moment after the deadline."""
    from ec2kit.host.ping import once

    said = once(address, settings, Deadline(_PATIENCE + _MORE, deadline.clock), patience=_PATIENCE)
    if said is None:
        return None
    measured = _RTT.search(said)
    return Answer(float(measured[1]) if measured else 0.0)


def _by_tcp(port: str, address: str, settings: Settings, deadline: Deadline) -> Answer | None:
    """Open a connection; a refusal is an answer, too: a packet came there, and one came back."""
    try:
        with socket.create_connection((address, int(port)), timeout=_PATIENCE):
            return Answer(0.0)
    except ConnectionRefusedError:
        return Answer(0.0, f"it refuses port {port}: packets arrive, and nothing listens")
    except TimeoutError:
        return None
    except OSError as error:
        if error.errno in _LOST:
            return None
        raise LocalCommandFailed(command=f"connect {address} {port}", reason=error.strerror or str(error)) from error


def _by_command(path: str, address: str, settings: Settings, deadline: Deadline) -> Answer | None:
    """Run the command with the address as its only word: it ends with 0 if the address answers, with 1 if not."""
    from ec2kit.host.command import run

    environment = {"PATH": settings.path, "LC_ALL": "C"}
    done = run([path, address], deadline, environment=environment)
    if done.status == 0:
        return Answer(0.0)
    if done.status == 1:
        return None
    said = (done.stderr.strip() or done.stdout.strip()).partition("\n")[0][:200]
    how = f"signal {-done.status}" if done.status < 0 else f"exit status {done.status}"
    raise LocalCommandFailed(
        command=f"{path} {address}", reason=f"{how}, neither 0 nor 1" + (f": {said}" * bool(said))
    )


_ONCE: dict[str, Callable[[str, str, Settings, Deadline], Answer | None]] = {
    "icmp": _by_icmp,
    "tcp": _by_tcp,
    "command": _by_command,
}
