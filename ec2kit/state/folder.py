"""
The kit opens no file in its folders that a user other than root and this one could have put there.

Files are 0600 and folders 0700. A folder that others can write, and a file with a second name, are not used.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ec2kit.errors import StateUnusable


def make_folder(path: str) -> None:
    """Make a folder of this user, 0700, with its parents; one that is there is left as it is."""
    if path and not os.path.isdir(path):
        make_folder(os.path.dirname(path))
        with suppress(FileExistsError):
            os.mkdir(path, 0o700)


def open_private(path: str, flags: int) -> int:
    """
    Open a file of this user, 0600 if it is made, in a folder that no other user can write.

    Raises:
        OSError: The file or its folder cannot be opened, or is not safe.
    """
    with folder_of(path) as (folder, name):
        return open_in(folder, name, flags)


@contextmanager
def folder_of(path: str) -> Iterator[tuple[int, str]]:
    """
    Open the folder of a file, and yield it with the file's name in it.

    Raises:
        OSError: The folder cannot be opened, or others can write it.
    """
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


def open_in(folder: int, name: str, flags: int) -> int:
    """
    Open a regular file of this user without a second name, by which others may know it; never wait for a pipe.

    Raises:
        OSError: The file cannot be opened, or is not safe.
    """
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


def unusable(path: str, error: OSError) -> StateUnusable:
    """Return the error for a place that the system refuses."""
    return StateUnusable(path=path, reason=error.strerror or str(error))
