"""
A message of the catalogue goes from here to a file, syslog or stderr, in LifeKeeper's line format.

The log is English; a person who watches reads their own language, also in an error that is the field of a message.
Each destination is an outlet, so that one that hangs holds up no action.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ec2kit.messages import stderr
from ec2kit.messages.catalogue import CATALOGUE, END_FAILED, Level, Message
from ec2kit.messages.outlet import Outlet
from ec2kit.messages.statement import Reason, codes, said

if TYPE_CHECKING:
    from ec2kit.messages.statement import Statement

Sink = Callable[[Level, str], None]


class Log:
    """
    Log the messages of one action.

    Args:
        action, tag: The action and the resource; both may be "".
        sinks: The destinations of lines; each is called with the level and "LEVEL:module:action:tag:NNNNNN:text".
        console: The destination of the text alone, for a person who watches.
        catalogue: The messages in that person's language.
    """

    def __init__(
        self,
        *,
        action: str,
        tag: str,
        sinks: tuple[Sink, ...] = (),
        console: Sink | None = None,
        catalogue: Mapping[int, Message] = CATALOGUE,
    ) -> None:
        self.action = action
        self.tag = tag
        self._sinks = sinks
        self._console = console
        self._catalogue = catalogue

    @property
    def is_watched(self) -> bool:
        """Tell whether a person may watch."""
        return self._console is not None

    def put(self, message: Message, **fields: object) -> None:
        """Log one message; a log that cannot be written never stops an action."""
        self._say(Reason(message, fields), told=False)

    def record(self, message: Message, **fields: object) -> None:
        """Log one message that the console shows in another line."""
        self._say(Reason(message, fields), told=True)

    def error(self, error: Statement, *, told: bool = False) -> None:
        """
        Log an error, or a reason, under its own code and level.

        Args:
            told: The console shows it in another line.
        """
        self._say(error if isinstance(error, Reason) else Reason(error.message, error.fields), told=told)

    def _say(self, statement: Reason, *, told: bool) -> None:
        message = statement.message
        line = f"{message.level.value}:ec2kit:{self.action}:{self.tag}:{message.code:06d}:{said(statement)}"
        for sink in self._sinks:
            sink(message.level, line)
        if self._console is not None and not told:
            self._console(message.level, _for_a_person(statement, self._catalogue))


def _for_a_person(statement: Reason, catalogue: Mapping[int, Message]) -> str:
    """Return the text; from WARN on, add the codes that explain it: the message's own and those of its reasons."""
    text = said(statement, catalogue)
    level = statement.message.level
    if level in (Level.INFO, Level.NOTIFY):
        return text
    found = list(dict.fromkeys(codes(statement)))
    if statement.message.code == END_FAILED.code and len(found) > 1:
        found.remove(END_FAILED.code)  # END failed only frames its reason
    return f"{level.value}: {text} [{', '.join(f'{code:06d}' for code in found)}]"


def stamped(line: str, program: str, host: str) -> str:
    """Return a whole line of a log file: "Nov  3 04:05:06 host program[pid]: …"."""
    return f"{time.strftime('%b %e %H:%M:%S')} {host} {program}[{os.getpid()}]: {line}\n"


def file_sink(path: str, program: str, host: str) -> Sink:
    """Return a sink that appends to a file, 0600; it reports a full disk or a missing folder to stderr, once."""
    told: list[bool] = []

    def sink(level: Level, line: str) -> None:
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(path, flags, 0o600)
            try:
                stderr.write(descriptor, stamped(line, program, host))
            finally:
                os.close(descriptor)
        except OSError as error:
            if not told:
                told.append(True)
                stderr.say(Level.WARN, f"{path} cannot be written: {error.strerror}")

    return Outlet(sink)


def stderr_sink(program: str, host: str) -> Sink:
    """Return a sink that writes whole lines to stderr."""

    def sink(level: Level, line: str) -> None:
        stderr.say(level, stamped(line, program, host).rstrip("\n"))

    return sink


_FACILITY = re.compile(r"(?i)local[0-7]|daemon|user")


def syslog_sink(program: str, facility: str = "daemon") -> Sink:
    """
    Return a sink that writes to the system's log; the system adds time, host and process id.

    Args:
        facility: "local6"; one that does not exist is replaced by daemon.
    """
    import syslog

    name = facility.upper() if _FACILITY.fullmatch(facility) else "DAEMON"
    priorities = {
        Level.FATAL: syslog.LOG_CRIT,
        Level.ERROR: syslog.LOG_ERR,
        Level.WARN: syslog.LOG_WARNING,
        Level.NOTIFY: syslog.LOG_NOTICE,
        Level.INFO: syslog.LOG_INFO,
    }
    syslog.openlog(program, syslog.LOG_PID, getattr(syslog, f"LOG_{name}"))

    def sink(level: Level, line: str) -> None:
        syslog.syslog(priorities[level], line)

    return Outlet(sink)
