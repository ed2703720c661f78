"""
Puts a message of the catalogue where it belongs: LifeKeeper's line format, to a file, syslog or stderr.

The log is English; who watches reads their own language, also of an error that is the field of a message.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from ec2kit.errors import Ec2KitError, Stopped
from ec2kit.messages import CATALOGUE, Level, Message

Sink = Callable[[Level, str], None]


class Log:
    """
    The log of one action.

    Args:
        action, tag: What is done to which resource; both may be "".
        sinks: Where lines go; each is called with the level and "LEVEL:module:action:tag:NNNNNN:text".
        console: Where the text alone goes, for a person who watches.
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

    def put(self, message: Message, **fields: object) -> None:
        """Log one message; a log that cannot be written never stops an action."""
        self._emit(message, fields)

    def record(self, message: Message, **fields: object) -> None:
        """Log one message that the console is told in another line."""
        self._emit(message, fields, told=True)

    def error(self, error: Ec2KitError | Stopped, *, told: bool = False) -> None:
        """Log an error under its own code and level; one that the console is told otherwise is not told twice."""
        self._emit(error.message, error.fields, told=told)

    def _emit(self, message: Message, fields: Mapping[str, object], *, told: bool = False) -> None:
        text = message.render(**fields)
        line = f"{message.level.value}:ec2kit:{self.action}:{self.tag}:{message.code:06d}:{text}"
        for sink in self._sinks:
            sink(message.level, line)
        if self._console is not None and not told:
            self._console(message.level, _for_a_person(message, translated(message, fields, self._catalogue)))


def translated(message: Message, fields: Mapping[str, object], catalogue: Mapping[int, Message]) -> str:
    """The message in the catalogue's language, and so the errors among its fields."""
    own = {
        name: translated(each.message, each.fields, catalogue) if isinstance(each, Ec2KitError | Stopped) else each
        for name, each in fields.items()
    }
    return catalogue.get(message.code, message).render(**own)


def _for_a_person(message: Message, text: str) -> str:
    if message.level in (Level.INFO, Level.NOTIFY):
        return text
    return f"{message.level.value}: {text} [{message.code:06d}]"


def stamped(line: str, program: str, host: str) -> str:
    """A whole line of a log file: "Nov  3 04:05:06 host program[pid]: …"."""
    return f"{time.strftime('%b %e %H:%M:%S')} {host} {program}[{os.getpid()}]: {line}\n"


def file_sink(path: str, program: str, host: str) -> Sink:
    """Appends to a file, 0600; a full disk or a missing folder is told to stderr once."""
    told: list[bool] = []

    def sink(level: Level, line: str) -> None:
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(path, flags, 0o600)
            try:
                os.write(descriptor, stamped(line, program, host).encode(errors="replace"))
            finally:
                os.close(descriptor)
        except OSError as error:
            if not told:
                told.append(True)
                to_stderr(Level.WARN, f"{path} cannot be written: {error.strerror}")

    return sink


def stderr_sink(program: str, host: str) -> Sink:
    """Whole lines to stderr."""

    def sink(level: Level, line: str) -> None:
        to_stderr(level, stamped(line, program, host).rstrip("\n"))

    return sink


_FACILITY = re.compile(r"(?i)local[0-7]|daemon|user")


def syslog_sink(program: str, facility: str = "daemon") -> Sink:
    """
    To the system's log; the system adds time, host and process id.

    Args:
        facility: "local6"; one that cannot be is daemon.
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

    return sink


def to_stderr(level: Level, text: str) -> None:
    """For a person, or for the framework that catches stderr; one whole line in one write."""
    with suppress(OSError):  # nobody listens any more; the log has it
        os.write(2, (text + "\n").encode(errors="replace"))
