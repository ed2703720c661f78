"""The kit changes a framework's tree one place at a time, each completely or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ec2kit.errors import BadRequest, OwnTrouble
from ec2kit.messages import catalogue

NOTHING, FOLDER, SPECIAL = "", "folder", "special"
"""Contents of a place that is no file and no link."""

_FOLDER_MODE, _PRIVATE = 0o755, 0o700


@dataclass(frozen=True)
class Found:
    """
    The content of a place.

    Attributes:
        content: "sha256:…" of a file, "link:…" with its target, FOLDER, SPECIAL or NOTHING.
        mode: The permissions.
    """

    content: str = NOTHING
    mode: int = 0


def content_of(text: str) -> str:
    """Return the content of a file with that text, as `look` finds it."""
    return _digest(_encoded(text))


class Tree:
    """
    A tree is all below one folder; a place is a path below that folder, "lkadm/bin/x".

    Methods raise OwnTrouble, which names the path.

    Args:
        root: Absolute path of the folder.
        manifest: Place of the manifest.
    """

    def __init__(self, root: str, *, manifest: str) -> None:
        self.root = root
        self.manifest = manifest

    def path(self, place: str) -> str:
        """Return the path of a place."""
        return os.path.join(self.root, place)

    def backup_of(self, place: str) -> str:
        """Return the place of the backup of a place; all backups are in one flat folder beside the manifest."""
        return f"{os.path.splitext(self.manifest)[0]}.backup/{place.replace('/', ':')}"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """
        Keep other runs out during the block; the lock is on the folder itself and leaves nothing behind.

        Raises:
            BadRequest: There is no such folder, or another run holds the lock.
        """
        try:
            descriptor = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise BadRequest(catalogue.ROOT_UNUSABLE, root=self.root or "''", reason=error.strerror) from error
        try:
            self._lock(descriptor)
            yield
        finally:
            os.close(descriptor)

    def _lock(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BadRequest(catalogue.INSTALLATION_RUNS, root=self.root) from error
        except OSError as error:
            raise BadRequest(catalogue.ROOT_UNUSABLE, root=self.root, reason=error.strerror) from error

    # -- looking --

    def look(self, place: str) -> Found:
        """Return the content of a place; a link at the place is not followed, links in the folders above it are."""
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
        """Tell whether the place is a folder, or a link to a folder."""
        return os.path.isdir(self.path(place))

    def names(self, place: str) -> list[str]:
        """Return the names in a folder."""
        with self._at(place):
            return os.listdir(self.path(place))

    # -- changing --

    def put(self, place: str, text: str, mode: int, *, aside: str = "") -> None:
        """
        Put a file with that text at a place, and make the folders that it needs.

        Args:
            aside: Place to which the present content is moved; "": it is replaced.
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
        """Move a file to another place, and replace the content there."""
        with self._at(to):
            _make_folder(os.path.dirname(self.path(to)))
            os.rename(self.path(place), self.path(to))

    def remove(self, place: str) -> None:
        """Remove a file, or a folder with all its content."""
        unfinished = _unfinished(self.path(place))
        with self._at(place):
            os.rename(self.path(place), unfinished)
            _discard(unfinished)

    def remove_if_empty(self, place: str) -> None:
        """Remove a folder if it is empty; a missing folder is no error."""
        with self._at(place), suppress(FileNotFoundError, NotADirectoryError):
            if not os.listdir(self.path(place)):
                os.rmdir(self.path(place))

    def sweep(self, places: Iterable[str]) -> None:
        """Remove the unfinished files that a killed run left at these places."""
        for place in places:
            with self._at(place):
                _discard(_unfinished(self.path(place)))

    @contextmanager
    def _at(self, place: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OwnTrouble(
                catalogue.PLACE_UNUSABLE, path=self.path(place), reason=error.strerror or str(error)
            ) from error


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _unfinished(path: str) -> str:
    """
    Return the name under which a path is made or removed; the next run removes it after a run that was killed.

    The name begins with a dot, because Pacemaker takes every other executable in its folder for an agent.
    """
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name}.ec2kit.tmp")


def _first_missing(path: str) -> str:
    """Return the uppermost missing folder above a path; the path itself if no folder is missing."""
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
