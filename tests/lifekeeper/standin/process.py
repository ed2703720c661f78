"""What runs on a server for the core: started in the server's environment, and known, so that a power cut ends it."""

from __future__ import annotations

import os
import time

from .server import Server

TYPE_CHECKING = False
if TYPE_CHECKING:  # the module typing, and what it loads, would take as long as all that a command does
    from typing import IO, Any

_SIGKILL = 9

_BECOME_THE_SERVER = """
read -r _ || exit 127 # until it is known; else a power cut could miss it
. "$1" || exit 127
LKROOT=$2 PATH=$2/bin:$PATH
export LKROOT PATH
shift 2
cd / && exec "$@" </dev/null
"""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def start(server: Server, words: list[str], *, stdout: int | IO[Any] | None, stderr: int | IO[Any] | None) -> Any:
    """
    Start a command on a server; a Popen.

    [assumed] Scripts are children of LifeKeeper's daemons: they get the server's environment and nothing of who
    called perform_action, folder /, no input, and a session of their own. So they go on when whoever called is
    interrupted or killed, and only the end of the server ends them.
    """
    import subprocess

    environment = {"PATH": _PATH, **{name: text for name, text in os.environ.items() if name.startswith("COVERAGE_")}}
    words = ["sh", "-c", _BECOME_THE_SERVER, "sh", f"{server.folder}.env", server.root, *words]
    process = subprocess.Popen(
        words,
        env=environment,
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )
    _note(server, process.pid, "script")
    assert process.stdin is not None
    try:
        with process.stdin as gate:
            gate.write(b"\n")
    except BrokenPipeError:
        pass
    return process


def run(server: Server, words: list[str]) -> int:
    """Run a command on a server to its end, its output where this process's goes; a signal is status 128 + n."""
    process = start(server, words, stdout=None, stderr=None)
    return ended(server, process)


def ended(server: Server, process: Any, seconds: float | None = None) -> int:
    """Wait for the end; raises subprocess.TimeoutExpired, and the command goes on."""
    status = int(process.wait(seconds))
    forget(server, process.pid)
    return status if status >= 0 else 128 - status


def in_background(server: Server, name: str, *words: str) -> None:
    """Start one of the core's own commands there, and do not wait for it."""
    import subprocess
    import sys

    from . import __path__ as folders

    core = [sys.executable, "-I", "-S", os.path.join(folders[0], "__main__.py"), server.root, name, *words]
    with open(os.path.join(server.config, "background.log"), "ab") as output:
        process = subprocess.Popen(
            core, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", start_new_session=True
        )
    _note(server, process.pid, "background")


# -- who runs --


class Registered:
    """Let a process be known for the length of a block."""

    def __init__(self, server: Server, pid: int, kind: str) -> None:
        self._server, self._pid, self._kind = server, pid, kind

    def __enter__(self) -> None:
        _note(self._server, self._pid, self._kind)

    def __exit__(self, *_: object) -> None:
        forget(self._server, self._pid)


def _note(server: Server, pid: int, kind: str) -> None:
    started = _started(pid)
    if started:
        with open(os.path.join(_folder(server), str(pid)), "w", encoding="ascii") as file:
            file.write(f"{started} {kind}")


def forget(server: Server, pid: int) -> None:
    try:  # noqa: SIM105  # contextlib would have to be loaded
        os.unlink(os.path.join(_folder(server), str(pid)))
    except FileNotFoundError:
        pass


def _folder(server: Server) -> str:
    return os.path.join(server.config, "running")


def _started(pid: int) -> str:
    """When a process began, so that its number is not taken for a later one's; "" if it has ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def running(server: Server, *kinds: str) -> list[int]:
    """The processes of these kinds that have not ended: "command", "script", "background"."""
    found = []
    for name in os.listdir(_folder(server)):
        try:
            with open(os.path.join(_folder(server), name), encoding="ascii") as file:
                started, kind = file.read().split()
        except (FileNotFoundError, ValueError):
            continue
        if kind in kinds and _started(int(name)) == started:
            found.append(int(name))
    return found


def kill_all(server: Server, *, spare: int = 0) -> None:
    """End what runs on a server, scripts with all that they started in their session."""
    while killed := [pid for pid in running(server, "command", "background", "script") if pid != spare]:
        for pid in killed:
            _kill(pid)
            forget(server, pid)
        time.sleep(0.01)  # one of them may just have started another one


def _kill(pid: int) -> None:
    try:
        if os.getpgid(pid) == pid:
            os.killpg(pid, _SIGKILL)
        else:
            os.kill(pid, _SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
