"""
`make bench-fleet` simulates a thousand clusters in one account and region against EC2's published token buckets.

Nothing is sent and nothing is measured: clocks, servers and EC2 are numbers on a virtual clock. ec2kit's pace for
writes and its defaults are the real ones; its checks, restores and retries are written anew, in a few lines each.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from textwrap import fill

from clusters import AGAIN, CLUSTERS, DEFAULTS, FLEETS, GIVE_UP, VIPS, WAYS, Failover, load, zone_fails
from world import LATENCY

from ec2kit.sandbox.buckets import LOOKS, WRITES

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks" / "fleet.md"

INTERVALS = (10.0, 30.0, 60.0, 120.0, 300.0)
"""Seconds."""

OUTAGES = (("ours", None), ("ours", 30.0), ("ours", 120.0), ("an agent per resource", 120.0))
"""The ways to fail over, and the interval at which the others go on checking. None: they do not."""


# -- what is said --------------------------------------------------------------------------------------------

ASSUMED = f"""
Made by `make bench-fleet ARGS=--write`. All of it is *simulated*, on a virtual clock, with the same seed each time:
no request was sent, not even to the sandbox. {CLUSTERS:,} clusters of {VIPS} VIPs each, all in one account and
region, one route table each; only the active server of a cluster checks. EC2 throttles each operation by a token
bucket of its own, of the published size: {LOOKS[0]} and {LOOKS[1]}/s for a filtered DescribeRouteTables,
{WRITES[0]} and {WRITES[1]}/s for ReplaceRoute (EC2 developer guide, "Request throttling for the Amazon EC2 API").

Assumed: EC2 answers in {LATENCY:g} s, a throttled request takes no token, no other program in the account asks, and
every address is where it should be. A throttled look-up of quickCheck is repeated twice, a request of restore until
its deadline; awscli repeats twice by default. *Spread*: each server, or each check, has a random place in the
interval and keeps it; *at once* is without any such jitter. Where ours are not all spread, a server's checks follow
one another.
"""

ADVICE = f"""
**Spread, a server asks once an interval**: {CLUSTERS:,} clusters ask {CLUSTERS:,} / interval times a second, and EC2
gives {LOOKS[1]}. So the interval has to be longer than clusters / {LOOKS[1]}, in seconds: {CLUSTERS / LOOKS[1]:g} s
here, and more, since restore and all other programs take from the same bucket. LifeKeeper's
{DEFAULTS.lkcheckinterval:g} s are enough for {DEFAULTS.lkcheckinterval * LOOKS[1]:,.0f} clusters, whatever the number
of VIPs; a monitor per resource needs {CLUSTERS * VIPS / LOOKS[1]:g} s for this fleet.

**Below that requests multiply.** EC2 still gives its {LOOKS[1]} answers a second, but what was not answered is asked
again, by the retries and by the server's next check. quickCheck then says UNKNOWN, which moves nothing, but sees
nothing either; a monitor that takes it for "not running" fails over.

**A long interval does not help those who ask all at once** (timers on the full minute, servers booted together): the
bucket holds {LOOKS[0]} tokens. Let each server begin at another time.

**Where each resource has a timer of its own** (Pacemaker), checks seldom meet within the
{DEFAULTS.snapshot_max_age:g} s of `EC2_SNAPSHOT_MAX_AGE`. With half of the interval there, a server asks about twice
an interval or less, and {2 * CLUSTERS / LOOKS[1]:g} s are enough; a route that another program moved is noticed that
much later.
"""

ADVICE_OUTAGE = f"""
The bucket of ReplaceRoute sets the pace, whoever fails over: {CLUSTERS // 2 * VIPS:,} routes take at least
{(CLUSTERS // 2 * VIPS - WRITES[0]) / WRITES[1]:g} s, since {WRITES[0]} move at once and {WRITES[1]} a second after
that. So restores do fail at their {DEFAULTS.restore_timeout:g} s (`EC2_RESTORE_TIMEOUT`); here they are begun again
{AGAIN:g} s later, which not every framework does by itself. What helps is fewer routes in one account and region:
more of these, fewer VIPs a cluster, a higher limit from AWS. Checks of the others at short intervals take look-ups
from those that fail over.
"""


def page() -> str:
    """Return the whole page, as Markdown."""
    parts = [
        "# A fleet in one account",
        *_paragraphs(ASSUMED),
        loads(),
        "## What it says about intervals",
        *_paragraphs(ADVICE),
        outages(),
        *_paragraphs(ADVICE_OUTAGE),
    ]
    return "\n\n".join(parts) + "\n"


def _paragraphs(text: str) -> list[str]:
    return [fill(each, 120, break_on_hyphens=False) for each in text.strip().split("\n\n")]


def loads() -> str:
    """Return a row for each fleet and interval."""
    lines = [
        "## Checks",
        "",
        "Requests with their retries. *Without an answer*: ours says UNKNOWN; `aws-vpc-move-ip` says not running.",
        "",
        "| Who checks | every, s | requests/s | throttled | checks without an answer |",
        "|---|---|---|---|---|",
    ]
    for name, fleet in FLEETS.items():
        for interval in INTERVALS:
            each = load(fleet, interval)
            lines.append(
                f"| {name} | {interval:g} | {each.rate:,.0f} | {each.throttled:.0%} | {each.unanswered:.0%} |"
            )
    return "\n".join(lines)


def outages() -> str:
    """Return a row for each way to fail over."""
    lines = [
        "## A zone fails",
        "",
        f"{CLUSTERS // 2} clusters fail over at once, {VIPS} restores on each server side by side; the others go on",
        "with their checks, spread.",
        "",
        "| Who | the others check every, s | moved after 60 s | after 300 s | the last one moved, s "
        "| all restored, s | starts that failed | look-ups throttled | writes throttled |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, interval in OUTAGES:
        account, failover = zone_fails(*WAYS[name], interval)
        lines.append(
            f"| {name} | {f'{interval:g}' if interval else 'never'} | {failover.share_moved(60):.0%} "
            f"| {failover.share_moved(300):.0%} | {_last(failover.moved, failover)} "
            f"| {_last(failover.restored, failover)} | {failover.failed:,} "
            f"| {account.looks.share_throttled:.0%} | {account.writes.share_throttled:.0%} |"
        )
    return "\n".join(lines)


def _last(moments: list[float], failover: Failover) -> str:
    return f"{max(moments):.0f}" if len(moments) == failover.addresses else f"not within {GIVE_UP:g}"


def main() -> None:
    """Simulate, print, and write with --write."""
    parser = argparse.ArgumentParser(prog="make bench-fleet", description=__doc__)
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks")
    options = parser.parse_args()
    text = page()
    sys.stdout.write(text)
    if options.write:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
