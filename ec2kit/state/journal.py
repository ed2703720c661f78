"""
The journal has one line for each decision and change on this server: append-only, rotated, and never in the way.

A line begins behind a new line of its own, so that one that was cut by a crash or a full disk hides no other.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from ec2kit.messages.masking import masked, printable
from ec2kit.state.boot import boot_id
from ec2kit.state.folder import make_folder, open_private
from ec2kit.state.lock import flock

VERSION = 1

_SHARE = 4
"""
A record may take this part of a file at most; a larger one is kept without its situation.

One that is larger than a file even so is left out.
"""


class Journal:
    """
    The journal of one server.

    Args:
        folder: EC2KIT_STATE_DIR.
        largest: Bytes that the journal may take in all; half of it is the present file, half the one before.
    """

    def __init__(self, folder: str, largest: int) -> None:
        self.path = os.path.join(folder, "journal", "history.jsonl")
        self._half = largest // 2

    def append(self, content: Mapping[str, Any]) -> None:
        """
        Add one record, without secrets; with an id, the time and the boot.

        Raises:
            OSError: It cannot be written, or only a part of it was.
        """
        line = _line(content)
        if len(line) > self._half // _SHARE:
            line = _line({**content, "situation": None, "without": f"its {len(line)} bytes are too many"})
        if len(line) > self._half:
            return
        make_folder(os.path.dirname(self.path))
        descriptor = open_private(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            if os.fstat(descriptor).st_size + len(line) > self._half and self._rotated(descriptor):
                os.close(descriptor)
                descriptor = open_private(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(descriptor, line)  # at once: two processes never write into each other's line
        finally:
            os.close(descriptor)

    def _rotated(self, descriptor: int) -> bool:
        """Put the file aside, unless another process is just doing it; what it still writes lands in the old file."""
        import fcntl

        with suppress(OSError):
            if flock(descriptor, fcntl.LOCK_EX) and os.path.samestat(os.fstat(descriptor), os.stat(self.path)):
                os.replace(self.path, f"{self.path}.1")
                return True
        return False

    def records(self) -> Iterator[dict[str, Any]]:
        """
        Yield the records, the oldest first; a line that was cut is left out.

        Raises:
            OSError: A file is there and cannot be read.
        """
        for path in (f"{self.path}.1", self.path):
            try:
                with open(open_private(path, os.O_RDONLY), encoding="utf-8", errors="replace") as file:
                    yield from filter(None, map(_read, file))
            except FileNotFoundError:
                continue


def _line(content: Mapping[str, Any]) -> bytes:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    uptime = round(time.clock_gettime(time.CLOCK_BOOTTIME), 3)
    head = {"version": VERSION, "id": os.urandom(4).hex(), "at": at, "boot": boot_id(), "uptime": uptime}
    return f"\n{json.dumps({**head, **_without_secrets(content)}, separators=(',', ':'))}\n".encode()


def _without_secrets(value: Any) -> Any:
    if isinstance(value, str):
        return "\n".join(masked(printable(line)) for line in value.split("\n"))
    if isinstance(value, Mapping):
        return {str(name): _without_secrets(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(each) for each in value]
    return value


def _read(line: str) -> dict[str, Any] | None:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) and content.get("version") == VERSION else None
