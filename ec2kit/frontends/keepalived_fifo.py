"""
Follows keepalived's notifications in their order.

Each VRRP instance has a thread of its own, so that one whose restore takes long keeps no other one waiting. A newer
state makes an older one obsolete; a remove ends a restore of the same instance that is still under way, and is
begun when that has ended, so that the two cannot overlap.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Mapping
from contextlib import suppress

from ec2kit import edge, messages
from ec2kit.command import Running
from ec2kit.deadline import Deadline
from ec2kit.errors import ArgumentInvalid, Ec2KitError
from ec2kit.frontends.keepalived_states import DOWN, UP, Map, Told, latest, read_line
from ec2kit.log import Log

_LARGEST = 65536
"""Bytes that a pipe holds, pipe(7); no line of keepalived is longer."""

_SECONDS_OF_STOPPING = 2.0
"""After a signal, for what keepalived tells last; it kills its program after one."""


class Deeds:
    """
    Actions as processes of their own, each with its own deadline and log.

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
        """Run the deed on all tags at the same time; whether all went well."""
        self._log.put(messages.VRRP_STATE, name=told.name, state=told.state, deed=told.deed, tags=", ".join(tags))
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
            self._log.put(messages.VRRP_DEED_FAILED, deed=deed, tag=tag, status=status)
        return status == 0

    def stop_restoring(self) -> None:
        """End what brings in service, and begin no more of it until `go_on`."""
        with self._lock:
            self._stopped = True
            for each in self._running:
                each.stop()

    def go_on(self) -> None:
        with self._lock:
            self._stopped = False


class Follower:
    """One VRRP instance or group: does what its last state means."""

    def __init__(self, tags: tuple[str, ...], deeds: Deeds) -> None:
        self._tags = tags
        self._deeds = deeds
        self._next: Told | None = None
        self._no_more = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def tell(self, told: Told) -> None:
        """The newest state; an older one that was not begun is forgotten."""
        with self._changed:
            self._next = told
            if told.deed == DOWN:
                self._deeds.stop_restoring()
            self._changed.notify()

    def stop_restoring(self) -> None:
        """End what brings in service, until a newer state is followed."""
        self._deeds.stop_restoring()

    def finish(self, *, stop: bool) -> None:
        """
        Tell that nothing comes any more.

        Args:
            stop: Whether what brings in service is ended.
        """
        with self._changed:
            if stop:
                self._deeds.stop_restoring()
            self._no_more = True
            self._changed.notify()

    def wait(self) -> None:
        """Until all is done that was told."""
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
    """The first signal that ends the program; noticed between two reads, so that nothing is lost that was read."""

    def __init__(self) -> None:
        self.signal = ""
        self._noticed, self._notice = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        edge.note_signals(self._note)

    def _note(self, name: str) -> None:
        self.signal = self.signal or name
        with suppress(BlockingIOError):
            os.write(self._notice, b".")

    def comes_before(self, pipe: _Pipe) -> bool:
        """Wait for a signal or for something to read; whether it is a signal."""
        if not self.signal:
            select.select([pipe.descriptor, self._noticed], [], [])
        return bool(self.signal)


def follow(path: str, tags_of: Map, launch: str, log: Log) -> None:
    """
    Follow all that keepalived writes into its pipe, until it closes that, or a signal comes.

    Keepalived has the pipe open before it starts its program. One that is stopped sends SIGTERM first, tells STOP
    within milliseconds, and a second later kills its program's process group, which the actions are not in. One
    that is reloaded sends SIGTERM, closes the pipe, and starts a new program on a new one.

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
        log.put(messages.VRRP_ENDED, reason=end.signal or "keepalived has closed the pipe")
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
    """Keepalived's lines, as they come."""

    def __init__(self, path: str, log: Log) -> None:
        self.descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self._log = log
        self._rest = b""

    def has_more(self, deadline: Deadline) -> bool:
        """Wait for something to read or for the end of the pipe; False where the deadline comes first."""
        return bool(select.select([self.descriptor], [], [], max(0.0, deadline.remaining()))[0])

    def read(self) -> list[Told] | None:
        """All whole lines that are there; None where nothing is to come."""
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
    log.put(messages.VRRP_LINE_UNREADABLE, line=ascii(line[:200].decode(errors="replace")))
