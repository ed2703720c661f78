"""A framework's tree as the kit touches it: one place at a time, each whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ec2kit.errors import InstallationRuns, PlaceUnusable, RootUnusable

NOTHING, FOLDER, SPECIAL = "", "folder", "special"
"""What can stand at a place beside files and links."""

_FOLDER_MODE, _PRIVATE = 0o755, 0o700


@dataclass(frozen=True)
class Found:
    """
    What stands at a place.

    Attributes:
        content: "sha256:…" of a file, "link:…" with its target, FOLDER, SPECIAL or NOTHING.
        mode: Its permissions.
    """

    content: str = NOTHING
    mode: int = 0


def content_of(text: str) -> str:
    """The content of a file with that text, as `look` finds it."""
    return _digest(_encoded(text))


class Tree:
    """
    All below one folder; a place is a path below it, "lkadm/bin/x".

    Methods raise PlaceUnusable, which names the path.

    Args:
        root: Absolute.
        manifest: Place of the list of what is ours.
    """

    def __init__(self, root: str, *, manifest: str) -> None:
        self.root = root
        self.manifest = manifest

    def path(self, place: str) -> str:
        """Where the place is."""
        return os.path.join(self.root, place)

    def backup_of(self, place: str) -> str:
        """Where that is kept which stood at a place; one flat folder beside the manifest has all."""
        return f"{os.path.splitext(self.manifest)[0]}.backup/{place.replace('/', ':')}"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """
        Keep other runs out for the length of a block; the lock is on the folder itself and leaves nothing behind.

        Raises:
            RootUnusable: There is no such folder.
            InstallationRuns: Another run has it.
        """
        try:
            descriptor = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise RootUnusable(root=self.root or "''", reason=error.strerror) from error
        try:
            self._lock(descriptor)
            yield
        finally:
            os.close(descriptor)

    def _lock(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InstallationRuns(root=self.root) from error
        except OSError as error:
            raise RootUnusable(root=self.root, reason=error.strerror) from error

    # -- looking --

    def look(self, place: str) -> Found:
        """What stands there; a symbolic link is never followed, its folder may be one."""
        with self._at(place):
            try:
                status = os.lstat(self.path(place))
            except (FileNotFoundError, NotADirectoryError):
                return Found()
            return Found(self._content(place, status), stat.S_IMODE(status.st_mode))

    def _content(self, place: str, status: os.stat_result) -> str:
        if stat.S_ISLNK(status.st_mode):
            return f"link:{os.readlink(self.path(place))}"
        if stat.S_ISDIR(status.st_mode):
            return FOLDER
        if not stat.S_ISREG(status.st_mode):
            return SPECIAL
        with open(self.path(place), "rb") as file:
            return _digest(file.read())

    def has_folder(self, place: str) -> bool:
        """Whether a folder is there, or a link to one."""
        return os.path.isdir(self.path(place))

    def names(self, place: str) -> list[str]:
        """What is in a folder."""
        with self._at(place):
            return os.listdir(self.path(place))

    # -- changing --

    def put(self, place: str, text: str, mode: int, *, aside: str = "") -> None:
        """
        Let a file with that text be there, together with the folders that it needs.

        Args:
            aside: Place that what stands there now is moved to.
        """
        path = self.path(place)
        top = _first_missing(path)
        with self._at(place), _made_at(_unfinished(top)) as unfinished:
            _write(unfinished + path[len(top) :], text, mode)
            if aside:
                self._make_private_folder(os.path.dirname(aside))
                os.rename(path, self.path(aside))
            os.rename(unfinished, top)
            _sync(os.path.dirname(top))

    def _make_private_folder(self, place: str) -> None:
        with suppress(FileExistsError):
            os.mkdir(self.path(place), _PRIVATE)

    def move(self, place: str, *, to: str) -> None:
        """Let it stand in another place instead of what is there."""
        with self._at(to):
            _make_folder(os.path.dirname(self.path(to)))
            os.rename(self.path(place), self.path(to))

    def remove(self, place: str) -> None:
        """Let nothing be there any more, neither file nor folder, nor anything in it."""
        unfinished = _unfinished(self.path(place))
        with self._at(place):
            os.rename(self.path(place), unfinished)
            _discard(unfinished)

    def remove_if_empty(self, place: str) -> None:
        """Remove a folder, unless something is in it; one that is not there is no error."""
        with self._at(place), suppress(FileNotFoundError, NotADirectoryError):
            if not os.listdir(self.path(place)):
                os.rmdir(self.path(place))

    def sweep(self, places: Iterable[str]) -> None:
        """Remove what a run left unfinished at these places that was killed."""
        for place in places:
            with self._at(place):
                _discard(_unfinished(self.path(place)))

    @contextmanager
    def _at(self, place: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise PlaceUnusable(path=self.path(place), reason=error.strerror or str(error)) from error


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _unfinished(path: str) -> str:
    """
    Where a path is being made or removed; a run that is killed may leave something there, the next one removes it.

    The name begins with a dot: to Pacemaker every other file in its folder that can be run is an agent.
    """
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name}.ec2kit.tmp")


def _first_missing(path: str) -> str:
    """The uppermost of the folders above a path that is not there; the path itself if all are."""
    while not os.path.isdir(os.path.dirname(path)):
        path = os.path.dirname(path)
    return path


@contextmanager
def _made_at(path: str) -> Iterator[str]:
    try:
        yield path
    except BaseException:
        with suppress(OSError):
            _discard(path)
        raise


def _write(path: str, text: str, mode: int) -> None:
    _make_folder(os.path.dirname(path))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(_encoded(text))
        os.fchmod(descriptor, mode)
        file.flush()
        os.fsync(descriptor)


def _make_folder(path: str) -> None:
    if not os.path.isdir(path):
        _make_folder(os.path.dirname(path))
        os.mkdir(path, _PRIVATE)
        os.chmod(path, _FOLDER_MODE)


def _discard(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        with suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(path)


def _sync(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
