"""What the metadata service announces, in AWS's form and in others."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ec2kit.deadline import Deadline
from ec2kit.host.announcement import Announced, Kind, look

from ..patience import HANGS
from ..scripted_server import answers, scripted
from .service import at, imds

SCHEDULED = "meta-data/events/maintenance/scheduled"
INTERRUPTION = "meta-data/spot/instance-action"
ADVICE = "meta-data/events/recommendations/rebalance"

EVENT = {
    "NotBefore": "21 Jan 2019 09:00:43 GMT",
    "Code": "system-reboot",
    "Description": "scheduled reboot",
    "EventId": "instance-event-0d59937288b749b32",
    "NotAfter": "21 Jan 2019 09:17:23 GMT",
    "State": "active",
}
"""The example of the EC2 user guide."""

QUIET = {SCHEDULED: "[]"}


def looked(folder: Path, items: dict[str, str], service: Callable[[Any], None] | None = None) -> Announced:
    with scripted(service or imds(items)) as server:
        return look(at(server, folder), Deadline(HANGS))


def test_look_without_an_announcement_finds_none(tmp_path: Path) -> None:
    """An empty list and two items that do not exist, as on almost every instance; also without the list."""
    assert looked(tmp_path, QUIET) == Announced(())
    assert looked(tmp_path, {}) == Announced(())


def test_look_reads_what_aws_documents(tmp_path: Path) -> None:
    """Each kind with its time, the most urgent first; the time left is by the service's own clock."""
    items = {
        SCHEDULED: json.dumps([EVENT]),
        INTERRUPTION: '{"action": "terminate", "time": "2017-09-18T08:22:00Z"}',
        ADVICE: '{"noticeTime": "2020-10-27T08:22:00Z"}',
    }
    found, unknown = looked(tmp_path, items)
    assert unknown is None
    assert [(each.kind, each.code, each.identifier, each.moment) for each in found] == [
        (Kind.INTERRUPTION, "terminate", "", 1505722920.0),
        (Kind.EVENT, "system-reboot", "instance-event-0d59937288b749b32", 1548061243.0),
        (Kind.REBALANCE, "rebalance", "", 1603786920.0),
    ]
    assert str(found[1]) == "system-reboot (instance-event-0d59937288b749b32) at 2019-01-21 09:00:43 UTC"
    assert str(found[0]) == "terminate (interruption) at 2017-09-18 08:22:00 UTC"


def test_look_asks_the_service_what_time_it_is(tmp_path: Path) -> None:
    """The clock of this server does not count."""

    def behave(handler: Any) -> None:
        handler.date_time_string = lambda *_: "Mon, 21 Jan 2019 09:00:13 GMT"
        imds({SCHEDULED: json.dumps([EVENT])})(handler)

    found, _ = looked(tmp_path, {}, behave)
    assert [each.left for each in found] == [30.0]


@pytest.mark.parametrize("state", ["completed", "canceled", "Completed"])
def test_look_leaves_out_events_that_are_over(tmp_path: Path, state: str) -> None:
    """If they should be listed at all."""
    items = {SCHEDULED: json.dumps([{**EVENT, "State": state}, {**EVENT, "EventId": "x"}])}
    assert [each.identifier for each in looked(tmp_path, items).found] == ["x"]


def test_look_takes_an_event_without_an_end(tmp_path: Path) -> None:
    """A retirement has none, or an empty one; a state that no version knows is not over."""
    bare = {"NotBefore": "1 Feb 2027 06:00:00 GMT", "Code": "instance-stop", "State": "rescheduled"}
    (found,) = looked(tmp_path, {SCHEDULED: json.dumps([{**bare, "NotAfter": ""}])}).found
    assert (found.code, found.identifier) == ("instance-stop", "")


NO_EVENTS = [
    "",
    "nonsense",
    "{}",
    "null",
    "3",
    '"x"',
    '[{"Code": "x"}]',
    '[{"NotBefore": "soon", "Code": "x"}]',
    "[3]",
]


@pytest.mark.parametrize("text", [*NO_EVENTS, "[" * 20000, '[{"NotBefore": 7, "Code": "x"}]'])
def test_look_at_what_is_no_list_of_events_says_that_it_is_not_known(tmp_path: Path, text: str) -> None:
    """And hides no interruption."""
    items = {SCHEDULED: text, INTERRUPTION: '{"action": "stop", "time": "2017-09-18T08:22:00Z"}'}
    found, unknown = looked(tmp_path, items)
    assert [each.code for each in found] == ["stop"]
    assert unknown is not None
    assert SCHEDULED in str(unknown)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"action": "stop"}', '{"action": "stop", "time": "soon"}', "null"])
def test_look_at_what_is_no_interruption_says_that_it_is_not_known(tmp_path: Path, text: str) -> None:
    """A page of another program is no announcement."""
    found, unknown = looked(tmp_path, {**QUIET, INTERRUPTION: text})
    assert (found, unknown is None) == ((), False)


@pytest.mark.parametrize("status", [403, 500, 503])
def test_look_at_a_service_that_refuses_says_that_it_is_not_known(tmp_path: Path, status: int) -> None:
    """An error is no "nothing"."""
    found, unknown = looked(tmp_path, {}, answers("", status))
    assert (found, unknown is None) == ((), False)
