"""The report shows what whole failovers took, as tables and a plot, and what was to be shown by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

import plot
import report

from tests.cluster.weather import REAL

OURS, HANDED_OVER, THEIRS = "ec2kit", "ec2kit, allow-migrate", "heartbeat"

KILLED = "node killed"
KILLED_BESIDE_DC = "node killed, the other one is DC"
KILLED_BY_EC2 = "node killed, fence_aws"
MOVED = "planned move"
KILLED_IN_WEATHER = "node killed, an EC2 as of a real region"
MOVED_IN_WEATHER = "planned move, an EC2 as of a real region"
AT_MOST = {
    KILLED: ("outage", 0.5),
    MOVED: ("outage", 0.5),
    KILLED_IN_WEATHER: ("share", 0.35),
    MOVED_IN_WEATHER: ("outage", 0.15),
}
"""Event → the part of it that shall be at most so much of that with heartbeat's agents."""

_MEANT = {"outage": "outage", "share": "the share of the outage"}

_Key = tuple[str, str]


@dataclass(frozen=True)
class Failover:
    """
    Hold one failover, in seconds.

    Attributes:
        route: From the event until EC2 had moved the route.
        called: From the event until Pacemaker called start.
        start: From Pacemaker's call of start until it had ended.
        share: From that call to the client's first answer: the agent's share of the outage.
        outage: The longest time without an answer to ping.
        tcp: The same for a client that holds a TCP connection, and connects anew without an answer for 0.2 s.
    """

    route: float
    called: float
    start: float
    share: float
    outage: float
    tcp: float


@dataclass(frozen=True)
class BlackHole:
    """
    Hold what a silent API did to a cluster whose address was right all the time.

    Attributes:
        failed: Failed operations, each once, as Pacemaker showed them.
        fenced: The number of times that a node was fenced.
        restarts: The number of times that Pacemaker started the virtual IP, on either node.
        ages: Log lines of monitor that say for how long nothing has been known.
        outage: Seconds; the client's longest time without an answer.
    """

    failed: Sequence[str]
    fenced: int
    restarts: int
    ages: int
    outage: float


@dataclass(frozen=True)
class Guided:
    """
    Hold what one agent did with the configuration of a guide; times are in seconds.

    Attributes:
        killed, moved: How long no server that lives had the address.
        stopped: True: the stop in the end ended well.
        failures: The number of failed operations, of all resources of the configuration.
    """

    agent: str
    configuration: str
    who: str
    killed: float
    moved: float
    stopped: bool
    failures: int


@dataclass
class Results:
    """
    Hold all samples: failovers by event and contestant, the others by contestant.

    Attributes:
        monitors: CPU seconds a minute.
    """

    failovers: dict[_Key, list[Failover]] = field(default_factory=dict)
    black_holes: dict[str, BlackHole] = field(default_factory=dict)
    black_hole_seconds: float = 0.0
    monitors: dict[str, float] = field(default_factory=dict)
    guided: list[Guided] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """Return all of it as JSON can have it."""
        failovers = [[*key, [asdict(each) for each in samples]] for key, samples in self.failovers.items()]
        black_holes = {who: asdict(each) for who, each in self.black_holes.items()}
        return {**asdict(self), "failovers": failovers, "black_holes": black_holes}

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Results:
        """Return what `told` has told."""
        failovers = {(event, who): [Failover(**each) for each in runs] for event, who, runs in told["failovers"]}
        black_holes = {who: BlackHole(**each) for who, each in told["black_holes"].items()}
        return cls(failovers, black_holes, told["black_hole_seconds"], told["monitors"])

    def events(self) -> list[str]:
        return list(dict.fromkeys(event for event, _ in self.failovers))

    def runs(self, event: str, who: str, what: str) -> list[float]:
        return [getattr(each, what) for each in self.failovers[event, who]]


def whole(results: Results, *, arguments: Sequence[str]) -> str:
    """Return the document."""
    head = f"""\
# Failovers of a whole cluster

Made by `{_command(arguments)}`, on {report.machine()}.

All of it is *simulated*: two nodes with real Corosync (token 1 s) and Pacemaker in namespaces of one machine, an EC2
that answers there within milliseconds, clients that ask every 20 ms and a router that follows EC2's route table at
once. The times are those of cluster and agents, and say nothing about AWS. Both kinds of agents have the same group
of a virtual IP in one route table and an Elastic IP, the same time-outs, a monitor every 10 s, and take turns;
heartbeat's are Debian's `aws-vpc-move-ip` (with `monapi=true`) and `awseip`, with awscli from PyPI.

*An EC2 as of a real region* is asked over HTTPS, answers questions after {REAL.look} and changes after
{REAL.write}, and packets follow a change {REAL.effective:g} s after that; the network of the nodes is
systemd-networkd's. These latencies are assumed; they were not measured on AWS. The change and its effect, some
{REAL.least_gap:.1f} s, are paid by every agent that starts after a stop: they are the floor of each outage there.

*{HANDED_OVER}*: the same group with `meta allow-migrate=true`. By a planned move the old node answers until packets
follow the change ([how](../pacemaker.md#a-planned-move-without-a-gap)), which needs a service on both nodes.
A killed node hands nothing over, so those rows are the same with it. `aws-vpc-move-ip` has no such operations, and
`awseip`'s `migrate_to` is its stop.

What cluster and fencing take until start is called is the same for both: 1 s for the token, 1.2 s for consensus, and
fencing, which is most of it with `fence_aws`. The group runs where the DC is, Pacemaker's coordinator, as every
failover leaves it. If the survivor was DC already, Pacemaker 2.1.5 often waits for another second, with any agent:
while updates of its CIB are pending, its controller sleeps before it asks the scheduler (`do_pe_invoke_callback` in
its source).

With `monapi=false`, its default, `aws-vpc-move-ip` does not ask EC2 in monitor and stop: planned moves and monitors
are cheaper then, and a route that another program moved is not seen.
"""
    return "\n\n".join([head.rstrip(), *_parts(results)]) + "\n"


def _command(arguments: Sequence[str]) -> str:
    words = " ".join(each for each in arguments if each != "--write")
    return f"make bench-cluster ARGS='{f'{words} --write'.strip()}'"


def _parts(results: Results) -> Iterable[str]:
    if results.failovers:
        yield _goals(results)
        yield _failovers(results)
    if results.black_holes:
        yield _black_holes(results)
    if results.monitors:
        yield _monitors(results.monitors)


# -- failovers -------------------------------------------------------------------------------------------------------


def _goals(results: Results) -> str:
    """Return what was to be shown, and whether it was."""
    lines = ["| To be shown | measured | at most | |", "|---|---|---|---|"]
    for event in results.events():
        if event not in (KILLED_IN_WEATHER, MOVED_IN_WEATHER):
            lines.append(
                _goal(f"{event}: share of ec2kit's agent, s", median(results.runs(event, OURS, "share")), 0.5)
            )
        if event in AT_MOST:
            lines += _ratios(results, event)
    return "\n".join(lines)


def _ratios(results: Results, event: str) -> Iterable[str]:
    """Yield the lines of what is held against heartbeat's agents, and how small the weather lets it be."""
    part, at_most = AT_MOST[event]
    theirs = median(results.runs(event, THEIRS, part))
    for who in (OURS, HANDED_OVER):
        if (event, who) not in results.failovers:
            continue
        floor = ""
        if event in (KILLED_IN_WEATHER, MOVED_IN_WEATHER) and who == OURS:
            floor = f" (the weather alone: {REAL.least_gap / theirs:.2f})"
        text = f"{event}: {_MEANT[part]} of {who}, × that of heartbeat's agents{floor}"
        yield _goal(text, median(results.runs(event, who, part)) / theirs, at_most)


def _goal(text: str, measured: float, at_most: float) -> str:
    return f"| {text} | {measured:.2f} | {at_most:g} | {'shown' if measured <= at_most else '**not shown**'} |"


def _failovers(results: Results) -> str:
    names = ("called", "route", "start", "share", "outage", "tcp")
    lines = [
        "## Failovers",
        "",
        "Medians, and in brackets the shortest and the longest run; seconds.",
        "",
        "| Event | Agents | runs | event → start called | event → route moved | start called → ended "
        "| start called → ping answered | outage, ping | outage, TCP |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for event, who in results.failovers:
        columns = [_spread(results.runs(event, who, name)) for name in names]
        lines.append(f"| {event} | {who} | {len(results.failovers[event, who])} | {' | '.join(columns)} |")
    return "\n".join([*lines, "", "![outages of the client, and the agents' share](cluster.svg)"])


def _spread(values: Sequence[float]) -> str:
    return f"{median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def picture(results: Results) -> str:
    """Return the medians as bars: the outage, and in it the agent's share."""
    bars = [
        (f"{event}, {who}", median(results.runs(event, who, "outage")), median(results.runs(event, who, "share")))
        for event, who in results.failovers
    ]
    return plot.bars(
        "Outage of the client (simulated EC2)", x="seconds; dark: from start called to the first answer", bars=bars
    )


# -- the rest --------------------------------------------------------------------------------------------------------


def _black_holes(results: Results) -> str:
    lines = [
        f"## EC2 says nothing to the active node for {results.black_hole_seconds:g} s",
        "",
        "Nothing is wrong with the address. One run of each. *Starts*: of the virtual IP, on either node. *Age*:",
        "lines of ec2kit's log that say for how long nothing has been known; heartbeat's agents have none like it.",
        "",
        "| Agents | failed operations | nodes fenced | starts | lines with age | longest outage of the client, s |",
        "|---|---|---|---|---|---|",
    ]
    for who, each in results.black_holes.items():
        failed = "; ".join(each.failed) or "none"
        ages = each.ages if who == OURS else "–"
        lines.append(f"| {who} | {failed} | {each.fenced} | {each.restarts} | {ages} | {each.outage:.2f} |")
    if results.black_hole_seconds < 300:
        lines += ["", "So short a time does not show what a recovery that was begun comes to; the default is 300 s."]
    return "\n".join(lines)


def _monitors(spent: Mapping[str, float]) -> str:
    lines = [
        "## What monitors cost",
        "",
        "CPU seconds a minute of all monitors of both nodes, every 10 s, in a minute without events.",
        "",
        "| Agents | CPU s a minute | of one core |",
        "|---|---|---|",
        *(f"| {who} | {each:.2f} | {each / 60:.1%} |" for who, each in spent.items()),
    ]
    return "\n".join(lines)


# -- each agent by itself --------------------------------------------------------------------------------------------


def agents(runs: Sequence[Guided], *, arguments: Sequence[str]) -> str:
    """Return the document of the agents in the configurations of guides."""
    head = f"""\
# The four agents in the configurations of guides

Made by `{_command(arguments)}`, on {report.machine()}.

Each of the four AWS agents of resource-agents as a guide publishes it, and ec2kit's agent of the same name, for which
only the provider's name is another one. All of it is *simulated*, in the cluster of
[Failovers of a whole cluster](cluster.md). Outage: how long no server that lives had the address, by EC2 or Route 53,
and on its device where the guide has it there. Medians, and in brackets the shortest and the longest run; seconds.
heartbeat's agents are Debian's, with awscli from PyPI.

| Agent | by | runs | node killed: outage | planned move: outage | failed operations | stopped well |
|---|---|---|---|---|---|---|"""
    lines = [head]
    for agent, configuration in dict.fromkeys((each.agent, each.configuration) for each in runs):
        of_it = [each for each in runs if (each.agent, each.configuration) == (agent, configuration)]
        for who in dict.fromkeys(each.who for each in of_it):
            mine = [each for each in of_it if each.who == who]
            columns = [
                f"{agent} ({configuration})",
                who,
                str(len(mine)),
                _spread([each.killed for each in mine]),
                _spread([each.moved for each in mine]),
                str(sum(each.failures for each in mine)),
                "yes" if all(each.stopped for each in mine) else "**no**",
            ]
            lines.append(f"| {' | '.join(columns)} |")
    return "\n".join(lines) + "\n"
