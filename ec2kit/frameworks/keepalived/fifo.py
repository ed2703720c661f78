"""
The program of the pipe follows keepalived's notifications in their order.

Each VRRP instance has its own thread, so that a long restore does not delay other instances. A newer state makes an
older one obsolete. A remove ends a restore of the same instance that is still under way, and begins after that has
ended, so that the two cannot overlap.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Mapping
from contextlib import suppress

from ec2kit.deadline import Deadline
from ec2kit.errors import ArgumentInvalid, Ec2KitError
from ec2kit.frameworks import edge
from ec2kit.frameworks.keepalived.states import DOWN, UP, Map, Told, latest, read_line
from ec2kit.host.command import Running
from ec2kit.messages import catalogue
from ec2kit.messages.log import Log

_LARGEST = 65536
"""Capacity of a pipe in bytes, pipe(7); no line of keepalived is longer."""

_SECONDS_OF_STOPPING = 2.0
"""Seconds after a signal for keepalived's last notifications; keepalived kills its program after one second."""


class Deeds:
    """
    Each action runs in its own process, with its own deadline and log.

    Args:
        launch: The kit's launcher of actions.
    """

    def __init__(self, launch: str, log: Log) -> None:
        self._launch = launch
        self._log = log
        self._stopped = False
        self._running: list[Running] = []
        self._lock = threading.Lock()

    def do(self, told: Told, tags: tuple[str, ...]) -> bool:
        """Run the deed on all tags at the same time; return True if all succeeded."""
        self._log.put(catalogue.VRRP_STATE, name=told.name, state=told.state, deed=told.deed, tags=", ".join(tags))
        running = [(tag, self._begin(told.deed, tag)) for tag in tags]
        ends = [self._end(told.deed, tag, process) for tag, process in running]
        with self._lock:
            self._running = []
        return all(ends)

    def _begin(self, deed: str, tag: str) -> Running | None:
        with self._lock:
            if self._stopped and deed == UP:
                return None
            try:
                process = Running([self._launch, deed, "-t", tag])
            except Ec2KitError as error:
                self._log.error(error)
                return None
            if deed == UP:
                self._running.append(process)
            return process

    def _end(self, deed: str, tag: str, process: Running | None) -> bool:
        status = process.wait() if process is not None else 1
        if status and not self._stopped:
            self._log.put(catalogue.VRRP_DEED_FAILED, deed=deed, tag=tag, status=status)
        return status == 0

    def stop_restoring(self) -> None:
        """Stop all restores, and begin no restore until `go_on`."""
        with self._lock:
            self._stopped = True
            for each in self._running:
                each.stop()

    def go_on(self) -> None:
        with self._lock:
            self._stopped = False


class Follower:
    """A follower carries out the last state of one VRRP instance or group."""

    def __init__(self, tags: tuple[str, ...], deeds: Deeds) -> None:
        self._tags = tags
        self._deeds = deeds
        self._next: Told | None = None
        self._no_more = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def tell(self, told: Told) -> None:
        """Take the newest state; an older state that was not begun is forgotten."""
        with self._changed:
            self._next = told
            if told.deed == DOWN:
                self._deeds.stop_restoring()
            self._changed.notify()

    def stop_restoring(self) -> None:
        """Stop all restores, until a newer state is followed."""
        self._deeds.stop_restoring()

    def finish(self, *, stop: bool) -> None:
        """
        End after the last state; no other state will come.

        Args:
            stop: True: stop restores, too.
        """
        with self._changed:
            if stop:
                self._deeds.stop_restoring()
            self._no_more = True
            self._changed.notify()

    def wait(self) -> None:
        """Wait until all states have been carried out."""
        self._thread.join()

    def _follow(self) -> None:
        while (told := self._take()) is not None:
            self._deeds.do(told, self._tags)

    def _take(self) -> Told | None:
        with self._changed:
            self._changed.wait_for(lambda: self._next is not None or self._no_more)
            told, self._next = self._next, None
            if not self._no_more:
                self._deeds.go_on()
            return told


class _End:
    """The first signal that ends the program is noticed between two reads, so that no line that was read is lost."""

    def __init__(self) -> None:
        self.signal = ""
        self._noticed, self._notice = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        edge.note_signals(self._note)

    def _note(self, name: str) -> None:
        self.signal = self.signal or name
        with suppress(BlockingIOError):
            os.write(self._notice, b".")

    def comes_before(self, pipe: _Pipe) -> bool:
        """Wait for a signal or for a line; return True if it is a signal."""
        if not self.signal:
            select.select([pipe.descriptor, self._noticed], [], [])
        return bool(self.signal)


def follow(path: str, tags_of: Map, launch: str, log: Log) -> None:
    """
    Follow the notifications of keepalived's pipe, until keepalived closes the pipe, or a signal comes.

    Keepalived has the pipe open before it starts its program. A keepalived that is stopped sends SIGTERM first,
    writes STOP within milliseconds, and a second later kills its program's process group, to which the actions do
    not belong. A keepalived that is reloaded sends SIGTERM, closes the pipe, and starts a new program on a new pipe.

    Raises:
        ArgumentInvalid: The pipe cannot be read.

    Source: keepalived 2.2.7, as tests/cluster/test_keepalived.py sees it.
    """
    end = _End()
    followers = {name: Follower(tags, Deeds(launch, log)) for name, tags in tags_of.items()}
    try:
        pipe = _Pipe(path, log)
        while not end.comes_before(pipe) and (told := pipe.read()) is not None:
            _tell(followers, told)
        log.put(catalogue.VRRP_ENDED, reason=end.signal or "keepalived has closed the pipe")
        if end.signal:
            for follower in followers.values():
                follower.stop_restoring()
            stopping = Deadline(_SECONDS_OF_STOPPING)
            while pipe.has_more(stopping) and (told := pipe.read()) is not None:
                _tell(followers, told)
    except OSError as error:
        raise ArgumentInvalid(name="fifo", reason=f"{path}: {error.strerror}") from error
    for follower in followers.values():
        follower.finish(stop=bool(end.signal))
    for follower in followers.values():
        follower.wait()


def _tell(followers: Mapping[str, Follower], told: list[Told]) -> None:
    for each in latest(told):
        if each.name in followers:
            followers[each.name].tell(each)


class _Pipe:
    """The pipe gives keepalived's lines as they come."""

    def __init__(self, path: str, log: Log) -> None:
        self.descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self._log = log
        self._rest = b""

    def has_more(self, deadline: Deadline) -> bool:
        """Wait for a line or for the end of the pipe; return False if the deadline comes first."""
        return bool(select.select([self.descriptor], [], [], max(0.0, deadline.remaining()))[0])

    def read(self) -> list[Told] | None:
        """Return the complete lines that have come; None at the end of the pipe."""
        try:
            chunk = os.read(self.descriptor, _LARGEST)
        except BlockingIOError:  # another program has read it
            return []
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if self._rest and (not chunk or len(self._rest) > _LARGEST):
            _ignore(self._rest, self._log)
            self._rest = b""
        return [told for line in lines if (told := _understood(line, self._log)) is not None] if chunk else None


def _understood(line: bytes, log: Log) -> Told | None:
    try:
        return read_line(line.decode(errors="replace"))
    except ValueError:
        _ignore(line, log)
        return None


def _ignore(line: bytes, log: Log) -> None:
    log.put(catalogue.VRRP_LINE_UNREADABLE, line=ascii(line[:200].decode(errors="replace")))
