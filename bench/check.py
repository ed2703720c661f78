"""
`make bench-check` checks the promised ratios that need nothing but this machine, over HTTPS, and names those missed.

A machine has its moments: a missed ratio is measured once more, for longer, and counts only if it is missed again.
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


def missed(measure: Callable[[int], Sequence[Promise]], *, rounds: int) -> list[Promise]:
    """Return the promises that are missed, and missed again in twice as many rounds, as measured then."""
    first = {each.text for each in _told(measure(rounds)) if not each.kept}
    if not first:
        return []
    sys.stdout.write(f"\nMissed: {'; '.join(sorted(first))}. Once more, with {2 * rounds} rounds.\n\n")
    return [each for each in _told(measure(2 * rounds)) if each.text in first and not each.kept]


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
        sys.stderr.write(f"missed twice: {each.text}: {each.measured:.3g}, promised is {each.at_most:g}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
