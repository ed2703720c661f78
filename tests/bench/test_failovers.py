"""What `make bench-cluster` says of made failovers."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import failover_report as report
from failover_report import OURS, THEIRS, BlackHole, Failover, Guided, Results

ROOT = Path(__file__).parents[2]
EVENT = report.KILLED


def failed_over(share: float, outage: float) -> Failover:
    return Failover(route=1.0, called=1.0, start=1.0, share=share, outage=outage, tcp=outage + 0.2)


def results(ours: list[Failover], theirs: list[Failover]) -> Results:
    return Results(failovers={(EVENT, OURS): ours, (EVENT, THEIRS): theirs})


def test_medians_that_are_small_enough_are_shown_with_their_spread() -> None:
    """The median counts, not the worst run, and the spread of all runs stands beside it."""
    ours = [failed_over(share, outage) for share, outage in ((0.3, 3.0), (0.4, 3.1), (9.0, 9.0))]
    text = report.whole(results(ours, [failed_over(4.0, 7.0)]), arguments=["--write"])
    assert "not shown" not in text
    assert "| 0.40 (0.30–9.00) | 3.10 (3.00–9.00) | 3.30 (3.20–9.20) |" in text
    assert "*simulated*" in text
    assert "`make bench-cluster ARGS='--write'`" in text


def test_what_is_not_so_is_said_not_to_be_shown() -> None:
    """A goal that was missed is said to be missed."""
    text = report.whole(results([failed_over(0.6, 5.0)], [failed_over(4.0, 7.0)]), arguments=[])
    assert text.count("**not shown**") == 2


def test_outage_that_fencing_decides_has_no_goal() -> None:
    """It is shown among the failovers, and only the agent's share is judged."""
    samples = {(report.KILLED_BY_EC2, who): [failed_over(0.2, 8.0)] for who in (OURS, THEIRS)}
    text = report.whole(Results(failovers=samples), arguments=[])
    assert "not shown" not in text
    assert "| 8.00 (8.00–8.00) |" in text


def test_a_region_with_latencies_has_goals_of_its_own() -> None:
    """There the agent's share of a failover and the outage of a planned move are compared with the others'."""
    events = (report.KILLED_IN_WEATHER, report.MOVED_IN_WEATHER)
    samples = {(event, who): [failed_over(4.0, 9.0)] for event in events for who in (OURS, THEIRS)}
    text = report.whole(Results(failovers=samples), arguments=[])
    assert text.count("**not shown**") == 2
    for event in events:
        samples[event, OURS] = [failed_over(1.3, 1.3)]
    assert "not shown" not in report.whole(Results(failovers=samples), arguments=[])


def test_parts_that_were_not_measured_are_left_out() -> None:
    """Only what was measured is told."""
    hole = BlackHole(failed=["vip_monitor_10000 on node1: error"], fenced=1, restarts=1, ages=0, outage=4.0)
    text = report.whole(Results(black_holes={THEIRS: hole}, black_hole_seconds=60), arguments=[])
    assert "| heartbeat | vip_monitor_10000 on node1: error | 1 | 1 | – | 4.00 |" in text
    assert "## Failovers" not in text


def test_agents_of_guides_stand_beside_one_another() -> None:
    """A row for each agent and contestant, with medians, failures of all runs, and a stop that failed."""
    ours = [Guided("awseip", "Red Hat", OURS, outage, 0.2, stopped=True, failures=0) for outage in (2.5, 2.6, 9.0)]
    theirs = [Guided("awseip", "Red Hat", THEIRS, 5.5, 6.0, stopped=not bad, failures=bad) for bad in (0, 2)]
    text = report.agents([*ours, *theirs], arguments=["--only", "guides", "--write"])
    assert "| awseip (Red Hat) | ec2kit | 3 | 2.60 (2.50–9.00) | 0.20 (0.20–0.20) | 0 | yes |" in text
    assert "| awseip (Red Hat) | heartbeat | 2 | 5.50 (5.50–5.50) | 6.00 (6.00–6.00) | 2 | **no** |" in text
    assert "`make bench-cluster ARGS='--only guides --write'`" in text


def test_picture_shows_each_median() -> None:
    """A bar for each contestant, as long as its outage."""
    picture = report.picture(results([failed_over(0.4, 3.0)], [failed_over(4.0, 7.0)]))
    texts = [each.text for each in ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]
    assert {"3.00", "7.00", f"{EVENT}, {OURS}", f"{EVENT}, {THEIRS}"} <= set(texts)


def test_bench_where_there_can_be_no_cluster_says_so_in_one_line() -> None:
    """Who is not root reads so, and nothing is begun."""
    code = "import os, runpy; os.geteuid = lambda: 1000; runpy.run_path('bench/failovers.py', run_name='__main__')"
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'bench'}"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "make bench-cluster: only root may make namespaces\n"
