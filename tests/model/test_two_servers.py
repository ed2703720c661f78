"""Two servers that do what they like, while EC2 and the world do their worst: state machines by Hypothesis."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ec2kit.status import Status

from ..builders import (
    ALLOCATION,
    DEFAULT_ROUTE,
    DNS_RECORD,
    ELASTIC_IP,
    FOREIGN,
    OBJECTS,
    PREFIX_LIST,
    ROUTE_TABLE,
    SECONDARY_IP,
    SECONDARY_IPV6,
    SEVERAL,
    TAGGED,
    TWO_ACCOUNTS,
)
from .cluster import DEEDS, KINDS, SERVERS, Cluster, Fate
from .conftest import a_fast_folder

TOGETHER = 3
"""Actions at a time, at most."""

servers = st.sampled_from(SERVERS)


class TwoServers(RuleBasedStateMachine):
    """
    Actions of two servers, one step at a time in any order, under every fate; in the end, peace.

    The judge watches each step. At rest, a restore that nothing disturbs always brings the address to its server, and
    nobody takes it away again by itself.
    """

    scenario = ROUTE_TABLE

    @property
    def objects(self) -> tuple[str, ...]:
        return OBJECTS[self.scenario]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.cluster: Cluster

    @initialize(owner=st.sampled_from([None, *SERVERS]))
    def world(self, owner: str | None) -> None:
        self.cluster = Cluster(self.stack.enter_context(a_fast_folder()), self.scenario, owner)

    # -- what servers do --

    @precondition(lambda self: len(self.cluster.processes) < TOGETHER)
    @rule(server=servers, deed=st.sampled_from(sorted(DEEDS)))
    def begin(self, server: str, deed: str) -> None:
        self.cluster.begin(server, deed)

    @precondition(lambda self: self.cluster.processes)
    @rule(which=st.integers(0, TOGETHER - 1), steps=st.sampled_from([1, 2, 3, 5, 50]))
    def go_on(self, which: int, steps: int) -> None:
        process = self.cluster.processes[which % len(self.cluster.processes)]
        for _ in range(steps):
            if not process.has_ended:
                self.cluster.go_on(process)

    @precondition(lambda self: self.cluster.processes)
    @rule(
        which=st.integers(0, TOGETHER - 1),
        kind=st.sampled_from(KINDS[1:]),
        on=st.integers(0, 3),
        ago=st.integers(1, 3),
    )
    def go_on_in_trouble(self, which: int, kind: str, on: int, ago: int) -> None:
        process = self.cluster.processes[which % len(self.cluster.processes)]
        befallen = frozenset(each for bit, each in enumerate(self.objects) if on & 1 << bit)
        self.cluster.go_on(process, Fate(kind, befallen, ago))

    # -- what the world does --

    @rule(which=st.integers(0, 1), eni=st.sampled_from(["eni-a", "eni-b", FOREIGN, None]))
    def outside_hand(self, which: int, eni: str | None) -> None:
        self.cluster.outside_hand(self.objects[which % len(self.objects)], eni)

    @rule(server=servers, what=st.sampled_from(["kill", "reboot", "cut off", "time passes"]), much=st.integers(0, 4))
    def calamity(self, server: str, what: str, much: int) -> None:
        cluster = self.cluster
        if what == "kill" and cluster.processes:
            cluster.kill(cluster.processes[much % len(cluster.processes)])
        elif what == "reboot":
            cluster.reboot(server)
        elif what == "cut off":
            cluster.cut_off ^= {server}
        elif what == "time passes":
            cluster.time += 2.5**much

    # -- what must hold --

    @invariant()
    def nothing_is_lost(self) -> None:
        self.cluster.judge.look_around()
        assert not self.cluster.judge.complaints

    def teardown(self) -> None:
        with self.stack:
            if hasattr(self, "cluster"):
                self.cluster.finish()
                for server in SERVERS:
                    self.peace(server)

    def peace(self, server: str) -> None:
        """A restore that nothing disturbs succeeds, and then the address stays there whatever anybody checks."""
        cluster = self.cluster
        assert cluster.run(server, "restore").error is None
        assert cluster.owns(server, cluster.now)
        assert cluster.judge.claim == server
        for other in SERVERS:
            checked = cluster.run(other, "quickCheck").result
            assert checked.verdict.status is (Status.IN_SERVICE if other == server else Status.OUT_OF_SERVICE)
            assert (cluster.run(other, "recover").error is None) is (other == server)
        self.nothing_is_lost()


class TwoServersOneElasticIp(TwoServers):
    """The same for an Elastic IP, which a remove takes off."""

    scenario = ELASTIC_IP

    def peace(self, server: str) -> None:
        super().peace(server)
        cluster = self.cluster
        other = next(each for each in SERVERS if each != server)
        cluster.run(other, "remove")
        assert cluster.owns(server, cluster.now)
        cluster.run(server, "remove")
        assert cluster.now.held[ALLOCATION].association_id is None


class TwoServersOnePrivateAddress(TwoServers):
    """The same for a secondary private address, which a remove leaves."""

    scenario = SECONDARY_IP


class TwoServersOneIpv6Address(TwoServers):
    """The same for an IPv6 address, which moves in two steps."""

    scenario = SECONDARY_IPV6


class TwoServersOneRecordSet(TwoServers):
    """The same for a record set of Route 53, whose changes are pending for a while."""

    scenario = DNS_RECORD


class TwoServersOneDefaultRoute(TwoServers):
    """The same for a default route in listed tables."""

    scenario = DEFAULT_ROUTE


class TwoServersSeveralAddresses(TwoServers):
    """The same for several addresses, of which each route may fare otherwise."""

    scenario = SEVERAL


class TwoServersTaggedTables(TwoServers):
    """The same for the tables that have a tag."""

    scenario = TAGGED


class TwoServersOnePrefixList(TwoServers):
    """The same for a prefix list."""

    scenario = PREFIX_LIST


class TwoServersTwoAccounts(TwoServers):
    """The same for tables of two accounts, each of which is looked at for itself."""

    scenario = TWO_ACCOUNTS


BOUNDED = settings(max_examples=2 * settings.default.max_examples, stateful_step_count=60)  # type: ignore[union-attr]
"""A share that every run of the tests has time for; `--hypothesis-profile=thorough` gives fifty times as much."""

pytestmark = pytest.mark.timeout(600 + 2 * BOUNDED.max_examples)

TestTwoServers = TwoServers.TestCase
TestTwoServers.settings = BOUNDED
TestTwoServersOneElasticIp = TwoServersOneElasticIp.TestCase
TestTwoServersOneElasticIp.settings = BOUNDED
TestTwoServersOnePrivateAddress = TwoServersOnePrivateAddress.TestCase
TestTwoServersOnePrivateAddress.settings = BOUNDED
TestTwoServersOneIpv6Address = TwoServersOneIpv6Address.TestCase
TestTwoServersOneIpv6Address.settings = BOUNDED
TestTwoServersOneRecordSet = TwoServersOneRecordSet.TestCase
TestTwoServersOneRecordSet.settings = BOUNDED
TestTwoServersOneDefaultRoute = TwoServersOneDefaultRoute.TestCase
TestTwoServersOneDefaultRoute.settings = BOUNDED
TestTwoServersSeveralAddresses = TwoServersSeveralAddresses.TestCase
TestTwoServersSeveralAddresses.settings = BOUNDED
TestTwoServersTaggedTables = TwoServersTaggedTables.TestCase
TestTwoServersTaggedTables.settings = BOUNDED
TestTwoServersOnePrefixList = TwoServersOnePrefixList.TestCase
TestTwoServersOnePrefixList.settings = BOUNDED
TestTwoServersTwoAccounts = TwoServersTwoAccounts.TestCase
TestTwoServersTwoAccounts.settings = BOUNDED
