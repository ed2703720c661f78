"""One command at a time changes a definition; who is killed holds up the others for a minute only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ec2kit.deadline import Deadline
from ec2kit.errors import BadRequest
from ec2kit.holding import Holding
from ec2kit.messages import catalogue
from ec2kit.state.claim import SECONDS, Claimant, Claims
from ec2kit.state.file import StateFile

from ..builders import FakeClock, raises

ONE, OTHER = Claimant("server-a", "one"), Claimant("server-b", "other")
TAG = "ec2-vip1"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def claims(tmp_path: Path, clock: FakeClock) -> Iterator[Claims]:
    """Those of a server that ONE has claimed a resource on."""
    found = Claims(str(tmp_path), clock)
    found.take(TAG, ONE, Deadline(5))
    yield found
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".tmp"] == []


def test_take_of_a_tag_that_another_server_has_claimed_is_refused(claims: Claims) -> None:
    """It says whose command it is; another tag is free, and so is this one once it was released."""
    with raises(BadRequest, catalogue.CLAIMED, match="server-a"):
        claims.take(TAG, OTHER, Deadline(5))
    claims.take("ec2-vip2", OTHER, Deadline(5))
    claims.release(TAG, (ONE.token,), Deadline(5))
    claims.take(TAG, OTHER, Deadline(5))


def test_take_where_the_claim_of_a_killed_command_is_too_old_succeeds(claims: Claims, clock: FakeClock) -> None:
    """The killed one may not use it any more, if it was only stopped."""
    clock.time += SECONDS + 1
    claims.take(TAG, OTHER, Deadline(5))
    with raises(BadRequest, catalogue.CLAIM_LOST), claims.used(TAG, ONE.token, Deadline(5)):
        pytest.fail("two commands changed one definition")


def test_used_claim_that_is_old_and_was_not_taken_still_counts(claims: Claims, clock: FakeClock) -> None:
    """A slow command goes on, and has its claim anew."""
    clock.time += SECONDS + 1
    with claims.used(TAG, ONE.token, Deadline(5)):
        pass
    with raises(BadRequest, catalogue.CLAIMED):
        claims.take(TAG, OTHER, Deadline(5))


def test_used_claim_that_was_renewed_is_lost_to_a_request_that_comes_late(claims: Claims) -> None:
    """A store whose answer was not waited for changes nothing once the old definition is being put back."""
    with claims.used(TAG, ONE.token, Deadline(5), renewed="new"):
        pass
    with raises(BadRequest, catalogue.CLAIM_LOST), claims.used(TAG, ONE.token, Deadline(5)):
        pytest.fail("it came too late")
    with claims.used(TAG, "new", Deadline(5)):
        pass


def test_used_claim_of_another_boot_is_lost(claims: Claims, tmp_path: Path) -> None:
    """What was stored in between, no server knows."""
    note = StateFile(str(tmp_path / f"{TAG}.claim.json"))
    note.write({**(note.read() or {}), "boot": "another"})
    with raises(BadRequest, catalogue.CLAIM_LOST), claims.used(TAG, ONE.token, Deadline(5)):
        pytest.fail("it counted")


def test_by_this_command_while_another_of_this_server_runs_is_refused(claims: Claims) -> None:
    """So a claim of this server under another token is that of a dead command, and gives way."""
    with claims.by_this_command(TAG, "server-a") as mine:
        with raises(BadRequest, catalogue.CLAIMED), claims.by_this_command(TAG, "server-a"):
            pytest.fail("two commands of one server")
        claims.take(TAG, mine, Deadline(5))
    with claims.by_this_command(TAG, "server-a"):
        pass


def test_addresses_are_those_of_creates_under_way(claims: Claims, clock: FakeClock) -> None:
    """Another create, or an extend, must not take such an address."""
    mine = (Holding("route 10.1.0.20/32", ("rtb-1", "nat=a")), Holding("another"))
    claims.take("ec2-vip2", ONE, Deadline(5), address="10.1.0.20", holdings=mine)
    assert (claims.addresses(), claims.holdings()["ec2-vip2"]) == ({"ec2-vip2": "10.1.0.20"}, mine)
    clock.time += SECONDS + 1
    assert (claims.addresses(), claims.holdings()) == ({}, {})
