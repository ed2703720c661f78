"""The stored form of a definition is read here; the scenario reads the part that only its kind has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ec2kit.resource import Resource, Server, is_tag
from ec2kit.scenarios import table

_KINDS = {"priority": int, "revision": int}
"""The types of fields; all others are texts."""


def from_dict(stored: Mapping[str, Any]) -> Resource:
    """
    Read the stored form; fields of a later version are left out.

    Raises:
        ValueError: A field is missing, or has a wrong type or value.
    """
    try:
        servers = tuple(Server(**_fields(Server, each)) for each in stored["servers"])
        if stored["scenario"] not in table.names() or not servers:
            raise ValueError("it is not the definition of a resource")
        own = table.scenario(stored["scenario"]).own(stored)
        common = {name: value for name, value in stored.items() if name not in ("servers", "own")}
        resource = Resource(**_fields(Resource, common), servers=servers, own=own)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"field missing or wrong: {error}") from error
    if not is_tag(resource.tag):
        raise ValueError("it is not the definition of a resource")
    return resource


def _fields(kind: Any, stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the stored fields of a record; raises ValueError if one has a wrong type."""
    known = {name: value for name, value in stored.items() if name in kind._fields}
    for name, value in known.items():
        expected = _KINDS.get(name, str)
        if not isinstance(value, expected) or isinstance(value, bool):
            raise ValueError(f"{name} is not of type {expected.__name__}")
    return known
