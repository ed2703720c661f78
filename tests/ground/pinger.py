"""
Asks by ICMP echo: `python pinger.py SOURCE ADDRESS INTERVAL`.

Prints for each answer the number of the question, when that was asked, and when the answer came, in seconds.
"""

from __future__ import annotations

import select
import socket
import struct
import sys
import time

ECHO, REPLY, _IDENTIFIER = 8, 0, 0xEC2


def _sum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def _request(number: int) -> bytes:
    head = struct.pack("!BBHHH", ECHO, 0, 0, _IDENTIFIER, number)
    return struct.pack("!BBHHH", ECHO, 0, _sum(head), _IDENTIFIER, number)


def ping(source: str, address: str, interval: float) -> None:
    """Ask, and print the moment of each answer that comes from the address itself."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        raw.bind((source, 0))
        number, due, asked = 0, time.monotonic(), dict[int, float]()
        while True:
            if time.monotonic() >= due:
                number, due = (number + 1) & 0xFFFF, due + interval
                asked[number] = time.monotonic()
                try:
                    raw.sendto(_request(number), (address, 0))
                except OSError:
                    continue
            if select.select([raw], [], [], max(0.0, due - time.monotonic()))[0]:
                data, (sender, _) = raw.recvfrom(200)
                kind, _, _, identifier, answered = struct.unpack("!BBHHH", data[20:28])
                if (sender, kind, identifier) == (address, REPLY, _IDENTIFIER):
                    print(f"{answered} {asked[answered]:.4f} {time.monotonic():.4f}", flush=True)


if __name__ == "__main__":
    ping(sys.argv[1], sys.argv[2], float(sys.argv[3]))
