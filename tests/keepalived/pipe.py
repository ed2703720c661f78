"""Keepalived's end of its notify pipe, and the kit's program at the other one."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

from ..actions.cluster import VIP_TAG, Cluster, Done, finished, go_on, stop


class Pipe:
    """A program that reads a pipe on one server, as keepalived starts it."""

    def __init__(self, cluster: Cluster, server: str, *words: str) -> None:
        self.cluster, self.server = cluster, server
        path = cluster.sandbox.folder / server / "notify"
        path.unlink(missing_ok=True)
        os.mkfifo(path)
        self._descriptor: int | None = os.open(path, os.O_RDWR)  # keepalived has it open before it starts the program
        words = words or (f"VI_1={VIP_TAG}",)
        self.process = cluster.start(server, "keepalived", "fifo", *words, str(path))

    def tell(self, *lines: str) -> None:
        """All at a time."""
        assert self._descriptor is not None
        os.write(self._descriptor, "".join(f"{line}\n" for line in lines).encode())

    def state(self, state: str, name: str = "VI_1") -> None:
        self.tell(f'INSTANCE "{name}" {state} 100')

    def stop(self) -> None:
        """Keepalived is stopped: SIGTERM, and STOP within milliseconds, however slow this machine is."""
        stop(self.process)
        self.process.send_signal(signal.SIGTERM)
        self.state("STOP")
        go_on(self.process)

    def close(self) -> Done:
        """Keepalived is gone; how the program ends. What it has read is what the tests have waited for."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        return finished(self.process)

    def end(self) -> None:
        """Nothing is left, however the test ended."""
        if self.process.poll() is None:
            with suppress(Exception):
                self.close()
