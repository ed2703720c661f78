"""Actions over HTTPS are measured beside the same actions over plain HTTP, each with a sandbox of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from contestants import VIP_TAG, Servers
from measure import Figures, Row, alternating

from ec2kit.sandbox.client import started

TABLES = 50

QUICK_CHECK = "quickCheck"
RESTORE = f"restore of {TABLES} tables"
ROWS = (QUICK_CHECK, RESTORE)


def measure(*, rounds: int) -> dict[str, Figures]:
    """Measure each action by both protocols in alternation, with an EC2 without latency."""
    with _both(tables=1) as pair:
        figures = alternating({each.sandbox: [_quick_check(each)] for each in pair}, rounds=rounds)
    with _both(tables=TABLES) as pair:  # a round has two samples
        return figures | alternating({each.sandbox: [_restore(each)] for each in pair}, rounds=(rounds + 1) // 2)


def name_of(action: str, *, tls: bool) -> str:
    """Return the name of a row."""
    return f"{action} over {'HTTPS' if tls else 'plain HTTP'}"


@contextmanager
def _both(*, tables: int) -> Iterator[list[Servers]]:
    """Yield the servers of a sandbox that speaks HTTPS, and those of one that does not."""
    with ExitStack() as stack:
        pair = []
        for tls in (True, False):
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            pair.append(Servers(stack.enter_context(started(folder, tables=tables, tls=tls))))
            pair[-1].create()
        yield pair


def _quick_check(servers: Servers) -> Row:
    return Row(_named(QUICK_CHECK, servers), [servers.action("node1", "quickCheck", VIP_TAG)])


def _restore(servers: Servers) -> Row:
    return Row(_named(RESTORE, servers), [servers.action(each, "restore", VIP_TAG) for each in ("node2", "node1")])


def _named(action: str, servers: Servers) -> str:
    return name_of(action, tls="ca_bundle" in servers.sandbox.description)
