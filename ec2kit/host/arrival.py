"""
Packets that still arrive for an address are noticed: the kernel compares their destination, and none is kept.

Source: packet(7); Documentation/networking/filter.rst of Linux, classic BPF.
"""

from __future__ import annotations

import ctypes
import ipaddress
import select
import socket
import struct
from collections.abc import Sequence
from contextlib import ExitStack, suppress

from ec2kit.deadline import Deadline
from ec2kit.errors import LocalCommandFailed

_SLICE = 0.25
"""Seconds between two looks at the clock: select does not count suspended time."""

_SO_ATTACH_FILTER = 26
_LOAD_WORD, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06

_PROTOCOLS = {4: (0x0800, 16), 6: (0x86DD, 24)}
"""Version of IP → the number of its protocol on a link, and where its header has the destination."""


def is_quiet(addresses: Sequence[str], device: str, seconds: float, deadline: Deadline) -> bool:
    """
    Wait until no packet to any of the addresses has arrived on a device for so many seconds.

    Returns:
        False: Packets still arrived when the deadline passed.

    Raises:
        LocalCommandFailed: Packets cannot be seen on that device.
    """
    with ExitStack() as opened:
        sockets = [opened.enter_context(_listening(each, device)) for each in addresses]
        quiet = deadline.within(seconds)
        while not quiet.passed:
            ready, _, _ = select.select(sockets, (), (), min(_SLICE, quiet.remaining()))
            arrived = [_has_arrived(each) for each in ready]  # of each: all are emptied
            if any(arrived):
                quiet = deadline.within(seconds)
        return quiet.seconds >= seconds


def _listening(address: str, device: str) -> socket.socket:
    """Return a socket that gets the packets to one address, and one byte of each."""
    target = ipaddress.ip_address(address)
    protocol, offset = _PROTOCOLS[target.version]
    try:
        made = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, socket.htons(protocol))
        try:
            code = _filter(target.packed, offset)
            made.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", len(code) // 8, _place(code)))
            made.bind((device, protocol))
            _empty(made)  # of what came before the filter
        except BaseException:
            made.close()
            raise
    except OSError as error:
        raise LocalCommandFailed(command=f"listen on {device}", reason=error.strerror or str(error)) from error
    return made


def _filter(destination: bytes, offset: int) -> ctypes.Array[ctypes.c_char]:
    """Return a program for the kernel: a packet with this destination passes, no other one."""
    words = struct.unpack(f"!{len(destination) // 4}I", destination)
    compared = [
        step
        for place, word in enumerate(words)
        for step in (
            (_LOAD_WORD, 0, 0, offset + 4 * place),
            (_IF_EQUAL, 0, 2 * (len(words) - place - 1) + 1, word),
        )
    ]
    steps = [*compared, (_RETURN, 0, 0, 1), (_RETURN, 0, 0, 0)]
    code = b"".join(struct.pack("HBBI", *each) for each in steps)
    return ctypes.create_string_buffer(code, len(code))


def _place(code: ctypes.Array[ctypes.c_char]) -> int:
    return ctypes.addressof(code)


def _empty(listening: socket.socket) -> None:
    with suppress(BlockingIOError):
        while True:
            listening.recv(1)


def _has_arrived(listening: socket.socket) -> bool:
    """Tell whether one of the waiting packets came from outside; all are taken."""
    came = False
    with suppress(BlockingIOError):
        while True:
            _, (_, _, kind, *_) = listening.recvfrom(1)
            came = came or kind != socket.PACKET_OUTGOING
    return came
