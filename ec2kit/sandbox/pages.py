"""EC2 pages its answers: MaxResults asks for pages, NextToken for the next one; EC2 may also page unasked."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from ec2kit.sandbox.call import Refused

T = TypeVar("T")


def page(
    items: Sequence[T], params: Mapping[str, Any], *, largest: int, unasked: int | None, empty: bool
) -> tuple[list[T], str | None]:
    """
    Return one page and the token of the next, None after the last one.

    Args:
        largest: The largest MaxResults; the smallest is 5.
        unasked: The size of a page if the client gives none. None: one page holds everything.
        empty: The page is empty, and the next one holds its content.

    Raises:
        Refused: MaxResults is out of range, or EC2 never gave the token.

    Source: EC2 API, DescribeRouteTables (5-100) and DescribeNetworkInterfaces (5-1000).
    """
    start = _start(params.get("NextToken"), len(items))
    size = _size(params.get("MaxResults"), largest) or unasked or len(items)
    if empty:
        return [], _token(start)
    more = start + size < len(items)
    return list(items[start : start + size]), _token(start + size) if more else None


def _size(asked: Any, largest: int) -> int | None:
    if asked is None:
        return None
    if not 5 <= int(asked) <= largest:
        text = f"Value ( {asked} ) for parameter maxResults is invalid. Expecting a value between 5 and {largest}."
        raise Refused("InvalidParameterValue", text)
    return int(asked)


def _token(start: int) -> str:
    """Return a token that, as EC2's do, differs from every earlier one."""
    return base64.urlsafe_b64encode(f"ec2kit {start} {uuid.uuid4().hex}".encode()).decode()


def _start(token: str | None, end: int) -> int:
    if token is None:
        return 0
    try:
        word, start, _ = base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode().split()
        if word == "ec2kit" and 0 <= int(start) <= end:
            return int(start)
    except ValueError:
        pass
    raise Refused("InvalidNextToken", "The specified NextToken is not valid.")
