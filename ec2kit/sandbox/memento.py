"""The part of an EC2 that tests change (routes, addresses, interfaces, instances, tags) can be kept and put back."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

Fields = dict[str, Any]


class Memento:
    """The state of one EC2 at the moment when the memento is made."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self._containers = {name: copy.copy(getattr(backend, name)) for name in _CONTAINERS}
        self._tags = {name: dict(tags) for name, tags in backend.tags.items()}
        self._objects = [(each, _fields(each)) for each in _objects(backend)]

    def restore(self) -> None:
        """Put everything back, and forget what was made since."""
        for name, members in self._containers.items():
            setattr(self._backend, name, copy.copy(members))
        self._backend.tags.clear()
        self._backend.tags.update({name: dict(tags) for name, tags in self._tags.items()})
        for each, fields in self._objects:
            each.__dict__.clear()
            each.__dict__.update({name: _copied(value) for name, value in fields.items()})


_CONTAINERS = ("route_tables", "addresses", "enis", "reservations", "managed_prefix_lists")


def _objects(backend: Any) -> Iterable[Any]:
    for table in backend.route_tables.values():
        yield table
        yield from table.routes
    yield from backend.addresses
    yield from backend.enis.values()
    for reservation in backend.reservations.values():
        yield reservation
        for instance in reservation.instances:
            yield instance
            yield instance.instance_state  # moto changes it in place


def _fields(each: Any) -> Fields:
    return {name: _copied(value) for name, value in vars(each).items()}


def _copied(value: Any) -> Any:
    """Copy a list or a dictionary with its plain members; return any other object itself."""
    if type(value) is dict:
        return {key: _copied(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_copied(member) for member in value]
    return value
