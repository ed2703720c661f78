"""Every front end has this edge of its process: environment in; log, signals, watchdog, and the exit status out."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from ec2kit import settings
from ec2kit.deadline import Abandoned, Begun, Deadline
from ec2kit.engine.action import Action
from ec2kit.errors import Ec2KitError, Stopped
from ec2kit.host import child
from ec2kit.messages import catalogue, log, outlet, progress, stderr
from ec2kit.messages.catalogue import Level, Message
from ec2kit.messages.language import Language, catalogue_in, language_of
from ec2kit.messages.statement import Reason, Reasons, said
from ec2kit.registry import Registry

if TYPE_CHECKING:
    from ec2kit.actions.option import Values
    from ec2kit.actions.table import ActionSpec
    from ec2kit.frameworks.lifekeeper.commands import LifeKeeper

OVERDUE = 0.5
"""Seconds after the deadline at which the watchdog ends an action that hangs."""

_BEFORE_IT_BEGINS = 10.0
"""Seconds for reading the settings and opening the log, before an action's own deadline is known."""

_TIMEOUTS = {
    "remove": "remove_timeout",
    "recover": "recover_timeout",
    "quickCheck": "quickcheck_timeout",
    "status": "quickcheck_timeout",
    "standby": "quickcheck_timeout",
    "notices": "quickcheck_timeout",
}

_AS_LONG_AS = {"verify": 6}
"""Name → number of time-outs that the action may take: verify starts, moves to the other server and back."""


_LAST_LINES = 0.3
"""Seconds that the watchdog takes at most to say that it ends the process."""

_LAST_WORDS = 0.5
"""Seconds after the end for output and log lines that are still being written."""


def take_over() -> None:
    """
    Take the process over from its caller, before it opens anything.

    /dev/null is opened for each of the descriptors 0, 1 and 2 that is closed: the next file or connection would get
    its number, and the text for stderr. SIGCHLD is no longer ignored, if it was: commands would have no exit status.
    Children that the caller has left to this process are noted, so that they are not killed with its own.
    """
    with suppress(OSError):
        for number in (0, 1, 2):
            if not _is_open(number):
                os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest free number is this one
        sys.stdin, sys.stdout = sys.stdin or os.fdopen(0), sys.stdout or os.fdopen(1, "w")
        sys.stderr = sys.stderr or os.fdopen(2, "w")
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child.inherit()


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


class Watch:
    """
    The watchdog ends the process if an action hangs outside the network: in a disk, a command or its output.

    Args:
        status: Exit status in that case, unless the action has decided on another one.
        grace: Seconds beyond the action's deadline.
    """

    def __init__(self, status: int, *, grace: float = OVERDUE) -> None:
        self._status = status
        self._grace = grace
        self._deadline = Deadline(_BEFORE_IT_BEGINS)
        self._log: log.Log | None = None
        threading.Thread(target=self._watch, daemon=True).start()

    def over(self, action: Action) -> None:
        """Watch the action's own deadline from now on."""
        self._deadline, self._log = action.deadline, action.log

    def _watch(self) -> None:
        while self._deadline.ends + self._grace > self._deadline.clock.now():
            time.sleep(0.2)
        try:
            Begun(self._tell).wait(Deadline(_LAST_LINES))
        finally:
            _end(_decided[-1] if _decided else self._status)

    def _tell(self) -> None:
        """Log the end in English, because no module may be loaded now; the watchdog does not wait for it."""
        seconds = f"{self._deadline.seconds:g}"
        stderr.erase()
        stderr.say(Level.ERROR, catalogue.OVERDUE.render(seconds=seconds))
        if self._log is not None:
            self._log.record(catalogue.OVERDUE, seconds=seconds)


_decided: list[int] = []


def decide(status: int) -> None:
    """Decide on the exit status: what is left to do, such as output, cannot change it."""
    _decided.append(status)


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
    Make the context of an action from this process's environment.

    Args:
        name: "restore"; decides which deadline holds.
        deed: Decides the deadline instead of the name, if the framework's name differs from the core's.
        seconds: Limit of the framework, if that is less than the deadline.
        kept: Makes the registry, if the framework itself has the definitions; None: LifeKeeper's, or files.
        watched: True: a person sees the progress, too, on stderr.
        watch: The watchdog that ends the process if the action hangs.
    """
    os.umask(0o077)
    chosen = settings.load(os.environ, tag=tag)
    _hand_on(chosen.sdk)
    longest: float = getattr(chosen, _TIMEOUTS.get(deed or name, "restore_timeout")) * _AS_LONG_AS.get(name, 1)
    deadline = Deadline(longest if seconds is None else min(longest, seconds))
    framework = _framework(chosen, deadline) if kept is None else None
    action = Action(
        name=name,
        tag=tag,
        settings=chosen,
        log=open_log(name, tag, chosen, watched=watched),
        deadline=deadline,
        registry=_registry(chosen, framework) if kept is None else kept(chosen, deadline),
        lifekeeper=framework,
        recorder=partial(_record, chosen) if chosen.history_size else None,
    )
    if watch is not None:
        watch.over(action)
    for message, fields in chosen.findings:
        action.log.put(message, **fields)
    return action


_told: list[bool] = []
"""True once a person was told that records cannot be written."""

_history: list[outlet.Outlet] = []
"""The destination of this process's records; made with the first one."""


def _record(chosen: settings.Settings, make: Callable[[], Mapping[str, Any]]) -> None:
    """Record something in this server's history; like a log that cannot be written, it never stops an action."""
    if not _history:
        _history.append(outlet.Outlet(stderr.say))
    _history[0].later(partial(_append, chosen, make))


def _append(chosen: settings.Settings, make: Callable[[], Mapping[str, Any]]) -> None:
    from ec2kit.state.journal import Journal

    journal = Journal(chosen.state_dir, int((chosen.history_size or 0) * 1000))
    try:
        journal.append(make())
    except OSError as error:
        if not _told:
            _told.append(True)
            stderr.say(Level.WARN, f"{journal.path} cannot be written: {error.strerror}")


def _hand_on(variables: Mapping[str, str]) -> None:
    """Let the SDK find its variables in the environment of this process, and none of those that are empty."""
    os.environ.update(variables)
    for name in (name for name, value in variables.items() if not value):
        del os.environ[name]


def _framework(chosen: settings.Settings, deadline: Deadline) -> LifeKeeper | None:
    if not chosen.lifekeeper:
        return None
    from ec2kit.frameworks.lifekeeper.commands import LifeKeeper

    return LifeKeeper(chosen.lkroot, seconds=deadline.seconds)


def _registry(chosen: settings.Settings, framework: LifeKeeper | None) -> Registry:
    """Return LifeKeeper's database if LifeKeeper is the framework, otherwise this server's files."""
    if framework is None:
        from ec2kit.registry.local import LocalRegistry

        return LocalRegistry(chosen.state_dir, server=chosen.server, spare=chosen.run_dir)
    from ec2kit.frameworks.lifekeeper.registry import LifeKeeperRegistry
    from ec2kit.registry.states import States

    states = States(os.path.join(chosen.state_dir, "states"), spare=chosen.run_dir)
    return LifeKeeperRegistry(framework, states, server=chosen.server)


def open_log(name: str, tag: str, chosen: settings.Settings, *, watched: bool = True) -> log.Log:
    """Return the log that the settings name, with stderr for a person who watches, in that person's language."""
    host = os.uname().nodename
    if chosen.log_file == "-":
        return log.Log(action=name, tag=tag, sinks=(log.stderr_sink(name, host),))
    sink = log.file_sink(chosen.log_file, name, host) if chosen.log_file else _syslog_sink(name, chosen)
    if not watched:
        return log.Log(action=name, tag=tag, sinks=(sink,))
    return log.Log(action=name, tag=tag, sinks=(sink,), console=stderr.say, catalogue=catalogue_in(spoken_language()))


def _syslog_sink(name: str, chosen: settings.Settings) -> log.Sink:
    """Return syslog; under LifeKeeper with the selector of LifeKeeper's scripts, so that the lines reach its log."""
    if chosen.lifekeeper:
        return log.syslog_sink(name, chosen.lksyslogselector)
    return log.syslog_sink(f"ec2kit-{name}")


@contextmanager
def shown(action: Action) -> Iterator[None]:
    """Show what the action waits for, and the time left, to a person who watches it at a terminal."""
    if not action.log.is_watched or not os.isatty(2):
        yield
        return
    from ec2kit.messages.ticker import Ticker

    with Ticker(partial(_progress, action, catalogue_in(spoken_language()))):
        yield


_MOST_AT_A_TIME = 2
"""The number of things being done that the line names: what the action does as a whole, and what that waits for."""


def _progress(action: Action, words: Mapping[int, Message]) -> str:
    doing = Reasons(progress.now()[:_MOST_AT_A_TIME])
    left = f"{action.deadline.remaining():.0f}"
    return said(Reason.of(catalogue.PROGRESS, left=left, doing=doing or f"{action.name} {action.tag}"), words)


def spoken_language() -> Language:
    """Return the language of the user who started this process."""
    return language_of(os.environ)


def in_spoken_language(error: Ec2KitError | Stopped) -> str:
    """Return the text of an error in the language of the user who started this process."""
    return said(error, catalogue_in(spoken_language()))


def mind_signals() -> None:
    """
    Let the signals that end a process raise Stopped in the main thread, once; later signals are ignored.

    Python drops an exception that is raised while a finalizer or the callback of a weak reference runs, and each
    import has one. Up to 3.11 it makes a RuntimeError of one that is raised while a class names its attributes. A
    timer raises Stopped a moment later then.

    Source: object.__set_name__; "Error calling __set_name__" is gone since Python 3.12 (gh-77757).
    """
    first = ""

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal first
        first = first or signal.Signals(number).name
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        if _names_an_attribute(frame):
            later()
            return
        raise Stopped(signal=first)

    def later() -> None:
        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, _AGAIN)

    def dropped(what: sys.UnraisableHookArgs) -> None:
        if isinstance(what.exc_value, Stopped):
            later()
        else:
            sys.__unraisablehook__(what)

    sys.unraisablehook = dropped
    _on_signals(stop)


def _names_an_attribute(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code.co_name != "__set_name__":
        frame = frame.f_back
    return frame is not None


_AGAIN = 0.01
"""Seconds; without this pause Python would still drop the exception."""


def note_signals(note: Callable[[str], None]) -> None:
    """Note the signals by name and raise nothing, for a program that would lose what it has just read."""
    _on_signals(lambda number, frame: note(signal.Signals(number).name))


def _on_signals(handle: Callable[[int, FrameType | None], None]) -> None:
    """Handle the signals, also those that the caller has blocked or ignores; SIGHUP may be ignored (nohup)."""
    for each in _SIGNALS:
        if each is not signal.SIGHUP or signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, handle)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGALRM, signal.SIGHUP)


def unexpected(action_log: log.Log, error: BaseException) -> None:
    """Log a fault of ec2kit on one line: the exception and its place."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    place = f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else "?"
    action_log.put(catalogue.INTERNAL, error=f"{type(error).__name__}: {error}", place=place)


class Terminal:
    """A person sits at the terminal; questions and texts there are no output of the program."""

    def say(self, text: str) -> None:
        stderr.say(Level.INFO, text)

    def ask(self, prompt: str) -> str | None:
        os.write(2, prompt.encode(errors="replace"))
        return sys.stdin.readline() or None


def terminal() -> Terminal | None:
    """Return the terminal at which a person can be asked; None if there is none."""
    return Terminal() if sys.stdin.isatty() and sys.stderr.isatty() else None


def asked_for(spec: ActionSpec) -> Values | None:
    """Return the values that a person at the terminal gives; None: no person is there, or no dialogue exists."""
    place = terminal() if spec.ask is not None else None
    if spec.ask is None or place is None:
        return None
    from ec2kit.actions.option import answered

    return answered(spec.options(), spec.ask(place, open_action(spec.name, "", watched=False)))


def leave(status: int) -> NoReturn:
    """
    End the process now with this status, even if threads were left behind, or no program takes the last words.

    The children that those threads wait for are killed.
    """
    try:
        decide(status)
        with suppress(Abandoned):
            Begun(_flush).wait(Deadline(_LAST_WORDS))
        outlet.finish(_LAST_WORDS)
    finally:
        _end(status)


def _end(status: int) -> NoReturn:
    try:
        child.kill_all()
    finally:
        os._exit(status)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
