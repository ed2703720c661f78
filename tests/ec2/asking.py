"""How the tests of this room ask EC2, over HTTP, of a server that answers by a script."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, TypeVar

from ec2kit import __version__
from ec2kit.deadline import Clock, Deadline
from ec2kit.ec2.operations import Ec2
from ec2kit.errors import Ec2KitError
from ec2kit.messages.catalogue import Level
from ec2kit.messages.log import Log
from ec2kit.settings import Settings

from ..builders import CIDR, ENI_A, ENI_B, ImpatientClock, LeapingClock
from ..scripted_server import Behaviour, a_table, says, silent, tables

Result = TypeVar("Result")

DONE = says("ReplaceRoute")
ONE_TABLE = tables(a_table("rtb-1", (CIDR, ENI_B)))
AGES = 1_000_000.0
"""Seconds of an action in which an hour is nothing."""

SLOW = 100.0
"""More seconds than any of these tests should take on a slow machine, where the promise is "in time"."""


def an_ec2(
    url: str,
    *,
    seconds: float = 240,
    clock: Clock | None = None,
    guard: Callable[[], None] = lambda: None,
    permit: Callable[[], None] | None = None,
    look_retries: int | None = None,
    sink: Callable[[Level, str], None] | None = None,
    region: str = "ap-northeast-1",
    note_write: Callable[[], None] | None = None,
    **settings: Any,
) -> Ec2:
    usual: dict[str, Any] = {"server": "server-a", "endpoint_url": url, "connect_timeout": 20.0, "read_timeout": 60.0}
    usual["over_tls"] = not url.startswith("http:")
    usual["metadata_url"] = "http://127.0.0.1:9"  # nothing listens there
    return Ec2(
        region=region,
        settings=Settings(**{**usual, **settings}),
        deadline=Deadline(seconds, clock or ImpatientClock()),
        log=Log(action="restore", tag="ec2-vip1", sinks=() if sink is None else (sink,)),
        user_agent=f"ec2kit/{__version__} restore ec2-vip1",
        guard=guard,
        permit=permit,
        look_retries=look_retries,
        note_write=note_write,
    )


def silent_past(clock: LeapingClock) -> Behaviour:
    """Hear the request, and say nothing; all waits by this clock are over then."""

    def behave(handler: Any) -> None:
        clock.leap()
        silent(handler)

    return behave


def given_time(deed: Callable[[float], Result]) -> Result:
    """Return what a deed with a deadline of some seconds comes to; a machine too slow for them gives it more."""
    for seconds in (4, 20):
        with contextlib.suppress(Ec2KitError):
            return deed(seconds)
    return deed(SLOW)


def look(ec2: Ec2) -> tuple[str, ...]:
    """Look at the tables; raises what stands in the way of seeing all of them."""
    seen = ec2.route_tables(vpc_id="vpc-1", destinations=[CIDR])
    if seen.unknown is not None:
        raise seen.unknown
    return tuple(table.route_table_id for table in seen.tables)


def write(ec2: Ec2) -> int:
    """Move a route; how many attempts that took."""
    return ec2.replace_route(route_table_id="rtb-1", destination_cidr_block=CIDR, network_interface_id=ENI_A).attempts
