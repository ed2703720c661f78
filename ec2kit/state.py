"""
A small durable file: atomic, 0600, versioned; and the lock that dies with its holder.

Neither is used where somebody else than root and this user may write, or could have put something in its place.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import stat
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
        with open(_BOOT_ID, encoding="utf-8") as file:
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
        try:
            make_folder(os.path.dirname(self.path))
            with _folder_of(self.path) as (folder, name):
                _replace(name, text, folder, durable=durable)
                if durable:
                    os.fsync(folder)
            if durable:
                sweep(os.path.dirname(self.path))
        except OSError as error:
            raise _unusable(self.path, error) from error

    def remove(self) -> None:
        """
        Raises:
            StateUnusable: It is there and cannot be removed.
        """
        try:
            with suppress(FileNotFoundError), _folder_of(self.path) as (folder, name):
                _unlink(name, folder)
                os.fsync(folder)
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
    """Open a file of ours, 0600 where it is made, in a folder that is only ours; raises OSError."""
    with _folder_of(path) as (folder, name):
        return _open(name, flags, folder)


@contextmanager
def _folder_of(path: str) -> Iterator[tuple[int, str]]:
    """The folder of a file, open, and the file's name in it; raises OSError where the folder is not only ours."""
    folder, name = os.path.split(path)
    link = os.lstat(folder)
    if stat.S_ISLNK(link.st_mode) and not _is_ours(link):
        raise PermissionError(errno.EPERM, f"the folder is a link of user {link.st_uid}")
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _must_be_safe(os.fstat(descriptor), "the folder")
        yield descriptor, name
    finally:
        os.close(descriptor)


def _open(name: str, flags: int, folder: int) -> int:
    """A regular file of ours, with no other name that others may know it by; a pipe is not waited for."""
    descriptor = os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600, dir_fd=folder)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise PermissionError(errno.EPERM, "it is no regular file")
        if status.st_nlink > 1:
            raise PermissionError(errno.EPERM, "it has a second name (a hard link)")
        _must_be_safe(status, "it")
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _must_be_safe(status: os.stat_result, what: str) -> None:
    if not _is_ours(status):
        raise PermissionError(errno.EPERM, f"{what} belongs to user {status.st_uid}")
    by_group = status.st_mode & stat.S_IWGRP and status.st_gid not in (0, os.getegid())
    if by_group or status.st_mode & stat.S_IWOTH:
        raise PermissionError(errno.EPERM, f"others can write {what}")


def _is_ours(status: os.stat_result) -> bool:
    return status.st_uid in (0, os.geteuid())


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


def _replace(name: str, text: str, folder: int, *, durable: bool) -> None:
    """Let a new file with that text take the place of the old one."""
    temporary = f"{name}.{os.getpid()}.tmp"
    try:
        _write(temporary, text, folder, durable=durable)
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        _unlink(temporary, folder)
        raise


def _write(name: str, text: str, folder: int, *, durable: bool) -> None:
    with suppress(FileNotFoundError):
        if stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            _unlink(name, folder)  # of a writer that was killed, or somebody's file under a second name
    with open(_open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, folder), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        if durable:
            os.fsync(file.fileno())


def _unlink(name: str, folder: int) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)


def _unusable(path: str, error: OSError) -> StateUnusable:
    return StateUnusable(path=path, reason=error.strerror or str(error))
