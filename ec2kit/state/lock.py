"""A lock on a file dies with its holder."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from ec2kit.deadline import Deadline
from ec2kit.state.folder import make_folder, open_private, unusable


class Lock:
    """
    A lock on a file, held by an open file; it is gone when its holder is, however that ended.

    Source: flock(2).
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._descriptor: int | None = None

    def take(self) -> bool:
        """
        Take the lock if it is free, and tell whether it was; never wait.

        Raises:
            StateUnusable: The file cannot be made or opened.
        """
        try:
            make_folder(os.path.dirname(self.path))
            descriptor = open_private(self.path, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise unusable(self.path, error) from error
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
            raise unusable(self.path, error) from error

    def _is_current(self, descriptor: int) -> bool:
        """Tell whether the file is still the one at the path; `forget` may have removed it meanwhile."""
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self.path))
        except OSError:
            return False

    def wait(self, deadline: Deadline, doing: str, watch: Callable[[], None] = lambda: None) -> None:
        """
        Wait until the lock is free, and take it.

        Args:
            doing: The work that is waited for, for the error.
            watch: Called about four times a second while waiting, or more often; if it raises, the wait ends.

        Raises:
            DeadlinePassed: The holder did not let go in time.
        """
        pause = 0.01
        while not self.take():
            deadline.pause(pause, doing, watch)
            pause = min(pause * 1.5, 0.2)

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def discard(self) -> None:
        """Release the lock and remove its file; whoever waits for it makes the file anew."""
        with suppress(OSError):
            os.unlink(self.path)
        self.release()

    @property
    def is_held(self) -> bool:
        """
        Tell whether any process holds the lock now; leave no trace.

        Raises:
            StateUnusable: The file cannot be opened.
        """
        try:
            descriptor = open_private(self.path, os.O_RDONLY)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise unusable(self.path, error) from error
        free = self._lock(descriptor, fcntl.LOCK_SH)
        os.close(descriptor)
        return not free

    @contextmanager
    def held(self, deadline: Deadline, doing: str) -> Iterator[None]:
        """Hold the lock for the length of a block."""
        self.wait(deadline, doing)
        try:
            yield
        finally:
            self.release()


def flock(descriptor: int, how: int) -> bool:
    """
    Lock an open file if its lock is free, flock(2), and tell whether it was.

    Raises:
        OSError: Locks do not work on this file.
    """
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EINTR):
            return False
        raise
    return True
