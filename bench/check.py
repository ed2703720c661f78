"""
`make bench-check` checks the promised ratios that need nothing but this machine, over HTTPS, and names those missed.

A machine has its moments: a missed ratio is measured again, for longer, and counts only if it is missed three times.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence

import contestants as names
import first_write
import installed
import report
import tls
import ways
from contestants import Servers, rows
from measure import Figures, alternating
from report import Promise

from ec2kit.sandbox.client import started

NEEDED = (names.PYTHON_FLOOR, names.BARE, names.PLAIN, names.COLD, names.SHARED)


def measure(rounds: int) -> list[Promise]:
    """Measure the promises that need no other programs."""
    return [
        *report.promises(_figures(rounds)),
        *report.promises_of_tls(tls.measure(rounds=rounds)),
        *report.promises_of_ways(ways.measure(rounds=rounds)),
        *report.promises_of_first_write(first_write.measure(rounds=rounds, latencies=(0.2,))),
    ]


def _figures(rounds: int) -> dict[str, Figures]:
    with tempfile.TemporaryDirectory() as folder, started(folder, tables=1, tls=True) as sandbox:
        servers = Servers(sandbox)
        servers.create()
        return alternating({sandbox: [row for row in rows(servers) if row.name in NEEDED]}, rounds=rounds)


_TIMES = 3
"""The number of times that a promise has to be missed in a row; each time is twice as long as the one before."""


def missed(measure: Callable[[int], Sequence[Promise]], *, rounds: int) -> list[Promise]:
    """Return the promises that are missed each time, as measured in the last and longest one."""
    left = [each for each in _told(measure(rounds)) if not each.kept]
    for _ in range(_TIMES - 1):
        if not left:
            break
        rounds *= 2
        texts = sorted(each.text for each in left)
        sys.stdout.write(f"\nMissed: {'; '.join(texts)}. Once more, with {rounds} rounds.\n\n")
        left = [each for each in _told(measure(rounds)) if each.text in texts and not each.kept]
    return left


def _told(made: Sequence[Promise]) -> Sequence[Promise]:
    sys.stdout.write(report.told(made) + "\n")
    return made


def main() -> int:
    """Measure, print, and return the status: 0 if all promises are kept."""
    parser = argparse.ArgumentParser(prog="make bench-check", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="samples of each row (default: 7)")
    options = parser.parse_args()
    installed.install()
    found = missed(measure, rounds=options.rounds)
    for each in found:
        sys.stderr.write(f"missed three times: {each.text}: {each.measured:.3g}, promised is {each.at_most:g}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
