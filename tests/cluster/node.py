"""One node of the lab's cluster: a machine that can be switched, paused, cut off and asked."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from ..debian.root import Root
from ..patience import HANGS
from .network import Network

INIT = Path(__file__).parent / "node-init.sh"
NETWORKD = "setsid /lib/systemd/systemd-networkd </dev/null >>/var/log/pacemaker/networkd.log 2>&1"
SECONDARY_IP = "10.0.1.50"
"""The address of the nodes' subnet that moves between them."""

_CLEAN = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C"}


def until(condition: Callable[[], object], *, within: float = HANGS, what: str) -> None:
    """Wait until a condition of other processes holds."""
    ends = time.monotonic() + within
    while not condition():
        assert time.monotonic() < ends, f"it did not come to that within {within:g} s: {what}"
        time.sleep(0.2)


class Node:
    """
    A node; it is off at first.

    Args:
        root: What it boots from, with INIT in it; None: this machine's own root.
    """

    def __init__(self, name: str, network: Network, lab: Path, root: Root | None = None) -> None:
        self.name = name
        self.log = lab / "log" / name
        self._network = network
        self._lab = lab
        self._root = root
        self._machine: subprocess.Popen[bytes] | None = None

    @property
    def is_on(self) -> bool:
        return self._machine is not None and self._machine.poll() is None

    def switch_on(self) -> None:
        """Boot; a node that is on stays as it is."""
        if self.is_on:
            return
        namespace = self._network.namespace(self.name)
        enter, init = ["ip", "netns", "exec", namespace], [str(INIT)]
        if self._root is not None:
            enter = self._root.entered(namespace)
            init = ["chroot", str(self._root.path), "bash", "/usr/local/sbin/lab-init"]
        namespaces = ["--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child"]
        command = [*enter, "unshare", *namespaces, *init, self.name, str(self._lab)]
        with (self.log / "init.out").open("ab") as out:
            self._machine = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=_CLEAN, cwd="/"
            )
        (self._lab / "on" / self.name).touch()

    def switch_off(self) -> None:
        """Power loss: everything in the node is gone at once."""
        if self._machine is None:
            return
        (self._lab / "on" / self.name).unlink(missing_ok=True)
        first = self._first
        if first is not None:
            os.kill(first, signal.SIGKILL)  # and with it, by the kernel, all in its process namespace
        self._machine.kill()
        self._machine.wait()
        for each in ("10.1.0.0/16", f"{SECONDARY_IP}/32"):
            self._network.forget_addresses(self.name, each)

    @property
    def _first(self) -> int | None:
        """The node's first process, by its number on this machine."""
        machine = self._machine
        if machine is None or machine.poll() is not None:
            return None
        children = Path(f"/proc/{machine.pid}/task/{machine.pid}/children").read_text().split()
        return int(children[0]) if children else None

    def pause(self) -> None:
        """Stop it as a hypervisor stops a machine: all its processes, and a kernel that answers nobody."""
        self._network.cut(self.name)
        self._signal_all(signal.SIGSTOP)

    def go_on(self) -> None:
        self._network.mend(self.name)
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, signal_number: int) -> None:
        done: set[str] = set()
        while more := self._processes() - done:  # what was forked meanwhile
            for pid in more:
                try:
                    os.kill(int(pid), signal_number)
                except ProcessLookupError:
                    continue
            done |= more

    def _processes(self) -> set[str]:
        command = ["ip", "netns", "pids", self._network.namespace(self.name)]
        return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())

    def run(self, *words: str, check: bool = True) -> str:
        """What a command prints on this node."""
        command = ["nsenter", "-t", str(self._first), "-m", "-n", "-u", "-i", "-p", "-r", *words]
        done = subprocess.run(command, capture_output=True, text=True, env=_CLEAN, timeout=180, check=False, cwd="/")
        assert done.returncode == 0 or not check, f"{self.name}: {' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    def restart_networkd(self) -> None:
        """As its unit does; in the end eth0 is configured again."""
        words = f"kill -USR2 $(pidof systemd-networkd); while pidof systemd-networkd; do sleep 0.05; done; {NETWORKD}"
        self.run("bash", "-c", f"{words} & until networkctl status eth0 | grep -q '(configured)'; do sleep 0.1; done")

    def has(self, address: str) -> bool:
        """Whether the address is on its interface; seen from outside, so a paused node tells, too."""
        command = ["ip", "-n", self._network.namespace(self.name), "-o", "addr", "show", "to", address]
        return bool(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())

    def ec2kit_log(self) -> str:
        path = self.log / "ec2kit.log"
        return path.read_text() if path.exists() else ""
