"""One recovery for one failure."""

from __future__ import annotations

import threading

import pytest

from ec2kit.errors import Ec2KitError
from ec2kit.frameworks.lifekeeper.recovery import Recovery
from ec2kit.messages import catalogue

from ...builders import Desk, FakeClock, raises


class Deed:
    """What recover would do; counts how often it is done."""

    def __init__(self, error: Exception | None = None) -> None:
        self.done = 0
        self._error = error

    def __call__(self) -> str:
        self.done += 1
        if self._error:
            raise self._error
        return "changed"


def test_second_recovery_of_a_failure_does_nothing_and_succeeds(desk: Desk) -> None:
    """The first has put it right."""
    deed = Deed()
    Recovery(desk.action()).report()
    assert Recovery(desk.action()).once(deed, "nothing") == "changed"
    assert Recovery(desk.action()).once(deed, "nothing") == "nothing"
    assert deed.done == 1


def test_second_recovery_of_a_failure_fails_as_the_first_did(desk: Desk) -> None:
    """With the first one's reason, and without trying."""
    deed = Deed(Ec2KitError(catalogue.NOT_IN_SERVICE_HERE, reason="elsewhere"))
    Recovery(desk.action()).report()
    with raises(Ec2KitError, catalogue.NOT_IN_SERVICE_HERE):
        Recovery(desk.action()).once(deed, "nothing")
    with raises(Ec2KitError, catalogue.RECOVERY_FAILED_ALREADY, match="elsewhere"):
        Recovery(desk.action()).once(deed, "nothing")
    assert deed.done == 1


def test_next_failure_is_recovered_from_anew(desk: Desk) -> None:
    """What was done about an earlier one no longer counts."""
    deed = Deed()
    for _ in range(2):
        Recovery(desk.action()).report()
        Recovery(desk.action()).once(deed, "nothing")
    assert deed.done == 2


def test_recovery_without_a_reported_failure_is_always_done(desk: Desk) -> None:
    """A framework that begins recovery for reasons of its own is not refused for an old one."""
    deed = Deed()
    for _ in range(2):
        Recovery(desk.action()).once(deed, "nothing")
    assert deed.done == 2


def test_recovery_that_ended_long_ago_stops_no_later_one(desk: Desk) -> None:
    """A record that could not be replaced, on a full disk, must not stand in the way for ever."""
    deed = Deed()
    Recovery(desk.action()).report()
    Recovery(desk.action()).once(deed, "nothing")
    assert isinstance(desk.clock, FakeClock)
    desk.clock.sleep(61)
    Recovery(desk.action()).once(deed, "nothing")
    assert deed.done == 2


@pytest.mark.parametrize("text", ["{", '{"version": 1, "boot": "x", "ended": "?"}', '{"version": 1}'])
def test_damaged_record_means_that_recovery_is_done(desk: Desk, text: str) -> None:
    """It is only a help."""
    deed = Deed()
    Recovery(desk.action()).report()
    path = f"{desk.settings.run_dir}/{desk.resource.tag}.recovery.json"
    with open(path, "w") as file:
        file.write(text)
    Recovery(desk.action()).once(deed, "nothing")
    assert deed.done == 1


def test_recovery_that_runs_is_waited_for_and_ends_the_second_as_itself(desk: Desk) -> None:
    """Two at the same time: one acts."""
    begun, may_end = threading.Event(), threading.Event()

    def slow() -> str:
        begun.set()
        may_end.wait(100)
        return "changed"

    Recovery(desk.action()).report()
    first = threading.Thread(target=lambda: Recovery(desk.action()).once(slow, "nothing"))
    first.start()
    begun.wait(100)
    desk.seconds = 0.0
    with raises(Ec2KitError, catalogue.OTHER_ACTION):
        Recovery(desk.action()).once(Deed(), "nothing")
    may_end.set()
    first.join()
    desk.seconds = 300.0
    assert Recovery(desk.action()).once(Deed(), "nothing") == "nothing"
