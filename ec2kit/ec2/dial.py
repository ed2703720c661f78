"""
A name becomes a connection here: addresses are looked up once per action and tried in parallel.

Source: RFC 8305, "Happy Eyeballs Version 2".
"""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import socket
import threading
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain, zip_longest

from ec2kit.deadline import Begun, Deadline

_NEXT_ADDRESS = 0.25
"""Seconds after which the next address is tried beside the others. Source: RFC 8305, Connection Attempt Delay."""

Address = tuple[int, tuple[object, ...]]
"""A family and what `connect` takes: (AF_INET, ("192.0.2.1", 443))."""

Place = tuple[str, int]
"""A name or an address, and a port: ("ec2.us-east-1.amazonaws.com", 443)."""


class Names:
    """
    Look up names for all attempts of an action: each name once at a time, and again only after no address connected.

    The resolver cannot be interrupted; a lookup that an attempt no longer waits for serves the next one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lookups: dict[Place, Begun[list[Address]]] = {}

    def addresses(self, place: Place, limit: Deadline, watch: Callable[[], None]) -> list[Address]:
        """
        Return the addresses of a name, the families in turn.

        Args:
            watch: Called while waiting; if it raises, the wait ends.

        Raises:
            Abandoned: The resolver did not answer in time.
            OSError: The resolver knows no address.
        """
        literal = _literal(place)
        if literal:
            return literal
        with self._lock:
            lookup = self._lookups.get(place)
            if lookup is None or (lookup.done and isinstance(lookup.outcome(), Exception)):
                lookup = self._lookups[place] = Begun(partial(_looked_up, place))
        return lookup.wait(limit, watch)

    def known(self, place: Place) -> tuple[str, ...]:
        """Return the addresses of a name that was looked up, without their ports; () of any other name."""
        with self._lock:
            lookup = self._lookups.get(place)
        found = lookup.outcome() if lookup is not None and lookup.done else []
        return tuple(str(where[0]) for _, where in (_literal(place) or (found if isinstance(found, list) else [])))

    def forget(self, place: Place) -> None:
        """Look the name up anew the next time."""
        with self._lock:
            self._lookups.pop(place, None)


def _literal(place: Place) -> list[Address]:
    """Return the address that the name is itself; empty: it is a name that the resolver has to know."""
    for family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError):
            socket.inet_pton(family, place[0])
            return [(family, place)]
    return []


def _looked_up(place: Place) -> list[Address]:
    found = socket.getaddrinfo(*place, type=socket.SOCK_STREAM)
    addresses: list[Address] = [(family, address) for family, _, _, _, address in found]
    first = [each for each in addresses if each[0] == addresses[0][0]]
    rest = [each for each in addresses if each[0] != addresses[0][0]]
    return [each for each in chain.from_iterable(zip_longest(first, rest)) if each is not None]


def connected(addresses: Sequence[Address], limit: Deadline, watch: Callable[[], None]) -> socket.socket:
    """
    Return a connection to the first address that accepts one.

    Args:
        watch: Called several times a second; if it raises, every connection is closed.

    Raises:
        OSError: No address accepts a connection; the error is that of the last address.
        TimeoutError: No address answered in time.
    """
    race = _Race(addresses)
    try:
        while not limit.passed:
            watch()
            winner = race.run(min(_NEXT_ADDRESS, limit.remaining()))
            if winner is not None:
                return winner
        raise TimeoutError
    finally:
        race.close()


class _Race:
    """Connect to several addresses at once, each a little later than the one before."""

    def __init__(self, addresses: Sequence[Address]) -> None:
        self._left = list(addresses)
        self._selector = selectors.DefaultSelector()
        self._error = OSError("no address")

    def run(self, seconds: float) -> socket.socket | None:
        """
        Start with the next address, and wait so long for any of those started.

        Raises:
            OSError: Every address has failed.
        """
        if self._left:
            self._start(*self._left.pop(0))
        if not self._selector.get_map() and not self._left:
            raise self._error
        for key, _ in self._selector.select(seconds if self._selector.get_map() else 0):
            winner = self._finished(key.fileobj)
            if winner is not None:
                return winner
        return None

    def _start(self, family: int, address: tuple[object, ...]) -> None:
        try:
            connection = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:  # this server has no such family
            self._error = error
            return
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        number = connection.connect_ex(address)
        if number in (0, errno.EINPROGRESS):
            self._selector.register(connection, selectors.EVENT_WRITE)
        else:
            self._failed(connection, number)

    def _finished(self, connection: object) -> socket.socket | None:
        """Return the connection if it stands; otherwise keep its error."""
        assert isinstance(connection, socket.socket)
        self._selector.unregister(connection)
        number = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number == 0:
            return connection
        self._failed(connection, number)
        return None

    def _failed(self, connection: socket.socket, number: int) -> None:
        connection.close()
        self._error = OSError(number, os.strerror(number))

    def close(self) -> None:
        """Close the connections that did not win."""
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        self._selector.close()
