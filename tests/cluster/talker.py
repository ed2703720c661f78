"""
Holds a TCP connection to an echo service and asks over it: `python talker.py ADDRESS INTERVAL`.

Prints when each answer came, in seconds of the epoch. Without one for `PATIENCE` it connects anew, as clients do
whose time-outs are short.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import time

ECHO = 7
PATIENCE = 0.2
"""Seconds without an answer, or without a connection."""


def talk(address: str, interval: float) -> None:
    """Ask over one connection, until it is of no use any more."""
    with socket.create_connection((address, ECHO), timeout=PATIENCE) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            connection.sendall(b"?")
            if not connection.recv(1):
                return
            print(f"{time.time():.6f}", flush=True)
            time.sleep(interval)


if __name__ == "__main__":
    while True:
        with contextlib.suppress(OSError):
            talk(sys.argv[1], float(sys.argv[2]))
        time.sleep(float(sys.argv[2]))
