"""
Names as a process sees them that has a resolver of its own: right, slow, dead in part, or not to be resolved at all.

    with resolving({"ec2.sandbox.test": Name("127.0.0.1", seconds=2)}) as resolver:
        subprocess.run(resolver.command("actions/quickCheck", "-t", "ec2-vip1"), …)

The process runs in a mount namespace of its own, in which /etc/resolv.conf leads the C library to this resolver, by
UDP as everywhere. The network is the machine's own, so that the process reaches a sandbox. Only root may do that.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount and bind port 53")

NO_SUCH_NAME, SERVER_FAILED = 3, 2
"""What a resolver answers instead of addresses. Source: RFC 1035, 4.1.1, RCODE."""

_FAMILIES = {1: socket.AF_INET, 28: socket.AF_INET6}
"""The type of a question and its addresses. Source: RFC 1035, 3.2.2, A; RFC 3596, 2.1, AAAA."""

_CLASS = 1
_MOUNT = """
for name in resolv.conf nsswitch.conf; do mount --bind "$1/$name" "/etc/$name" || exit; done
shift
exec "$@"
"""


class Name:
    """
    Say what comes of one name.

    Args:
        addresses: IPv4 and IPv6 addresses; the C library may put them into another order (RFC 6724).
        seconds: How late the answer is; infinity: none comes.
        code: A code to answer instead.
        before: Called before each answer; the answer waits for it.
    """

    def __init__(
        self, *addresses: str, seconds: float = 0.0, code: int = 0, before: Callable[[], None] = lambda: None
    ) -> None:
        self.addresses = addresses
        self.seconds = seconds
        self.code = code
        self.before = before


@dataclass
class Resolver:
    """
    Answer on a loopback address of its own.

    Attributes:
        names: What is known, to be changed at any time; each other name does not exist.
        asked: The names of the questions so far, in their order; one name may be asked for IPv4 and for IPv6.
    """

    names: dict[str, Name]
    folder: Path
    asked: list[str] = field(default_factory=list)
    gone: threading.Event = field(default_factory=threading.Event)

    def command(self, *words: object) -> list[str]:
        """Return a command line that runs another one with this resolver."""
        unshare = shutil.which("unshare", path=f"{os.environ['PATH']}:/usr/sbin:/sbin") or "unshare"
        return [unshare, "-m", "sh", "-c", _MOUNT, "sh", str(self.folder), *map(str, words)]

    def serve(self, door: socket.socket) -> None:
        """Answer questions, each in a thread of its own, until the door is shut."""
        with contextlib.suppress(OSError):
            while True:
                question, client = door.recvfrom(4096)
                if not question:  # the door is shut
                    return
                threading.Thread(target=self._answer, args=(door, question, client), daemon=True).start()

    def _answer(self, door: socket.socket, question: bytes, client: tuple[str, int]) -> None:
        asked, kind, end = _read(question)
        self.asked.append(asked)
        name = self.names.get(asked, Name(code=NO_SUCH_NAME))
        seconds = None if name.seconds == float("inf") else name.seconds
        if not self.gone.wait(seconds):
            name.before()
            with contextlib.suppress(OSError):
                door.sendto(_written(question[:end], name, kind), client)


def _read(message: bytes) -> tuple[str, int, int]:
    """Return name and type of a question, and where it ends. Source: RFC 1035, 4.1.2."""
    labels, place = [], 12
    while length := message[place]:
        labels.append(message[place + 1 : place + 1 + length].decode("ascii").lower())
        place += 1 + length
    return ".".join(labels), struct.unpack_from("!H", message, place + 1)[0], place + 5


def _written(question: bytes, name: Name, kind: int) -> bytes:
    """Return an answer, in which each address refers to the name in the question. Source: RFC 1035, 4.1."""
    family = _FAMILIES.get(kind)
    asked_for = [each for each in name.addresses if (":" in each) == (family is socket.AF_INET6)]
    found = [socket.inet_pton(family, each) for each in asked_for] if family and not name.code else []
    head = question[:2] + struct.pack("!HHHHH", 0x8180 | name.code, 1, len(found), 0, 0)
    records = [struct.pack("!HHHIH", 0xC00C, kind, _CLASS, 0, len(each)) + each for each in found]
    return head + question[12:] + b"".join(records)


@contextlib.contextmanager
def resolving(names: Mapping[str, Name]) -> Iterator[Resolver]:
    """Serve names until the block ends; a process asks with the words of `command` before its own."""
    own = "127.1.{}.{}".format(*divmod(os.getpid() % 60_000 + 1, 256))  # one for each worker
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door,
    ):
        door.bind((own, 53))
        (Path(folder) / "resolv.conf").write_text(f"nameserver {own}\noptions timeout:30 attempts:5\n")
        (Path(folder) / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: dns\n")
        resolver = Resolver(dict(names), Path(folder))
        threading.Thread(target=resolver.serve, args=(door,), daemon=True).start()
        try:
            yield resolver
        finally:
            resolver.gone.set()
            with contextlib.suppress(OSError):
                door.shutdown(socket.SHUT_RDWR)  # wakes the thread, and is an error as well: nothing is connected


@contextlib.contextmanager
def black_hole(port: int, *, address: str = "127.0.0.2") -> Iterator[str]:
    """
    Let a loopback address neither take nor refuse connections to a port, as a host that is gone; yield the address.

    Linux drops requests to connect while the queue of a listener is full.
    """
    with contextlib.ExitStack() as stack:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = stack.enter_context(socket.socket(family))
        listener.bind((address, port))
        listener.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket(family))
            waiting.setblocking(False)
            waiting.connect_ex((address, port))
        yield address
