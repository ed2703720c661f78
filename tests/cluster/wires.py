"""
Wires from namespaces to this machine: `python wires.py NAMESPACE,ADDRESS:PORT,PORT …`, until standard input ends.

What connects to the address inside the namespace talks to the last port of this machine.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import sys
import threading

_CLONE_NEWNET = 0x40000000


def lay(namespace: str, address: tuple[str, int], port: int) -> None:
    """One wire; the thread never comes back from the namespace, but what it has accepted is served outside."""
    threading.Thread(target=_accept, args=(_listening(namespace, address), port), daemon=True).start()


def _listening(namespace: str, address: tuple[str, int]) -> socket.socket:
    """
    A socket that listens inside a network namespace.

    Source: setns(2), which moves one thread.
    """
    made: list[socket.socket] = []

    def enter() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        with open(f"/run/netns/{namespace}", "rb") as file:
            if libc.setns(file.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        made.append(socket.create_server(address, backlog=100))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    return made[0]


def _accept(server: socket.socket, port: int) -> None:
    while True:
        client, _ = server.accept()
        try:
            upstream = socket.create_connection(("127.0.0.1", port))
        except OSError:
            client.close()
            continue
        for each in (client, upstream):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for source, sink in ((client, upstream), (upstream, client)):
            threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Hand bytes over until somebody hangs up, and then hang up on both sides."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for each in (source, sink):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


if __name__ == "__main__":
    for wire in sys.argv[1:]:
        where, inside, outside = wire.split(",")
        host, _, number = inside.partition(":")
        lay(where, (host, int(number)), int(outside))
    print("ready", flush=True)
    sys.stdin.read()
    os._exit(0)
