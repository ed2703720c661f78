"""A small durable file: atomic, 0600, versioned; and the lock that dies with its holder."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

from ec2kit.deadline import Deadline
from ec2kit.errors import StateUnusable

VERSION = 1
_LARGEST = 1_000_000
_TEMPORARY = re.compile(r"\.([0-9]+)\.tmp$")
_BOOT_ID = "/proc/sys/kernel/random/boot_id"

Content = dict[str, Any]


class Damaged(Exception):
    """The file is there and is not what was written: cut, edited, or of a later version."""


@cache
def boot_id() -> str:
    """
    Which boot this is; a state of another boot says nothing about now.

    Source: random(4).
    """
    try:
        with open(_BOOT_ID, encoding="ascii") as file:
            return file.read().strip()
    except OSError as error:
        raise _unusable(_BOOT_ID, error) from error


class StateFile:
    """
    One JSON object in one file, whole or not there.

    Args:
        path: Absolute; its folder is made, 0700, when first written.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def read(self) -> Content | None:
        """
        The content; None if there is no such file.

        Raises:
            Damaged: It is not what `write` wrote.
            StateUnusable: It cannot be read.
        """
        try:
            with open(open_private(self.path, os.O_RDONLY), encoding="utf-8") as file:
                text = file.read(_LARGEST)
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise Damaged("it is not text") from error
        except OSError as error:
            raise _unusable(self.path, error) from error
        return _parse(text)

    def write(self, content: Content, *, durable: bool = True) -> None:
        """
        Replace the content: after a crash at any moment the old one or the new one is there.

        Args:
            durable: False where that need not hold for a crash of the machine, only for one of this process.

        Raises:
            StateUnusable: It cannot be written; the old content is still there.
        """
        text = json.dumps({"version": VERSION, **content}, sort_keys=True, indent=1) + "\n"
        temporary = f"{self.path}.{os.getpid()}.tmp"
        try:
            make_folder(os.path.dirname(self.path))
            try:
                _write(temporary, text, durable=durable)
                os.replace(temporary, self.path)
            except BaseException:
                _unlink(temporary)
                raise
            if durable:
                _sync_folder(self.path)
                sweep(os.path.dirname(self.path))
        except OSError as error:
            raise _unusable(self.path, error) from error

    def remove(self) -> None:
        """
        Raises:
            StateUnusable: It is there and cannot be removed.
        """
        try:
            _unlink(self.path)
            if os.path.isdir(os.path.dirname(self.path)):
                _sync_folder(self.path)
        except OSError as error:
            raise _unusable(self.path, error) from error


class Lock:
    """
    A lock on a file, held by an open file; it is gone when its holder is, however it ended.

    Source: flock(2).
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._descriptor: int | None = None

    def take(self) -> bool:
        """
        Take it if nobody holds it; never waits.

        Raises:
            StateUnusable: The file cannot be made or opened.
        """
        try:
            make_folder(os.path.dirname(self.path))
            descriptor = open_private(self.path, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise _unusable(self.path, error) from error
        if not self._lock(descriptor, fcntl.LOCK_EX) or not self._is_current(descriptor):
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def _lock(self, descriptor: int, how: int) -> bool:
        try:
            return flock(descriptor, how)
        except OSError as error:
            os.close(descriptor)
            raise _unusable(self.path, error) from error

    def _is_current(self, descriptor: int) -> bool:
        """Whether the file is still the one at the path; `forget` may have removed it meanwhile."""
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self.path))
        except OSError:
            return False

    def wait(self, deadline: Deadline, doing: str) -> None:
        """
        Raises:
            DeadlinePassed: The holder did not let go in time.
        """
        pause = 0.01
        while not self.take():
            deadline.pause(pause, doing)
            pause = min(pause * 1.5, 0.2)

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    @property
    def is_held(self) -> bool:
        """
        Whether somebody holds it now; leaves no trace.

        Raises:
            StateUnusable: Whether cannot be said.
        """
        try:
            descriptor = open_private(self.path, os.O_RDONLY)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _unusable(self.path, error) from error
        free = self._lock(descriptor, fcntl.LOCK_SH)
        os.close(descriptor)
        return not free

    @contextmanager
    def held(self, deadline: Deadline, doing: str) -> Iterator[None]:
        """Hold it for the length of a block."""
        self.wait(deadline, doing)
        try:
            yield
        finally:
            self.release()


def sweep(folder: str) -> None:
    """Remove what writers left that were killed in the middle; the files themselves are whole."""
    with suppress(OSError):
        for name in os.listdir(folder):
            writer = _TEMPORARY.search(name)
            if writer and not os.path.exists(f"/proc/{writer[1]}"):
                os.unlink(os.path.join(folder, name))


def make_folder(path: str) -> None:
    """Make a folder of ours, 0700, with its parents; one that is there is left as it is."""
    if path and not os.path.isdir(path):
        make_folder(os.path.dirname(path))
        with suppress(FileExistsError):
            os.mkdir(path, 0o700)


def open_private(path: str, flags: int) -> int:
    """Open a file of ours, 0600 where it is made, and no symbolic link; raises OSError."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def flock(descriptor: int, how: int) -> bool:
    """Whether the lock was free, flock(2); raises OSError where locks do not work."""
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EINTR):
            return False
        raise
    return True


def _parse(text: str) -> Content:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Damaged("it is not JSON; was it cut?") from error
    if not isinstance(content, dict):
        raise Damaged("it is not a JSON object")
    if content.get("version") != VERSION:
        raise Damaged(f"its version is {content.get('version')!r}, not {VERSION}")
    return content


def _write(path: str, text: str, *, durable: bool) -> None:
    with open(open_private(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        if durable:
            os.fsync(file.fileno())


def _sync_folder(path: str) -> None:
    descriptor = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unlink(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)


def _unusable(path: str, error: OSError) -> StateUnusable:
    return StateUnusable(path=path, reason=error.strerror or str(error))
