"""sys_list sys_getst lcdremexec lcdsync lcdstatus: the servers of the cluster."""

from __future__ import annotations

import os
import sys
import time

from . import process
from .failure import UNREACHABLE, Failed
from .options import Options
from .server import Server

TYPE_CHECKING = False
if TYPE_CHECKING:  # the module typing, and what it loads, would take as long as all that a command does
    from typing import IO, Any

_REMOTE_SECONDS = "900"
"""REMOTETIMEOUT. [confirmed parameters list]"""


def sys_list(server: Server, words: list[str]) -> int:
    """[assumed] One name a line, this server's too."""
    options = Options(words, "d:")
    print(*server.destination(options.get("d")).systems(), sep="\n")
    return 0


def sys_getst(server: Server, words: list[str]) -> int:
    """[confirmed LCDI-systems] The flags; [assumed] it prints ALIVE or DEAD, the words of the status display."""
    options = Options(words, "d:s:", needed="s")
    system = server.destination(options.get("d"))
    print("ALIVE" if system.reaches(system.peer(options["s"])) else "DEAD")
    return 0


def lcdsync(server: Server, words: list[str]) -> int:
    """Here nothing is left to write to disk."""
    options = Options(words, "d:")
    server.destination(options.get("d"))
    return 0


def lcdstatus(server: Server, words: list[str]) -> int:
    """[confirmed genapp, status display] What it tells about a resource; the exact layout is [assumed]."""
    options = Options(words, "d:r:qeu")
    system = server.destination(options.get("d"))
    content = system.database.read()
    for each in content.instances:
        if "q" in options or "e" in options:
            print(system.name, each["tag"], each["id"], each["state"])
        else:
            print(f"{each['tag']}: id={each['id']} app={each['app']} type={each['type']} state={each['state']}")
            print(
                f"        initialize=({each['init']})\n        info={each['info']}\n        reason={each['reason']}"
            )
    return 0


def lcdremexec(server: Server, words: list[str]) -> int:
    """
    Run a command on a server. [confirmed LCD] Remotely: its exit status; stdout and stderr both on stdout, or with -e
    first stdout, then stderr on stderr. Locally: the words as one line for `ksh -c`, here sh, output unchanged.
    [inferred] The remote shell gets the words as one line, too. [assumed] Who cannot be reached, or says nothing in
    time, is status 9, and what was begun there goes on.
    """
    options = Options(words, "ed:t:", needed="d", more=True)
    line = " ".join(options.rest)
    if options["d"] == server.name:
        process.forget(server, os.getpid())
        os.execvp("sh", ["sh", "-c", line])
    seconds = float(options.get("t", _REMOTE_SECONDS))
    system = server.destination(options["d"])
    if system.is_silent:
        time.sleep(seconds)
        raise Failed(UNREACHABLE, f'system "{system.name}" did not answer within {seconds:g} s')
    return _run_there(system, line, seconds, apart="e" in options)


def _run_there(system: Server, line: str, seconds: float, *, apart: bool) -> int:
    import subprocess

    with _memory() as stdout, _memory() as stderr:
        errors: Any = stderr if apart else subprocess.STDOUT
        begun = process.start(system, ["sh", "-c", line], stdout=stdout, stderr=errors)
        try:
            status = process.ended(system, begun, seconds)
        except subprocess.TimeoutExpired as error:
            raise Failed(UNREACHABLE, f'system "{system.name}" did not answer within {seconds:g} s') from error
        if system.is_off:
            raise Failed(UNREACHABLE, f'system "{system.name}" went away')
        _pour(stdout, sys.stdout.buffer)
        _pour(stderr, sys.stderr.buffer)
    return status


def _memory() -> IO[bytes]:
    return open(os.memfd_create("output"), "w+b")


def _pour(source: IO[bytes], target: IO[bytes]) -> None:
    source.seek(0)
    target.write(source.read())
    target.flush()
