"""
A program runs at a terminal of its own, and what it shows there is read meanwhile.

    with at_a_terminal(["actions/quickCheck", "-t", "x"], environment, columns=80) as terminal:
        terminal.shows("s left")
        assert terminal.end() == 0
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import time
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from .patience import HANGS


class Terminal:
    """
    Hold a program and all that it has shown.

    Attributes:
        shown: As written, with what moves the cursor.
    """

    def __init__(self, process: subprocess.Popen[bytes], master: int, slave: int) -> None:
        self.process = process
        self.shown = ""
        self._master, self._slave = master, slave
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        read = b""
        with suppress(OSError):  # the other end is closed
            while more := os.read(self._master, 10000):
                read += more
                self.shown = read.decode(errors="replace")

    def shows(self, text: str, *, within: float = HANGS) -> bool:
        """Wait until the text was shown; False: the program ended before, or it was not shown in time."""
        ends = time.monotonic() + within
        while text not in self.shown:
            if time.monotonic() > ends or self.process.poll() is not None:
                return text in self.shown
            time.sleep(0.02)
        return True

    def end(self, *, within: float = HANGS) -> int:
        """Wait for the end of the program, and return its status; all that it has shown was read then."""
        status = self.process.wait(timeout=within)
        termios.tcflow(self._slave, termios.TCOON)
        os.close(self._slave)
        self._slave = -1
        self._reader.join(timeout=HANGS)
        return status

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for each in (self._master, self._slave):
            with suppress(OSError):
                os.close(each)

    @property
    def drawn(self) -> list[str]:
        """Each line that was taken away again."""
        parts = re.findall(r"([^\r\n]*)(\r\n|\r)", self.shown.replace("\r\r\n", "\r\n"))
        return [text for text, end in parts if end == "\r" and text.strip()]

    @property
    def rows(self) -> list[str]:
        """What stands on an endless screen in the end, row by row; no line is too long for it."""
        return [_overwritten(each).rstrip() for each in re.split(r"\r?\n", self.shown)]


def _overwritten(line: str) -> str:
    """Return what stands there of texts that are written one over the other."""
    cells: list[str] = []
    for text in line.split("\r"):
        new = [cell for each in text for cell in ((each, "") if width(each) == 2 else (each,))]
        cells[: len(new)] = new
    return "".join(cells)


def width(text: str) -> int:
    """The columns that a text without combining characters takes."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


@contextmanager
def at_a_terminal(
    words: Sequence[str], environment: Mapping[str, str], *, columns: int = 200, is_stopped: bool = False
) -> Iterator[Terminal]:
    """
    Run a program with a terminal that controls it; it is killed at the end of the block.

    Args:
        is_stopped: The output is stopped before the program begins, as Ctrl-S does: whoever writes hangs.
    """
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    if is_stopped:
        termios.tcflow(slave, termios.TCOOFF)
    command = ["setsid", "--ctty", "--wait", *words]
    process = subprocess.Popen(command, env=dict(environment), cwd="/", stdin=slave, stdout=slave, stderr=slave)
    terminal = Terminal(process, master, slave)
    try:
        yield terminal
    finally:
        terminal.close()
