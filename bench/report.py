"""The report shows what was measured, as tables, and what was promised of it."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

import boto3
import contestants as names
import first_write
import growth
import hundred
import rivals
import tls
from first_write import Moments
from growth import Point
from hundred import Hundred
from measure import Figures
from ways import Costs


@dataclass(frozen=True)
class Promise:
    """
    Hold a measured value and its limit; most are ratios.

    Attributes:
        at_most: Infinite where the value is measured and nothing is promised.
    """

    text: str
    measured: float
    at_most: float

    @property
    def kept(self) -> bool:
        return self.measured <= self.at_most


# -- promises ------------------------------------------------------------------------------------------------


def promises(figures: Mapping[str, Figures]) -> list[Promise]:
    """Return the promises of one table."""
    cold, bare, plain = figures[names.COLD], figures[names.BARE], figures[names.PLAIN]
    shared, python = figures[names.SHARED], figures[names.PYTHON_FLOOR]
    return [
        *_beside_rivals(figures),
        Promise("quickCheck, wall, × the bare client", cold.wall / bare.wall, 1.25),
        Promise("quickCheck, CPU, × plain boto3", cold.cpu / plain.cpu, 0.65),
        Promise("quickCheck by the shared answer, wall, × isolated Python", shared.wall / python.wall, 3.0),
        Promise("quickCheck, EC2 requests", max(cold.ec2), 1),
        Promise("quickCheck by the shared answer, EC2 requests", max(shared.ec2), 0),
    ]


def _beside_rivals(figures: Mapping[str, Figures]) -> list[Promise]:
    """Return the promises beside other programs, [] if these were not measured."""
    pairs = [
        (names.COLD, rivals.MONITOR, 0.25),
        (names.RESTORE, rivals.START, 0.1),
        (names.RESTORE_EIP, rivals.START_EIP, 0.125),
        (names.REMOVE_EIP, rivals.STOP_EIP, 0.125),
    ]
    made = [
        Promise(f"{ours}, wall, × {theirs}", figures[ours].wall / figures[theirs].wall, at_most)
        for ours, theirs, at_most in pairs
        if theirs in figures
    ]
    if rivals.MONITOR in figures:
        fifty = figures[names.COLD].cpu + 49 * figures[names.SHARED].cpu
        text = f"50 resources, one quickCheck that asks and 49 by its answer, CPU, × 50 × {rivals.MONITOR}"
        made.append(Promise(text, fifty / (50 * figures[rivals.MONITOR].cpu), 0.1))
    return made


def promises_of_growth(points: Mapping[str, list[Point]]) -> list[Promise]:
    """Return the promises of many tables and many resources."""
    found = {(each.size, each.latency): each for each in points["tables"]}
    extra = found[50, 0.05].wall - found[1, 0.05].wall
    bucket = (200 - 50) / 5
    return [
        Promise("restore of 50 tables at 50 ms, ms more for each further table", extra / 49 * 1000, 10),
        *(
            Promise(
                f"restore of 200 tables at {latency * 1000:g} ms, × the {bucket:g} s of EC2's token bucket",
                found[200, latency].wall / bucket,
                1.2,
            )
            for latency in growth.LATENCIES
        ),
        Promise("quickCheck of 50 resources by the shared answer, EC2 requests", points["shared"][-1].requests, 1),
    ]


def promises_of_hundred(moved: Hundred) -> list[Promise]:
    """Return the promises of a hundred virtual IPs."""
    by_one, as_many = moved.figures[hundred.BY_ONE].wall, moved.figures[hundred.AS_MANY].wall
    text = f"{hundred.BY_ONE}, wall, × {hundred.IN_TURN}"
    return [
        Promise(f"{hundred.BY_LIST}, writes to the table", moved.writes, 1),
        Promise(f"{hundred.BY_ONE}, wall, × {hundred.AS_MANY}", by_one / as_many, 1.15),
        *([Promise(text, by_one / moved.in_turn, 0.02)] if moved.in_turn else []),
    ]


def promises_of_ways(costs: Costs) -> list[Promise]:
    """Return what two dead ways to EC2 before the good one cost, once an action of this boot has met them."""
    text = "restore by the third of three ways to EC2, the others dead, from the second run on, × by this way alone"
    return [Promise(text, costs.later / costs.alone, 1.5)]


def promises_of_first_write(moments: Iterable[Moments]) -> list[Promise]:
    """
    Return what a restore gains that writes beside its first look, where EC2 answers in 200 ms.

    The ratios to one that looks first depend on the time that this machine needs to start an action; they are
    measured, not promised.
    """
    latency = 0.2
    found = {each.way: each for each in moments if each.latency == latency}
    beside, after, before = found[first_write.BESIDE], found[first_write.AFTER], found.get(first_write.BEFORE)
    still_waited = 1 - (after.first_write - beside.first_write) / latency
    return [
        *(_gained_since(before, beside) if before else ()),
        Promise("first write beside the first look, what it waits for that look, × EC2's 200 ms", still_waited, 0.3),
        Promise("the same, exec to first write, × one that looks first", beside.first_write / after.first_write, inf),
        Promise("the same, exec to end, × one that looks first", beside.end / after.end, inf),
    ]


def _gained_since(before: Moments, now: Moments) -> Iterator[Promise]:
    """Yield what a restore has gained since an earlier build that looked first."""
    yield Promise(
        "exec of restore to its first write, × the earlier build", now.first_write / before.first_write, 0.55
    )
    yield Promise("exec of restore to its end, × the earlier build", now.end / before.end, 0.75)


_CALM = 1.1
"""The wall time of a check, × its CPU time, up to which a second processor was free. The certificate authorities are
read beside other work there; where all processors are busy, what they cost is only put off."""


def promises_of_tls(figures: Mapping[str, Figures]) -> list[Promise]:
    """Return what actions cost over HTTPS beside the same over plain HTTP."""
    quick, restore = (
        (figures[tls.name_of(name, tls=True)], figures[tls.name_of(name, tls=False)]) for name in tls.ROWS
    )
    at_most = 1.08 if quick[1].wall <= quick[1].cpu * _CALM else inf
    return [
        Promise(f"{tls.QUICK_CHECK} over HTTPS, wall, × plain HTTP", quick[0].wall / quick[1].wall, at_most),
        Promise(f"{tls.QUICK_CHECK} over plain HTTP, peak memory, MiB", quick[1].memory, 40.0),
        Promise(f"{tls.QUICK_CHECK} over HTTPS, peak memory, MiB", quick[0].memory, 42.0),
        Promise(f"{tls.RESTORE} over HTTPS, wall, × plain HTTP", restore[0].wall / restore[1].wall, 1.15),
        Promise(f"{tls.RESTORE} over HTTPS, CPU, × plain HTTP", restore[0].cpu / restore[1].cpu, 1.2),
    ]


def told(made: Iterable[Promise]) -> str:
    """Return the promises as a table."""
    lines = ["| Promised | measured | at most | |", "|---|---|---|---|"]
    for each in made:
        kept = "kept" if each.kept else "**missed**"
        limit, kept = ("", "not promised") if each.at_most == inf else (f"{each.at_most:g}", kept)
        lines.append(f"| {each.text} | {each.measured:.3g} | {limit} | {kept} |")
    return "\n".join(lines)


# -- figures -------------------------------------------------------------------------------------------------


def comparison(figures: Mapping[str, Figures]) -> str:
    """Return one row for each thing measured, with its ratios to the bare client, and to curl."""
    bare, curl = figures[names.BARE], figures.get(names.CURL)
    lines = [
        "## One table, no latency",
        "",
        "| What | wall, ms | CPU, ms | peak, MiB | EC2 | IMDS | wall, × bare | CPU, × bare | wall, × curl |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, each in figures.items():
        beside_curl = f"{each.wall / curl.wall:.1f}" if curl else "–"
        lines.append(
            f"| {name} | {each.wall * 1000:.0f} | {each.cpu * 1000:.0f} | {each.memory:.1f} | {max(each.ec2)} "
            f"| {max(each.imds)} | {each.wall / bare.wall:.2f} | {each.cpu / bare.cpu:.2f} | {beside_curl} |"
        )
    return "\n".join(
        [*lines, "", "EC2 and IMDS: requests. All but curl, which has its keys in hand, ask IMDS for the role's."]
    )


def hundred_addresses(moved: Hundred) -> str:
    """Return what moving a hundred virtual IPs costs."""
    lines = [
        "## A hundred virtual IPs",
        "",
        "No side waits for EC2's token bucket; a prefix list takes one token, everything else a hundred.",
        "",
        "| What | wall, s | CPU, s | EC2 requests |",
        "|---|---|---|---|",
    ]
    for name, each in moved.figures.items():
        lines.append(f"| {name} | {each.wall:.2f} | {each.cpu:.2f} | {max(each.ec2)} |")
    if moved.in_turn:
        lines.append(f"| {hundred.IN_TURN}, once | {moved.in_turn:.1f} | | |")
    return "\n".join(lines)


def first_writes(moments: Iterable[Moments]) -> str:
    """Return when the first write of a restore arrives, and when the restore ends."""
    lines = [
        "## First write first",
        "",
        "restore of an address of one table that is on the other server; its own server had it before in this boot.",
        "",
        "| Latency, ms | way | first write arrives, ms | end, ms |",
        "|---|---|---|---|",
    ]
    for each in moments:
        lines.append(
            f"| {each.latency * 1000:g} | {each.way} | {each.first_write * 1000:.0f} | {each.end * 1000:.0f} |"
        )
    return "\n".join([*lines, "", "![first write](first-write.svg)"])


def over_tables(points: list[Point]) -> str:
    """Return how restore grows."""
    lines = [
        "## More tables, and an EC2 that takes longer",
        "",
        "restore moves all of them, with a full bucket (50, then 5/s).",
        "",
        "| Tables | latency, ms | wall, s | CPU, s | EC2 requests |",
        "|---|---|---|---|---|",
    ]
    for each in points:
        lines.append(
            f"| {each.size} | {each.latency * 1000:g} | {each.wall:.2f} | {each.cpu:.2f} | {each.requests} |"
        )
    return "\n".join([*lines, "", "![restore over tables](tables.svg)"])


def over_resources(shared: list[Point], alone: list[Point]) -> str:
    """Return how the checks of a server grow."""
    lines = [
        "## More resources on one server",
        "",
        "A quickCheck of each, one after the other.",
        "",
        "| Resources | shared: CPU, s | EC2 requests | each alone: CPU, s | EC2 requests | CPU, × |",
        "|---|---|---|---|---|---|",
    ]
    for one, other in zip(shared, alone, strict=True):
        lines.append(
            f"| {one.size} | {one.cpu:.2f} | {one.requests} | {other.cpu:.2f} | {other.requests} "
            f"| {one.cpu / other.cpu:.2f} |"
        )
    return "\n".join([*lines, "", "![checks over resources](resources.svg)"])


def whole(parts: Iterable[str], *, rounds: int, arguments: Sequence[str]) -> str:
    """Return the page; the arguments are those of the command that made it."""
    words = " ".join(each for each in arguments if each != "--inside")
    head = f"""# Benchmarks

Made by `make bench ARGS='{words}'`, on {machine()}.

All of it is *simulated*: EC2 and the metadata service answer on the same machine, within milliseconds. As on AWS, EC2
is asked over HTTPS, by ec2kit and by all others, with the bundle of certificate authorities that the system has and
the sandbox's own; the metadata service answers in plain HTTP. The times are therefore the cost of the programs, and
say nothing about AWS. Medians of {rounds} alternating runs (growth: of fewer) of whole processes, from the script to
its end, of ec2kit as pip installs it. What means something is the ratio of two rows.

What a thousand clusters in one account ask of EC2, and how often to check then: [fleet](fleet.md).

Failovers of a whole Pacemaker cluster, with ec2kit's agents and with heartbeat's: [cluster](cluster.md); and each of
the four agents in the configuration of a guide: [agents](agents.md).
"""
    return "\n\n".join([head.rstrip(), *parts]) + "\n"


def machine() -> str:
    """Describe the machine that the bench ran on."""
    model = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return (
        f"{os.cpu_count()} × {model[0] if model else platform.machine()}, Linux {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, boto3 {boto3.__version__}, load {os.getloadavg()[0]:.1f}, "
        f"{time.strftime('%Y-%m-%d')}"
    )


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
