"""
Record set scenario: definitions, and decisions from every interrupted state, undone as well.

Single decisions are files: tests/situations/dns-record/.
"""

from __future__ import annotations

from typing import Any

import pytest

from ec2kit.ec2.route53 import RecordSet
from ec2kit.errors import ArgumentInvalid
from ec2kit.scenarios import dns_record
from ec2kit.scenarios.dns_record import Observed, Own, claimants, plan, undo
from ec2kit.scenarios.dns_record.create import understood
from ec2kit.scenarios.dns_record.definition import canonical_name, canonical_targets
from ec2kit.status import Change, Wanted

from ..builders import DNS_RECORD, ENI_B, ENI_C, IP_A, IP_B, RECORD, a_resource, a_server

HERE, THERE, FOREIGN = RecordSet(10, (IP_A,)), RecordSet(10, (IP_B,)), RecordSet(300, ("192.0.2.1", "192.0.2.2"))


class _World:
    """One record set, to which changes are applied purely, as strictly as Route 53 does."""

    def __init__(self, record: RecordSet | None) -> None:
        self.record = record

    @property
    def seen(self) -> Observed:
        return Observed(a_resource(DNS_RECORD), a_server(), self.record, (IP_A,))

    def make(self, change: Change) -> None:
        told = {name: str(value) for name, value in change.arguments.items()}
        if told["instead_of"]:
            assert self.record == _read(told["instead_of"]), "Route 53 deletes only what is named exactly"
            self.record = None
        if told["action"] == "DELETE":
            assert self.record == _read(told["record"]), "Route 53 deletes only what is named exactly"
            self.record = None
            return
        assert told["action"] == "UPSERT" or self.record is None, "Route 53 creates only what is not there"
        self.record = _read(told["record"])


def _read(text: str) -> RecordSet:
    ttl, values = text.split(" ")
    return RecordSet(int(ttl), tuple(values.split(",")))


@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("before", [None, THERE, FOREIGN, HERE])
def test_plan_brings_any_record_set_here_and_undo_gives_its_origin_back(
    before: RecordSet | None, conditional: bool
) -> None:
    """Also one that was not there, and one with several values; both ways by steps that Route 53 accepts."""
    world = _World(before)
    origin = dns_record.origin(world.seen)
    for change in plan(world.seen, Wanted.HERE, {}, conditional=conditional).changes:
        world.make(change)
    assert world.record == HERE
    assert plan(world.seen, Wanted.HERE, {}, conditional=conditional).changes == ()
    for change in undo(world.seen, origin).changes:
        world.make(change)
    assert (world.record, undo(world.seen, origin).changes) == (before, ())


def test_recover_that_was_overtaken_between_look_and_write_changes_nothing() -> None:
    """The write names what was seen, so Route 53 refuses it if another server has written since."""
    for before in (None, FOREIGN):
        world = _World(before)
        (change,) = plan(world.seen, Wanted.HERE, {}, conditional=True).changes
        world.record = THERE
        with pytest.raises(AssertionError, match="Route 53"):
            world.make(change)
        assert world.record == THERE


def _claimants(record: RecordSet | None, *points_at: str) -> tuple[str, ...]:
    resource = a_resource(DNS_RECORD, own=Own("Z1", "A", "10", points_at))
    seen = Observed(resource, a_server(), record, ("203.0.113.5",))
    return claimants(seen, seen.target)


def test_owner_that_the_record_set_does_not_tell_may_be_any_other_server() -> None:
    """Only the server itself knows its public address: each of the others is asked before recover takes the name."""
    assert _claimants(THERE, "private") == (ENI_B,)
    assert _claimants(RecordSet(10, ("203.0.113.7",)), "public") == (ENI_B, ENI_C)
    assert _claimants(RecordSet(10, ("203.0.113.5",)), "public") == ("eni-a",)
    assert _claimants(None, "public") == ()
    assert _claimants(RecordSet(10, ("192.0.2.9",)), "server-b=192.0.2.2") == ("192.0.2.9",)


@pytest.mark.parametrize(
    ("kind", "texts", "expected"),
    [
        pytest.param("A", ["private"], ("private",), id="private"),
        pytest.param("AAAA", ["public"], ("public",), id="public"),
        pytest.param("A", ["n1=192.0.2.1", "n2=192.0.2.2"], ("n1=192.0.2.1", "n2=192.0.2.2"), id="one each"),
        pytest.param("AAAA", ["n1=2001:DB8::0:1"], ("n1=2001:db8::1",), id="usual form"),
        pytest.param("CNAME", ["n1=A.example.ORG."], ("n1=a.example.org",), id="name"),
        pytest.param("A", ["192.0.2.1"], ("192.0.2.1",), id="one for any server"),
        pytest.param("CNAME", ["private"], None, id="name that is an address"),
        pytest.param("A", ["n1=192.0.2.1", "n1=192.0.2.2"], None, id="two for one"),
        pytest.param("A", ["n1=192.0.2.1", "192.0.2.2"], None, id="one for any beside one"),
        pytest.param("A", ["n1=2001:db8::1"], None, id="of the other family"),
        pytest.param("A", ["private", "public"], None, id="both"),
        pytest.param("A", [], None, id="nothing"),
    ],
)
def test_targets_fit_the_type_and_name_each_server_once(
    kind: str, texts: list[str], expected: tuple[str, ...] | None
) -> None:
    """One value has one form, in which definitions are compared; what Route 53 would refuse is refused before."""
    if expected is not None:
        assert canonical_targets(kind, tuple(texts)) == expected
        return
    with pytest.raises(ValueError, match=r"."):
        canonical_targets(kind, tuple(texts))


@pytest.mark.parametrize(
    "name", ["", "db", "*.example.com", "a..b", "-a.example.com", "a b.example.com", "x" * 64 + ".de"]
)
def test_name_that_is_no_plain_name_is_refused(name: str) -> None:
    """A wildcard is another thing than a server, and the rest is no name."""
    with pytest.raises(ValueError, match="not a DNS name"):
        canonical_name(name)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        pytest.param({"record": RECORD}, "hosted-zone", id="no zone"),
        pytest.param({"hosted_zone_id": "Z1"}, "record", id="no name"),
        pytest.param({"hosted_zone_id": "Z1", "record": RECORD, "points_at": "192.0.2.1"}, "points-at", id="for all"),
        pytest.param({"hosted_zone_id": "Z1", "record": RECORD, "record_type": "CNAME"}, "points-at", id="no names"),
    ],
)
def test_create_that_is_told_too_little_names_the_option(given: dict[str, Any], named: str) -> None:
    """Each is refused before AWS is asked; one value for all servers would never move."""
    with pytest.raises(ArgumentInvalid, match=named):
        understood(given, None)


def test_create_completes_what_it_is_told() -> None:
    """Type, target and time to live have the defaults of the heartbeat agent."""
    complete = understood({"hosted_zone_id": "Z1", "record": RECORD}, None)
    assert {name: complete[name] for name in ("record_type", "points_at", "ttl")} == {
        "record_type": "A",
        "points_at": "private",
        "ttl": "10",
    }
