"""
EC2's answers are written as XML along the shapes of the service model.

moto's own writer does the same for its objects, but takes 200 ms for 233 route tables; this one takes 20 ms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from botocore.model import ListShape, OperationModel, StructureShape

_NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"


def document(operation: OperationModel, result: Mapping[str, Any], *, request_id: str) -> bytes:
    """
    Return the document of one operation; members of `result` that the operation does not know are left out.

    Args:
        result: The answer's members by the API's names.

    Source: EC2 API, "Query API responses"; the service model names the elements.
    """
    shape = operation.output_shape
    inner = _text(shape, result) if shape else "<return>true</return>"
    name = f"{operation.name}Response"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<{name} xmlns="{_NAMESPACE}"><requestId>{request_id}</requestId>{inner}</{name}>'
    ).encode()


def _text(shape: Any, value: Any) -> str:
    if isinstance(shape, StructureShape):
        return "".join(_elements(shape, value))
    if isinstance(shape, ListShape):
        return "".join(f"<item>{_text(shape.member, each)}</item>" for each in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return escape(str(value))


def _elements(shape: StructureShape, value: Mapping[str, Any]) -> Iterator[str]:
    for name, element, member in _members(shape):
        if value.get(name) is not None:
            yield f"<{element}>{_text(member, value[name])}</{element}>"


@cache
def _members(shape: StructureShape) -> list[tuple[str, str, Any]]:
    """Return name, element and shape of each member."""
    return [(name, member.serialization.get("name", name), member) for name, member in shape.members.items()]
