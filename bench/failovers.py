"""
`make bench-cluster` measures failovers of a real Pacemaker cluster, with ec2kit's agents and heartbeat's in turn.

The cluster is that of `tests/cluster`: two nodes in namespaces, an embedded EC2, clients that ask every 20 ms, by
ping and over TCP. All figures are simulated in that EC2 answers on this machine; both kinds of agents meet the same.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import failover_report as report
import guided
import rivals
from failover_report import BlackHole, Failover, Results

from tests.cluster import cib
from tests.cluster.guides import own_private_address
from tests.cluster.lab import Lab, built
from tests.cluster.needed import CLUSTER, why_not
from tests.cluster.node import Node, until
from tests.cluster.weather import FINE, REAL

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"
PARTS = ("killed", "moved", "monitor", "black-hole", "guides", "weather")
INTERVAL = 10
"""Seconds between two monitors, of every resource of both kinds."""


# -- who is measured -------------------------------------------------------------------------------------------------


def ours(lab: Lab) -> str:
    """Return the group by ec2kit's agents; without the readiness check of the standby, since the others have none."""
    return cib.front(lab.description, interval=INTERVAL, standby=False)


def handed_over(lab: Lab) -> str:
    """Return our group, which Pacemaker migrates by a planned move."""
    return cib.front(lab.description, interval=INTERVAL, standby=False, migrates=True)


def theirs(lab: Lab) -> str:
    """Return the same group by heartbeat's agents, with the tables and addresses that they need as parameters."""
    description = lab.description
    common = {"awscli": str(_aws(lab)), "region": description["region"]}
    vip = {
        "ip": description["vip"],
        "routing_table": ",".join(description["route_table_ids"]),
        "interface": "eth0",
        "monapi": "true",
        **common,
    }
    eip = {
        "elastic_ip": description["elastic_ip"],
        "allocation_id": description["allocation_id"],
        **common,
    }
    heartbeat = {"provider": "heartbeat", "interval": INTERVAL, "standby": False}
    return cib.group(
        cib.primitive("vip", "aws-vpc-move-ip", vip, **heartbeat),
        cib.primitive("eip", "awseip", eip, more=own_private_address(lab), **heartbeat),
    )


def _aws(lab: Lab) -> Path:
    """Make awscli with a profile named "default", which these agents require."""
    path, config = lab.folder / "aws", lab.folder / "aws-config"
    config.write_text(f"[default]\nregion = {lab.description['region']}\n")
    path.write_text(f'#!/bin/sh\nAWS_CONFIG_FILE={config} exec {rivals.AWS} "$@"\n')
    path.chmod(0o755)
    return path


CONTESTANTS = {report.OURS: ours, report.HANDED_OVER: handed_over, report.THEIRS: theirs}
BOTH = (report.OURS, report.THEIRS)
FENCING = {"fence_lab": lambda lab: cib.fence_lab(), "fence_aws": lambda lab: cib.fence_aws(lab.description)}


# -- failovers -------------------------------------------------------------------------------------------------------


def killed(lab: Lab) -> Failover:
    """Switch the active node off, as a power loss does."""
    active, other = lab.active()
    began = time.time()
    active.switch_off()
    return _failover(lab, other, began)


def moved(lab: Lab) -> Failover:
    """Move the group as an administrator does."""
    active, other = lab.active()
    began = time.time()
    active.run("crm_resource", "--move", "-r", "front", "-N", other.name)
    return _failover(lab, other, began)


def _failover(lab: Lab, to: Node, began: float) -> Failover:
    """Wait as idly as possible until the clients are served again, and then until all is done."""
    until(
        lambda: _called(lab, to, began) and lab.is_answered() and lab.route_holder() == to.name,
        within=120,
        what="the clients are served",
    )
    lab.moved_to(to, within=120)
    called, operation = _called(lab, to, began)[0]
    return Failover(
        route=_route_moved(lab, to, began) - began,
        called=called - began,
        start=_took(to, operation),
        share=lab.client.first_answer_after(called) - called,
        outage=lab.client.outage(began),
        tcp=lab.tcp_client.outage(began),
    )


def _called(lab: Lab, to: Node, began: float) -> list[tuple[float, str]]:
    """Return when Pacemaker called start, or migrate_from in its place, and which of the two."""
    return [(each, name) for name in ("start", "migrate_from") for each in lab.called(to, "vip", name, began)]


def _route_moved(lab: Lab, to: Node, began: float) -> float:
    """Return the moment at which EC2 had carried out the first change of the route."""
    return next(
        float(call["time"]) + float(call["milliseconds"]) / 1000
        for call in lab.sandbox.calls()
        if (call["server"], call["operation"]) == (to.name, "ReplaceRoute")
        and call["time"] > began
        and call["carried_out"]
        and not call["dry_run"]
    )


def _took(node: Node, operation: str) -> float:
    """Return the seconds that Pacemaker waited for the last such operation of the virtual IP on a node."""
    kept = "vip_last_0" if operation == "start" else f"vip_{operation}_0"  # migrations are kept beside the rest
    where = f"//node_state[@uname='{node.name}']//lrm_rsc_op[@id='{kept}'][@operation='{operation}']"
    (told,) = re.findall(r' exec-time="([0-9]+)"', node.run("cibadmin", "--query", f"--xpath={where}"))
    return int(told) / 1000


# -- an API that says nothing ----------------------------------------------------------------------------------------


def black_hole(lab: Lab, seconds: float) -> BlackHole:
    """Let the active node's requests to EC2 vanish, for so long, and return the consequences."""
    active, _ = lab.active()
    fenced, told, began = len(lab.hypervisor.fenced), len(active.ec2kit_log()), time.time()
    lab.sandbox.fault("silent", server=active.name)
    failed: set[str] = set()
    while time.time() < began + seconds:
        failed |= _failed(lab)
        time.sleep(2)
    ages = re.findall(r"WARN:ec2kit:monitor:(?:vip|eip):620314:.* for [0-9]+ s\)", active.ec2kit_log()[told:])
    starts = [moment for node in lab.nodes.values() for moment in lab.called(node, "vip", "start", began)]
    return BlackHole(
        failed=sorted(failed),
        fenced=len(lab.hypervisor.fenced) - fenced,
        restarts=len(starts),
        ages=len(ages),
        outage=lab.client.outage(began) if lab.client.is_answered() else seconds,
    )


def _failed(lab: Lab) -> set[str]:
    """Return the failed operations that Pacemaker knows at this moment, "vip_monitor_10000 on node1: not running"."""
    found = lab.status().iterfind("failures/failure")
    return {f"{each.get('op_key')} on {each.get('node')}: {each.get('exitstatus')}" for each in found}


# -- monitors --------------------------------------------------------------------------------------------------------


def monitors(lab: Lab, seconds: float) -> float:
    """Measure the CPU seconds a minute of all agents of both nodes, while nothing happens."""
    before, began = _spent(lab), time.monotonic()
    time.sleep(seconds)
    return (_spent(lab) - before) * 60 / (time.monotonic() - began)


def _spent(lab: Lab) -> float:
    """Return the CPU seconds of all processes that the executors of both nodes have started and seen end."""
    ticks = 0
    for node in lab.nodes.values():
        stat = node.run("sh", "-c", "cat /proc/$(pidof pacemaker-execd)/stat")
        ticks += sum(map(int, stat.rpartition(")")[2].split()[13:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


# -- all of it -------------------------------------------------------------------------------------------------------


@dataclass
class Bench:
    """
    Give one lab to each contestant in turn.

    Attributes:
        keep: Called after each measurement, so that a later one that breaks takes nothing away.
    """

    lab: Lab
    results: Results
    keep: Callable[[], None]

    def turn(self, who: str, fencing: str = "fence_lab", *, with_dc: bool = True) -> Lab:
        """Make the cluster whole and idle, with one contestant's agents, on the DC's node as after a failover."""
        self.lab.settle()
        self.lab.place(with_dc=with_dc)
        self.lab.configure(front=CONTESTANTS[who](self.lab), fencing=FENCING[fencing](self.lab))
        self.lab.settle()
        sys.stderr.write(f"{time.strftime('%H:%M:%S')} {who}, {fencing}\n")
        return self.lab

    def failovers(
        self,
        event: str,
        measure: Callable[[Lab], Failover],
        *,
        runs: int,
        fencing: str = "fence_lab",
        with_dc: bool = True,
        contestants: Iterable[str] = BOTH,
    ) -> None:
        for _ in range(runs):
            for who in contestants:
                sample = measure(self.turn(who, fencing, with_dc=with_dc))
                sys.stderr.write(f"  {event}: {sample}\n")
                self.results.failovers.setdefault((event, who), []).append(sample)
                self.keep()

    def guides(self, *, runs: int) -> None:
        """Give the lab to each agent in the configuration of a guide, and then back to ec2kit's group."""
        self.lab.settle()
        for configuration in guided.CONFIGURATIONS:
            for _ in range(runs):
                for who in BOTH:
                    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {who}, {configuration}\n")
                    self.results.guided += guided.measure(self.lab, configuration, who, _tell)
        self.lab.configure(front=ours(self.lab), fencing=cib.fence_lab())
        self.lab.settle()

    def run(self, part: str, *, runs: int, seconds: float) -> None:
        if part == "killed":
            self.failovers(report.KILLED, killed, runs=runs)
            self.failovers(report.KILLED_BESIDE_DC, killed, runs=runs, with_dc=False)
            self.failovers(report.KILLED_BY_EC2, killed, runs=runs, fencing="fence_aws")
        elif part == "moved":
            self.failovers(report.MOVED, moved, runs=runs, contestants=CONTESTANTS)
        elif part == "weather":
            self.failovers(report.KILLED_IN_WEATHER, killed, runs=runs)
            self.failovers(report.MOVED_IN_WEATHER, moved, runs=runs, contestants=CONTESTANTS)
        elif part == "guides":
            self.guides(runs=runs)
        elif part == "black-hole":
            self.results.black_hole_seconds = seconds
            for who in BOTH:
                self.results.black_holes[who] = black_hole(self.turn(who), seconds)
        else:
            for who in BOTH:
                self.results.monitors[who] = monitors(self.turn(who), 60)


def _tell(what: object) -> None:
    sys.stderr.write(f"{what}\n")


def parts(text: str) -> list[str]:
    """Return the parts that were named, in their order."""
    named = text.split(",")
    if unknown := set(named) - set(PARTS):
        raise argparse.ArgumentTypeError(f"no such part: {', '.join(sorted(unknown))}; there are {','.join(PARTS)}")
    return [each for each in PARTS if each in named]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-cluster", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="failovers of each kind and contestant (default: 3)")
    parser.add_argument("--black-hole", type=float, default=300, metavar="SECONDS", help="default: 300")
    parser.add_argument("--only", type=parts, default=PARTS, metavar="PARTS", help=f"of {','.join(PARTS)}")
    parser.add_argument(
        "--add-to", type=Path, metavar="FILE", help="the results so far, so that parts may be run apart"
    )
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks")
    return parser.parse_args()


def main() -> None:
    """Measure, print, and write with --write."""
    options = _arguments()
    reason = why_not(CLUSTER)
    if reason:
        sys.exit(f"make bench-cluster: {reason}")
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the lab is taken down
    rivals.install()
    agents = [rivals.AGENTS / name for name in ("aws-vpc-move-ip", "awseip")]
    results = Results()
    if options.add_to is not None and options.add_to.exists():
        results = Results.of(json.loads(options.add_to.read_text()))

    def keep() -> None:
        if options.add_to is not None:
            options.add_to.write_text(json.dumps(results.told()))

    for weather, named in ((FINE, [each for each in options.only if each != "weather"]), (REAL, ["weather"])):
        of_it = [each for each in named if each in options.only]
        with built(tables=1, others=agents, weather=weather) if of_it else nullcontext() as lab:
            for part in of_it:
                Bench(lab, results, keep).run(part, runs=options.runs, seconds=options.black_hole)
                keep()
                if options.write:  # after each part, so that a later one that breaks takes nothing away
                    _write(results)
    sys.stdout.write("\n".join(_documents(results).values()))


def _documents(results: Results) -> dict[str, str]:
    """Return the documents of what was measured, each by its file."""
    found = {}
    if results.failovers or results.black_holes or results.monitors:
        found["cluster.md"] = report.whole(results, arguments=sys.argv[1:])
    if results.guided:
        found["agents.md"] = report.agents(results.guided, arguments=sys.argv[1:])
    return found


def _write(results: Results) -> None:
    RESULTS.mkdir(exist_ok=True)
    for name, text in _documents(results).items():
        (RESULTS / name).write_text(text, encoding="utf-8")
    if results.failovers:
        (RESULTS / "cluster.svg").write_text(report.picture(results), encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
