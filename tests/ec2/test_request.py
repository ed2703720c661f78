"""One request, against servers that answer, lie, drip and fall silent."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from ec2kit.ec2.operations import Ec2
from ec2kit.errors import (
    AwsGarbled,
    AwsRefused,
    AwsServerError,
    AwsThrottled,
    AwsUnknown,
    AwsUnreachable,
    CredentialsRejected,
    DeadlinePassed,
    Ec2KitError,
    NotSent,
    Overtaken,
    PermissionMissing,
)
from ec2kit.messages import catalogue

from ..builders import CIDR, ENI_A, ImpatientClock, LeapingClock, Lines
from ..scripted_server import (
    Behaviour,
    ScriptedServer,
    answers,
    drips,
    fails,
    hangs_up,
    says,
    scripted,
    silent,
    tables,
)
from .asking import AGES, DONE, ONE_TABLE, SLOW, an_ec2, look, silent_past, write

pytestmark = pytest.mark.usefixtures("credentials", "models_read_once")


# -- retries ---------------------------------------------------------------------------------------------


NOT_MADE = [
    pytest.param(fails("RequestLimitExceeded", 503), id="throttled-503"),
    pytest.param(fails("Throttling", 400), id="throttled-400"),
]

MAYBE_MADE = [
    pytest.param(fails("InternalError", 500), id="internal-error"),
    pytest.param(fails("Unavailable", 503), id="unavailable"),
    pytest.param(answers("<html>Bad Gateway</html>", 502), id="html-502"),
    pytest.param(answers("", 503), id="empty-503"),
    pytest.param(hangs_up, id="hung-up"),
    pytest.param(answers(""), id="empty-200"),
    pytest.param(answers("<html><body>login</body></html>"), id="html-200"),
]


@pytest.mark.parametrize("behaviour", NOT_MADE)
def test_write_passing_trouble_is_retried(behaviour: Behaviour) -> None:
    """What time can heal is tried again, until it is done, and each retry is logged with its reason."""
    lines = Lines()
    with scripted(behaviour, behaviour, DONE) as server:
        assert write(an_ec2(server.url, sink=lines)) == 3
    assert len(server.asked) == 3
    assert len(lines.of(catalogue.RETRYING)) == 2


@pytest.mark.parametrize("behaviour", NOT_MADE + MAYBE_MADE)
def test_look_passing_trouble_is_retried(behaviour: Behaviour) -> None:
    """A look-up is repeated whatever became of its answer."""
    lines = Lines()
    with scripted(behaviour, behaviour, ONE_TABLE) as server:
        assert look(an_ec2(server.url, sink=lines)) == ("rtb-1",)
    assert len(lines.of(catalogue.RETRYING)) == 2


@pytest.mark.parametrize("behaviour", MAYBE_MADE)
def test_write_that_may_have_been_carried_out_is_not_repeated_unseen(behaviour: Behaviour) -> None:
    """What EC2 made of it, a look tells; written again, it counts its attempts from the first one on."""
    with scripted(behaviour, DONE) as server:
        ec2 = an_ec2(server.url, max_retry=1)
        with pytest.raises(AwsUnknown) as caught:
            write(ec2)
        assert len(server.asked) == 1
        assert (caught.value.uncertain, caught.value.may_be_repeated) == (True, True)
        assert write(ec2) == 2


def test_write_refused_after_a_lost_answer_may_have_been_carried_out() -> None:
    """What the first attempt did, the refusal of the second does not tell."""
    with scripted(hangs_up, fails("InvalidParameterValue")) as server:
        ec2 = an_ec2(server.url)
        with pytest.raises(AwsUnreachable):
            write(ec2)
        with pytest.raises(AwsRefused) as caught:
            write(ec2)
    assert caught.value.uncertain


def test_write_of_another_object_counts_for_itself() -> None:
    """A lost answer about one table says nothing of another."""
    with scripted(hangs_up, DONE) as server:
        ec2 = an_ec2(server.url)
        with pytest.raises(AwsUnreachable):
            write(ec2)
        receipt = ec2.replace_route(route_table_id="rtb-2", destination_cidr_block=CIDR, network_interface_id=ENI_A)
    assert receipt.attempts == 1


def test_write_that_nobody_looks_for_is_repeated() -> None:
    """The source/destination check, which no look follows, is switched off by as many attempts as were asked for."""
    with scripted(hangs_up, says("ModifyNetworkInterfaceAttribute")) as server:
        ec2 = an_ec2(server.url, max_retry=0)
        assert ec2.switch_off_source_dest_check(network_interface_id=ENI_A, retries=1).attempts == 2


FINAL = [
    pytest.param(fails("UnauthorizedOperation", 403), PermissionMissing, "UnauthorizedOperation", id="permission"),
    pytest.param(fails("InvalidRouteTableID.NotFound"), AwsRefused, "InvalidRouteTableID.NotFound", id="not-found"),
    pytest.param(fails("InvalidParameterValue"), AwsRefused, "InvalidParameterValue", id="invalid"),
    pytest.param(fails("AuthFailure", 401), CredentialsRejected, "AuthFailure", id="rejected"),
    pytest.param(fails("SignatureDoesNotMatch", 403), CredentialsRejected, "SignatureDoesNotMatch", id="signature"),
    pytest.param(fails("RequestExpired"), CredentialsRejected, "RequestExpired", id="expired-keys"),
]


@pytest.mark.parametrize(("behaviour", "kind", "code"), FINAL)
def test_write_final_answer_fails_at_once_with_code_object_and_request_id(
    behaviour: Behaviour, kind: type[Ec2KitError], code: str
) -> None:
    """Where retrying cannot help there is one request, and the error keeps what AWS said."""
    with scripted(behaviour) as server, pytest.raises(kind) as caught:
        write(an_ec2(server.url))
    assert len(server.asked) == 1
    assert (caught.value.fields["code"], caught.value.fields["object"]) == (code, "rtb-1")
    assert caught.value.fields["request_id"] == "req-err"
    assert "req-err" in str(caught.value)
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        pytest.param(fails("RequestLimitExceeded", 503), AwsThrottled, id="throttled"),
        pytest.param(fails("InternalError", 500), AwsServerError, id="server-error"),
        pytest.param(hangs_up, AwsUnreachable, id="answer-lost"),
        pytest.param(answers("<ReplaceRouteResponse>cut"), AwsGarbled, id="answer-cut"),
    ],
)
def test_write_without_retries_makes_one_attempt(behaviour: Behaviour, kind: type[Ec2KitError]) -> None:
    """EC2_MAX_RETRY=0 is one attempt; what became of it is unknown and said so."""
    with scripted(behaviour) as server, pytest.raises(kind) as caught:
        write(an_ec2(server.url, max_retry=0))
    assert len(server.asked) == 1
    assert isinstance(caught.value, AwsUnknown)


def test_write_retries_limited_gives_up_after_them() -> None:
    """EC2_MAX_RETRY=2 is three attempts, whatever each of them met."""
    throttled = fails("RequestLimitExceeded", 503)
    with scripted(throttled, fails("InternalError", 500), throttled) as server:
        ec2 = an_ec2(server.url, max_retry=2)
        with pytest.raises(AwsServerError) as caught:
            write(ec2)
        assert caught.value.may_be_repeated
        with pytest.raises(AwsThrottled) as caught_at_last:
            write(ec2)
    assert len(server.asked) == 3
    assert (caught_at_last.value.uncertain, caught_at_last.value.may_be_repeated) == (True, False)


def test_look_retries_are_not_those_of_writes() -> None:
    """A check repeats its look-ups as often as it was told, whatever EC2_MAX_RETRY says."""
    with scripted(fails("InternalError", 500)) as server, pytest.raises(AwsServerError):
        look(an_ec2(server.url, look_retries=2, max_retry=0))
    assert len(server.asked) == 3


def test_write_trouble_without_end_ends_by_the_deadline_with_its_reason() -> None:
    """As many retries as fit, and then the reason is the trouble itself, not the deadline."""
    clock = ImpatientClock()
    with scripted(fails("RequestLimitExceeded", 503)) as server, pytest.raises(AwsThrottled):
        write(an_ec2(server.url, seconds=60, clock=clock))
    assert len(server.asked) > 5


class _ClockOfWhoOversleeps(ImpatientClock):
    def sleep(self, seconds: float) -> None:
        super().sleep(seconds + 3600)


@pytest.mark.parametrize("call", [look, write], ids=["look", "write"])
def test_trouble_before_the_deadline_passed_in_a_pause_is_the_reason(call: Callable[[Ec2], Any]) -> None:
    """That there was no time left for another attempt would not say why one was needed."""
    with scripted(fails("RequestLimitExceeded", 503)) as server, pytest.raises(AwsThrottled):
        call(an_ec2(server.url, seconds=60, clock=_ClockOfWhoOversleeps()))
    assert len(server.asked) == 1


def test_write_throttled_whose_next_turn_does_not_come_in_time_says_that_ec2_throttles() -> None:
    """The bucket that EC2's throttling emptied has no token before the deadline."""
    with scripted(fails("RequestLimitExceeded", 503)) as server, pytest.raises(AwsThrottled):
        write(an_ec2(server.url, seconds=200, write_burst=1, write_rate=0.001))
    assert len(server.asked) == 1


def test_look_hour_of_trouble_is_retried_to_its_end() -> None:
    """The longest deadline that can be set, spent on refused connections, ends with their reason."""
    with pytest.raises(NotSent):
        look(an_ec2("http://127.0.0.1:9", seconds=3600))


def test_write_without_an_answer_counts_as_sent_by_the_id_that_it_was_sent_with() -> None:
    """An association is ended by its own id, and planned by its address's: one of them is enough."""
    with scripted(fails("InternalError"), DONE) as server:
        ec2 = an_ec2(server.url)
        with pytest.raises(AwsServerError):
            ec2.disassociate_address(association_id="eipassoc-1")
        assert ec2.has_sent("DisassociateAddress", ("eipalloc-1", "eipassoc-1"))
        assert not ec2.has_sent("DisassociateAddress", ("eipalloc-1", "eipassoc-2"))
        write(ec2)
        assert not ec2.has_sent("ReplaceRoute", ("rtb-1",))


# -- time ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("behaviour", [pytest.param(silent, id="silent"), pytest.param(drips, id="dripping")])
@pytest.mark.parametrize("call", [look, write], ids=["look", "write"])
def test_call_server_silent_or_dripping_ends_by_the_deadline(
    behaviour: Behaviour, call: Callable[[Ec2], Any]
) -> None:
    """Neither silence nor a body that never ends holds up an action past its deadline."""
    began = time.monotonic()
    with scripted(behaviour) as server, pytest.raises((AwsUnknown, DeadlinePassed)):
        call(an_ec2(server.url, seconds=1.5, connect_timeout=0.2, read_timeout=0.3))
    assert time.monotonic() - began < SLOW


LATE = re.compile(r"no answer from EC2 .* none within ([0-9.]+) s")


def late_answers(told: Iterable[object]) -> list[str]:
    """The seconds of each attempt whose answer came too late."""
    return [found[1] for each in told if (found := LATE.search(str(each)))]


def test_look_answers_too_late_are_given_more_time_the_next_time() -> None:
    """The read time-out grows: once, twice, four times what is set."""
    lines, clock = Lines(), LeapingClock()
    with scripted(*[silent_past(clock)] * 4, ONE_TABLE) as server:
        look(an_ec2(server.url, seconds=AGES, clock=clock, sink=lines, connect_timeout=20, read_timeout=60))
    assert late_answers(lines.of(catalogue.RETRYING)) == ["80", "140", "260", "260"]


def test_write_answers_too_late_are_given_more_time_the_next_time() -> None:
    """For a write, too, that is made again after a look."""
    told: list[object] = []
    clock = LeapingClock()
    with scripted(silent_past(clock)) as server:
        ec2 = an_ec2(server.url, seconds=AGES, clock=clock, connect_timeout=20, read_timeout=60)
        for _ in range(4):
            with pytest.raises(AwsUnknown) as caught:
                write(ec2)
            told.append(caught.value)
    assert late_answers(told) == ["80", "140", "260", "260"]


def test_look_connection_refused_is_unreachable_and_retried() -> None:
    """A refused connection is silence of the network: retried, and no fault of the configuration."""
    lines = Lines()
    with pytest.raises(NotSent, match=r"http://127\.0\.0\.1:9.*Connection refused"):
        look(an_ec2("http://127.0.0.1:9", sink=lines))
    assert lines.of(catalogue.RETRYING)


def test_write_connection_refused_is_unreachable_and_may_be_repeated() -> None:
    """A write is repeated by the action, after a look; it was certainly not carried out."""
    with pytest.raises(NotSent) as caught:
        write(an_ec2("http://127.0.0.1:9"))
    assert (caught.value.may_be_repeated, caught.value.uncertain) == (True, False)


def test_call_name_cannot_be_resolved_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that knows no answer is silence of the network, too."""
    import socket

    def unresolved(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", unresolved)
    with pytest.raises(NotSent, match=r"ec2\.test\.invalid"):
        look(an_ec2("http://ec2.test.invalid", look_retries=1))


def test_call_resolver_hangs_ends_by_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that hangs cannot be interrupted, but left behind."""
    import socket
    import threading

    over, began, clock = threading.Event(), time.monotonic(), LeapingClock()

    def hanging(*_: Any, **__: Any) -> Any:
        clock.leap()
        over.wait(SLOW)
        raise socket.gaierror(socket.EAI_AGAIN, "it took too long")

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    with pytest.raises(NotSent, match=r"ec2\.test\.invalid"):
        look(an_ec2("http://ec2.test.invalid", clock=clock))
    over.set()
    assert time.monotonic() - began < SLOW


@pytest.mark.parametrize("call", [look, write], ids=["look", "write"])
def test_call_deadline_passed_sends_nothing(call: Callable[[Ec2], Any]) -> None:
    """After the deadline no request leaves."""
    clock = ImpatientClock()
    with scripted(DONE) as server:
        ec2 = an_ec2(server.url, seconds=10, clock=clock)
        clock.skipped += 11
        with pytest.raises(DeadlinePassed):
            call(ec2)
    assert server.asked == []


def test_write_process_stopped_before_sending_sends_nothing() -> None:
    """The deadline is looked at again right before the request leaves: a process that was stopped sends nothing."""
    clock = ImpatientClock()

    def stopped_meanwhile() -> None:
        clock.skipped += 3600

    with scripted(DONE) as server, pytest.raises((DeadlinePassed, AwsUnknown)):
        write(an_ec2(server.url, seconds=60, clock=clock, guard=stopped_meanwhile))
    assert server.asked == []


class _ClockOfAStoppedThread(ImpatientClock):
    """An hour has passed as soon as another thread than the test's reads it: that one was stopped before it sent."""

    def now(self) -> float:
        if threading.current_thread() is not threading.main_thread() and not self.skipped:
            self.skipped = 3600
        return super().now()


def test_write_process_stopped_right_before_it_leaves_sends_nothing() -> None:
    """The last look at the deadline is the one before the request leaves; none earlier would have kept it."""
    with scripted(DONE) as server, pytest.raises((DeadlinePassed, AwsUnknown)):
        write(an_ec2(server.url, seconds=60, clock=_ClockOfAStoppedThread()))
    assert server.asked == []


def test_write_given_up_before_it_leaves_is_not_sent() -> None:
    """Who was held up while it got ready, and was given up for it, does not send when it goes on."""
    held_up: list[threading.Thread] = []
    given_up = threading.Event()

    def guard() -> None:
        if threading.current_thread() is not threading.main_thread():
            held_up.append(threading.current_thread())
            given_up.wait(SLOW)

    with scripted(DONE) as server:
        for seconds in (0.5, 2, 8, 32):  # more, where the machine was too slow to come to the guard
            with pytest.raises(AwsUnknown):
                write(an_ec2(server.url, guard=guard, max_retry=0, connect_timeout=seconds, read_timeout=seconds))
            if held_up:
                break
        given_up.set()
        (thread,) = held_up
        thread.join(SLOW)
        assert server.asked == []


# -- the guard -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("looks", [0, 1], ids=["at-the-first-look", "right-before-it-leaves"])
def test_write_guard_raises_sends_nothing(looks: int) -> None:
    """An action that was overtaken sends no write, even if that happens right before it leaves."""
    asked: list[int] = []

    def guard() -> None:
        asked.append(1)
        if len(asked) > looks:
            raise Overtaken(newer="remove")

    with scripted(DONE) as server, pytest.raises(Overtaken):
        write(an_ec2(server.url, guard=guard))
    assert server.asked == []


class _UntilHeard:
    """A guard that lets all pass until the server has heard a request, which it answers by a behaviour."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._heard = False

    def heard(self, handler: Any) -> None:
        self._heard = True
        self._behaviour(handler)

    def __call__(self) -> None:
        if self._heard:
            raise Overtaken(newer="remove")


def test_write_guard_raises_while_the_answer_is_awaited_stops_waiting() -> None:
    """A write without an answer does not keep an overtaken action; EC2 may carry it out all the same."""
    guard = _UntilHeard(silent)
    with scripted(guard.heard) as server, pytest.raises(Overtaken) as caught:
        write(an_ec2(server.url, guard=guard))
    assert len(server.asked) == 1
    assert caught.value.uncertain


@pytest.mark.parametrize("behaviour", [silent, fails("InternalError", 500)], ids=["for-the-answer", "in-a-pause"])
def test_look_guard_raises_while_it_waits_stops_waiting(behaviour: Behaviour) -> None:
    """A look does not keep an overtaken action either."""
    guard = _UntilHeard(behaviour)
    with scripted(guard.heard) as server, pytest.raises(Overtaken):
        look(an_ec2(server.url, guard=guard))
    assert len(server.asked) == 1


def test_look_goes_without_the_permit_to_write() -> None:
    """What only a write needs does not end a look, however long that takes."""

    def never() -> None:
        raise Overtaken(newer="remove")

    clock = LeapingClock()
    with scripted(silent_past(clock), ONE_TABLE) as server:
        assert look(an_ec2(server.url, seconds=AGES, clock=clock, permit=never)) == ("rtb-1",)


def test_write_is_noted_before_it_leaves_and_when_it_has_ended() -> None:
    """What EC2 said before a write, or while it was on its way, is void; a look-up is no write."""
    noted: list[int] = []
    with scripted(ONE_TABLE, DONE) as server:
        ec2 = an_ec2(server.url, note_write=lambda: noted.append(len(server.asked)))
        look(ec2)
        write(ec2)
    assert noted == [1, 2]


# -- pace ------------------------------------------------------------------------------------------------


def test_write_bucket_empty_waits_for_a_token() -> None:
    """Writes beyond the burst are paced; look-ups are not."""
    clock = ImpatientClock()
    with scripted(DONE) as server:
        ec2 = an_ec2(server.url, seconds=1000, clock=clock, write_burst=1, write_rate=0.1)
        write(ec2)
        assert clock.skipped == 0
        write(ec2)
    assert clock.skipped > 5


def test_write_bucket_empty_for_longer_than_the_deadline_sends_nothing() -> None:
    """A write that cannot have its turn in time is not sent."""
    with scripted(DONE) as server:
        ec2 = an_ec2(server.url, seconds=200, write_burst=1, write_rate=0.001)
        write(ec2)
        with pytest.raises(DeadlinePassed):
            write(ec2)
    assert len(server.asked) == 1


# -- the server of these tests ---------------------------------------------------------------------------


def test_work_beside_the_next_request_begins_once_when_that_has_left() -> None:
    """It begins before the answer, which comes only then; the request after it begins nothing."""
    begun: list[str] = []
    has_begun = threading.Event()

    def begin() -> None:
        begun.append(threading.current_thread().name)
        has_begun.set()

    def answer(handler: Any) -> None:
        has_begun.wait(SLOW)
        ONE_TABLE(handler)

    with scripted(answer) as server:
        ec2 = an_ec2(server.url)
        ec2.beside_next(begin)
        assert look(ec2) == look(ec2) == ("rtb-1",)
        assert len(server.asked) == 2
    assert len(begun) == 1
    assert begun != [threading.current_thread().name]


def test_work_beside_the_next_request_waits_for_one_that_leaves() -> None:
    """A write that may not leave begins nothing; the look that leaves later does."""
    begun: list[None] = []

    def permit() -> None:
        raise Overtaken(newer="remove")

    with scripted(ONE_TABLE) as server:
        ec2 = an_ec2(server.url, permit=permit)
        ec2.beside_next(lambda: begun.append(None))
        with pytest.raises(Overtaken):
            write(ec2)
        assert not begun
        look(ec2)
    assert len(begun) == 1


def test_scripted_server_hears_what_is_sent() -> None:
    """The server of these tests answers in the order of its script, the last behaviour again and again."""
    with scripted(ONE_TABLE, tables()) as server:
        assert isinstance(server, ScriptedServer)
        ec2 = an_ec2(server.url)
        assert [look(ec2), look(ec2), look(ec2)] == [("rtb-1",), (), ()]
