"""Packets that arrive for an address are noticed by the kernel, those for other addresses are not; on loopback."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ec2kit.deadline import Deadline
from ec2kit.errors import LocalCommandFailed
from ec2kit.host.arrival import is_quiet

from ..patience import HANGS

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may open a packet socket")

MINE, OTHER = "127.0.0.9", "127.0.0.8"


@contextmanager
def sending(address: str, *, packets: int = 1_000_000) -> Iterator[list[float]]:
    """Packets are sent to an address within the block; gives when each was."""
    sent: list[float] = []
    over, begun = threading.Event(), threading.Event()

    def send() -> None:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as out:
            while len(sent) < packets and not over.wait(0.005):
                out.sendto(b"x", (address, 9))
                sent.append(time.monotonic())
                begun.set()

    thread = threading.Thread(target=send)
    thread.start()
    begun.wait()
    try:
        yield sent
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("address", [pytest.param(MINE, id="IPv4"), pytest.param("::1", id="IPv6")])
def test_quiet_begins_with_the_last_packet(address: str) -> None:
    """The wait goes on as long as packets come, and then for as long as was asked."""
    with sending(address, packets=60) as sent:
        assert is_quiet([OTHER, address], "lo", 2, Deadline(HANGS))
        assert time.monotonic() - sent[-1] >= 2


def test_packets_that_go_on_are_told_when_the_deadline_has_passed() -> None:
    """There is no quiet then."""
    with sending(MINE):
        assert not is_quiet([MINE], "lo", 3, Deadline(4))


def test_packets_to_other_addresses_do_not_count() -> None:
    """The servers have addresses of their own on the same device."""
    with sending(OTHER):
        assert is_quiet([MINE], "lo", 0.5, Deadline(HANGS))


def test_device_that_is_not_there_is_named() -> None:
    """Nothing is known then."""
    with pytest.raises(LocalCommandFailed, match="listen on nosuch0"):
        is_quiet([MINE], "nosuch0", 0.5, Deadline(1))
