"""The edge of a process, for every front end: environment in; log, signals, the last net, and the exit status out."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from ec2kit import log, messages, settings
from ec2kit.action import Action
from ec2kit.deadline import Deadline
from ec2kit.errors import Ec2KitError, Stopped
from ec2kit.language import Language, catalogue_in, language_of
from ec2kit.messages import Level
from ec2kit.registry import Registry, open_registry

if TYPE_CHECKING:
    from ec2kit.lifekeeper import LifeKeeper

OVERDUE = 0.5
"""Seconds after its deadline at which an action that did not end by itself is ended."""

_BEFORE_IT_BEGINS = 10.0
"""Seconds for reading the settings and opening the log, before an action's own deadline is known."""

_TIMEOUTS = {
    "remove": "remove_timeout",
    "recover": "recover_timeout",
    "quickCheck": "quickcheck_timeout",
    "status": "quickcheck_timeout",
}

_AS_LONG_AS = {"verify": 6}
"""How many of the actions that its time-out is for fit into another one: verify starts, moves there and back."""


class Watch:
    """
    The last net: ends the process when an action hangs where no network is, in a disk, a command, the log.

    Args:
        status: Exit status then.
        grace: Seconds beyond the action's deadline.
    """

    def __init__(self, status: int, *, grace: float = OVERDUE) -> None:
        self._status = status
        self._grace = grace
        self._deadline = Deadline(_BEFORE_IT_BEGINS)
        self._log: log.Log | None = None
        threading.Thread(target=self._watch, daemon=True).start()

    def over(self, action: Action) -> None:
        """From now on the action's own deadline counts."""
        self._deadline, self._log = action.deadline, action.log

    def _watch(self) -> None:
        while self._deadline.ends + self._grace > self._deadline.clock.now():
            time.sleep(0.2)
        try:
            self._tell()
        finally:
            os._exit(self._status)

    def _tell(self) -> None:
        """Say so, in English since nothing may be loaded now, but do not wait for a log that hangs, too."""
        seconds = f"{self._deadline.seconds:g}"
        log.to_stderr(Level.ERROR, messages.OVERDUE.render(seconds=seconds))
        if self._log is not None:
            told = threading.Thread(target=self._log.record, args=(messages.OVERDUE,), kwargs={"seconds": seconds})
            told.daemon = True
            told.start()
            told.join(0.2)


def open_action(
    name: str,
    tag: str,
    *,
    deed: str = "",
    seconds: float | None = None,
    kept: Callable[[settings.Settings, Deadline], Registry] | None = None,
    watched: bool = True,
    watch: Watch | None = None,
) -> Action:
    """
    Make everything that an action works with from this process's environment.

    Args:
        name: "restore"; decides which deadline holds.
        deed: Decides that in place of the name, where a framework has words of its own.
        seconds: What the framework allows, if that is less than the deadline.
        kept: Makes the registry, where the framework itself has the definitions; None: LifeKeeper's, or files.
        watched: Whether progress is also told to a person, on stderr.
        watch: Ends the process if the action does not end by itself.
    """
    os.umask(0o077)
    chosen = settings.load(os.environ, tag=tag)
    os.environ.update(chosen.sdk)
    longest: float = getattr(chosen, _TIMEOUTS.get(deed or name, "restore_timeout")) * _AS_LONG_AS.get(name, 1)
    deadline = Deadline(longest if seconds is None else min(longest, seconds))
    framework = _framework(chosen, deadline) if kept is None else None
    action = Action(
        name=name,
        tag=tag,
        settings=chosen,
        log=open_log(name, tag, chosen, watched=watched),
        deadline=deadline,
        registry=open_registry(chosen, framework) if kept is None else kept(chosen, deadline),
        lifekeeper=framework,
    )
    if watch is not None:
        watch.over(action)
    for message, fields in chosen.findings:
        action.log.put(message, **fields)
    return action


def _framework(chosen: settings.Settings, deadline: Deadline) -> LifeKeeper | None:
    if not chosen.lifekeeper:
        return None
    from ec2kit.lifekeeper import LifeKeeper

    return LifeKeeper(chosen.lkroot, seconds=deadline.seconds)


def open_log(name: str, tag: str, chosen: settings.Settings, *, watched: bool = True) -> log.Log:
    """The log that the settings lead to, and stderr for a person who watches, in that person's language."""
    host = os.uname().nodename
    if chosen.log_file == "-":
        return log.Log(action=name, tag=tag, sinks=(log.stderr_sink(name, host),))
    sink = log.file_sink(chosen.log_file, name, host) if chosen.log_file else _syslog_sink(name, chosen)
    if not watched:
        return log.Log(action=name, tag=tag, sinks=(sink,))
    return log.Log(
        action=name, tag=tag, sinks=(sink,), console=log.to_stderr, catalogue=catalogue_in(spoken_language())
    )


def _syslog_sink(name: str, chosen: settings.Settings) -> log.Sink:
    """Under LifeKeeper as LifeKeeper's own scripts log, so that the lines come into its log."""
    if chosen.lifekeeper:
        return log.syslog_sink(name, chosen.lksyslogselector)
    return log.syslog_sink(f"ec2kit-{name}")


def spoken_language() -> Language:
    """The language of whoever started this process."""
    return language_of(os.environ)


def in_spoken_language(error: Ec2KitError | Stopped) -> str:
    """The text of an error for whoever started this process."""
    return log.translated(error.message, error.fields, catalogue_in(spoken_language()))


def mind_signals() -> None:
    """
    Let the signals that end a process raise Stopped in the main thread, once; later ones are ignored.

    Python drops what is raised while a finalizer or the callback of a weak reference runs, as each import has one;
    then it is raised again a moment later.
    """
    first = ""

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal first
        first = first or signal.Signals(number).name
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped(signal=first)

    def dropped(what: sys.UnraisableHookArgs) -> None:
        if not isinstance(what.exc_value, Stopped):
            sys.__unraisablehook__(what)
            return
        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, _AGAIN)

    sys.unraisablehook = dropped
    _on_signals(stop)


_AGAIN = 0.01
"""Seconds; at once would be while Python still drops it."""


def note_signals(note: Callable[[str], None]) -> None:
    """Let them only be noted, by name, where something raised in the middle would lose what was just read."""
    _on_signals(lambda number, frame: note(signal.Signals(number).name))


def _on_signals(handle: Callable[[int, FrameType | None], None]) -> None:
    for each in _SIGNALS:
        if each is not signal.SIGHUP or signal.getsignal(each) is not signal.SIG_IGN:  # nohup
            signal.signal(each, handle)


_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGALRM, signal.SIGHUP)


def unexpected(action_log: log.Log, error: BaseException) -> None:
    """Log a fault of our own: what, and where, on one line."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    place = f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else "?"
    action_log.put(messages.INTERNAL, error=f"{type(error).__name__}: {error}", place=place)


class Terminal:
    """The terminal that a person sits at; what is asked and told there is no output of the program."""

    def say(self, text: str) -> None:
        log.to_stderr(Level.INFO, text)

    def ask(self, prompt: str) -> str | None:
        os.write(2, prompt.encode(errors="replace"))
        return sys.stdin.readline() or None


def terminal() -> Terminal | None:
    """Where a person can be asked; None if nobody sits there."""
    return Terminal() if sys.stdin.isatty() and sys.stderr.isatty() else None


def leave(status: int) -> NoReturn:
    """End the process now, whatever threads were left behind."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)
