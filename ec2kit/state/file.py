"""A small file is durable: one JSON object, atomic, 0600, versioned."""

from __future__ import annotations

import json
import os
import re
import stat
from contextlib import suppress
from typing import Any

from ec2kit.errors import StateUnusable
from ec2kit.state.folder import folder_of, make_folder, open_in, open_private, unusable

VERSION = 1
_PRIVATE = 0o600

_LARGEST = 1_000_000
"""Characters of a file: one that is larger is neither read nor written."""

_TEMPORARY = re.compile(r"\.([0-9]+)\.tmp$")

Content = dict[str, Any]


class Damaged(Exception):
    """The file is there and is not what was written: cut, edited, or of a later version."""


class StateFile:
    """
    One JSON object in one file, which is whole or not there.

    Args:
        path: Absolute; its folder is made, 0700, at the first write.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def read(self) -> Content | None:
        """
        Return the content, None if there is no such file.

        Raises:
            Damaged: The content is not what `write` wrote.
            StateUnusable: The file cannot be read.
        """
        try:
            with open(open_private(self.path, os.O_RDONLY), encoding="utf-8") as file:
                text = file.read(_LARGEST + 1)
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise Damaged("it is not text") from error
        except OSError as error:
            raise unusable(self.path, error) from error
        return _parse(text)

    def write(self, content: Content, *, durable: bool = True) -> None:
        """
        Replace the content: after a crash at any moment the old one or the new one is there.

        Args:
            durable: False: this holds for a crash of this process only, not for one of the machine.

        Raises:
            StateUnusable: The new content cannot be written, or would be too large to be read; the old one is still
                there.
        """
        text = json.dumps({"version": VERSION, **content}, sort_keys=True, indent=1) + "\n"
        if len(text) > _LARGEST:
            raise StateUnusable(path=self.path, reason=f"its {len(text)} characters would be more than {_LARGEST}")
        write_text(self.path, text, durable=durable)

    def remove(self) -> None:
        """
        Remove the file, if it is there.

        Raises:
            StateUnusable: It is there and cannot be removed.
        """
        try:
            with suppress(FileNotFoundError), folder_of(self.path) as (folder, name):
                _unlink(name, folder)
                os.fsync(folder)
        except OSError as error:
            raise unusable(self.path, error) from error


def write_text(path: str, text: str, *, durable: bool = True, mode: int = _PRIVATE) -> None:
    """
    Replace the text of a file: after a crash at any moment the old one or the new one is there.

    Args:
        durable: False: this holds for a crash of this process only, not for one of the machine.
        mode: The permissions of the file.

    Raises:
        StateUnusable: The new text cannot be written; the old one is still there.
    """
    try:
        make_folder(os.path.dirname(path))
        with folder_of(path) as (folder, name):
            _replace(name, text, folder, durable=durable, mode=mode)
            if durable:
                os.fsync(folder)
        if durable:
            sweep(os.path.dirname(path))
    except OSError as error:
        raise unusable(path, error) from error


def sweep(folder: str) -> None:
    """Remove the leftovers of writers that were killed in the middle; the files themselves are whole."""
    with suppress(OSError):
        for name in os.listdir(folder):
            writer = _TEMPORARY.search(name)
            if writer and not os.path.exists(f"/proc/{writer[1]}"):
                os.unlink(os.path.join(folder, name))


def _parse(text: str) -> Content:
    if len(text) > _LARGEST:
        raise Damaged(f"it has more than {_LARGEST} characters")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Damaged("it is not JSON; was it cut?") from error
    if not isinstance(content, dict):
        raise Damaged("it is not a JSON object")
    if content.get("version") != VERSION:
        raise Damaged(f"its version is {content.get('version')!r}, not {VERSION}")
    return content


def _replace(name: str, text: str, folder: int, *, durable: bool, mode: int) -> None:
    """Replace the file by a new one with this text."""
    temporary = f"{name}.{os.getpid()}.tmp"
    try:
        _write(temporary, text, folder, durable=durable, mode=mode)
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        _unlink(temporary, folder)
        raise


def _write(name: str, text: str, folder: int, *, durable: bool, mode: int) -> None:
    with suppress(FileNotFoundError):
        if stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            _unlink(name, folder)  # of a writer that was killed, or another's file under a second name
    with open(open_in(folder, name, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        if mode != _PRIVATE:
            os.fchmod(file.fileno(), mode)
        if durable:
            os.fsync(file.fileno())


def _unlink(name: str, folder: int) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
