"""
`make bench` measures what ec2kit's actions cost, each beside something to compare it with, on an embedded EC2.

Every figure is simulated in that EC2 answers on this machine, over HTTPS. Only ratios of figures measured in
alternation mean something; they are printed against what is promised.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import first_write
import growth
import hundred
import installed
import plot
import report
import rivals
import tls
import ways
from contestants import Servers, rows, rows_of_other_kinds
from first_write import Moments
from growth import Point
from hundred import Hundred
from measure import Figures, alternating

from ec2kit.sandbox.client import started

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"


def compare(*, rounds: int, with_rivals: bool) -> tuple[dict[str, Figures], Hundred]:
    """Measure one table in alternation, and a hundred virtual IPs, over HTTPS, with an EC2 without latency."""
    with tempfile.TemporaryDirectory() as folder, started(folder, tables=1, zones=1, tls=True) as sandbox:
        servers = Servers(sandbox)
        servers.create()
        servers.create_other_kinds()
        measured = rows(servers) + rows_of_other_kinds(servers)
        if with_rivals:
            rivals.make_device(servers)
            measured += rivals.rows(servers)
        figures = alternating({sandbox: measured}, rounds=rounds)
        return figures, hundred.measure(servers, rounds=max(3, rounds // 2), with_rivals=with_rivals)


def grow(*, rounds: int) -> dict[str, list[Point]]:
    """Measure how the cost grows with tables, latency and resources."""
    return {
        "tables": list(growth.over_tables(rounds=rounds)),
        "shared": list(growth.over_resources(shared=True, rounds=rounds)),
        "alone": list(growth.over_resources(shared=False, rounds=1)),
    }


def plots(points: Mapping[str, list[Point]], moments: list[Moments]) -> dict[str, str]:
    """Return file → picture."""
    moments_of = {
        way: [(each.latency * 1000, each) for each in moments if each.way == way] for way in first_write.WAYS
    }
    over_tables = {
        f"{latency * 1000:g} ms a request": [
            (each.size, each.wall) for each in points["tables"] if each.latency == latency
        ]
        for latency in growth.LATENCIES
    }
    over_resources = {
        "by one shared answer": [(each.size, each.cpu) for each in points["shared"]],
        "each by its own": [(each.size, each.cpu) for each in points["alone"]],
    }
    over_latency = {
        f"{name}, {first_write.SHORT[way]}": [(milliseconds, moment(each)) for milliseconds, each in its]
        for name, moment in (("write", lambda each: each.first_write), ("end", lambda each: each.end))
        for way, its in moments_of.items()
        if its
    }
    return {
        "first-write.svg": plot.svg(
            "restore, to its first write and to its end (simulated EC2)",
            x="milliseconds that EC2 takes to answer",
            y="wall, s",
            lines=over_latency,
        ),
        "tables.svg": plot.svg(
            "restore of one address (simulated EC2)", x="route tables that are moved", y="wall, s", lines=over_tables
        ),
        "resources.svg": plot.svg(
            "a quickCheck of each resource of a server (simulated EC2)",
            x="resources",
            y="CPU, s",
            lines=over_resources,
        ),
    }


def main() -> None:
    """Measure, print, and write with --write."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="samples of each row (default: 11)")
    parser.add_argument("--no-growth", action="store_true", help="only the comparison at one table")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks")
    parser.add_argument("--rivals", action="store_true", help="the resource agents, too: as root, installs them")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--before", metavar="COMMIT", help="restore of an earlier commit, too, to its first write")
    options = parser.parse_args()
    if options.inside:
        rivals.furnish()
    else:
        installed.install()
        if options.before:
            installed.install_before(options.before)
    if options.rivals and not options.inside:
        rivals.install()
        rivals.begin_anew_inside(sys.argv)
    figures, moved = compare(rounds=options.rounds, with_rivals=options.rivals)
    made, parts = report.promises(figures), [report.comparison(figures), report.hundred_addresses(moved)]
    made += report.promises_of_hundred(moved)
    made += report.promises_of_tls(tls.measure(rounds=options.rounds))
    made += report.promises_of_ways(ways.measure(rounds=max(3, options.rounds // 3)))
    points: dict[str, list[Point]] = {}
    before = installed.actions_before(options.before) if options.before else None
    moments = first_write.measure(rounds=max(3, options.rounds // 2), before=before)
    made += report.promises_of_first_write(moments)
    parts.append(report.first_writes(moments))
    if not options.no_growth:
        points = grow(rounds=max(1, options.rounds // 4))
        made += report.promises_of_growth(points)
        parts += [report.over_tables(points["tables"]), report.over_resources(points["shared"], points["alone"])]
    text = report.whole([report.told(made), *parts], rounds=options.rounds, arguments=sys.argv[1:])
    sys.stdout.write(text)
    if options.write:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "README.md").write_text(text, encoding="utf-8")
        for name, picture in (plots(points, moments) if points else {}).items():
            (RESULTS / name).write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
