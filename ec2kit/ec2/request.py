"""
One request to EC2 is followed from its turn to its answer: attempts, pauses, and the deadline.

boto3 alone cannot keep a deadline: a body that drips defeats its read time-out, and the resolver ignores alarms. So
each attempt is made in a thread that can be given up, and retries are made here. When the connection stands, right
before a request leaves, the guard and the deadline are checked once more.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ec2kit import errors
from ec2kit.deadline import Abandoned, Deadline, abandonable
from ec2kit.ec2 import answers
from ec2kit.ec2.answers import Receipt
from ec2kit.ec2.attempt import Attempt, TooSlow
from ec2kit.ec2.client import LONGEST_READ_FACTOR, Client
from ec2kit.ec2.pace import Pace
from ec2kit.ec2.ways import Ways
from ec2kit.endpoints import Endpoint
from ec2kit.errors import AwsRefused, AwsUnknown
from ec2kit.messages import catalogue
from ec2kit.messages.log import Log
from ec2kit.messages.progress import Doing, doing
from ec2kit.messages.statement import Reason
from ec2kit.settings import Settings

if TYPE_CHECKING:
    from ec2kit.messages.statement import Statement
    from ec2kit.role import Role

Reduced = TypeVar("Reduced")

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
_ANY_NUMBER = 1_000_000

_AN_ATTEMPT = 0.1
"""Seconds that an attempt needs: one that begins with less could only hide the reason of the earlier ones."""


class Requests:
    """
    Make the requests of one action, each until it is answered, given up, or too late.

    Args:
        client: Sends the requests.
        ways: The ways to EC2, and which of them to try first.
        pace: Tells when the next write may leave.
        guard: Raises if the action may not go on; watched while anything waits.
        permit: Raises if a write may not leave, or need not be waited for; called right before each write.
        note_write: Called right before a write leaves, and when it has ended.
        one_bucket: The name of the bucket of all requests, looks too; "": writes have one for each operation.
    """

    _role: Role | None = None

    def __init__(
        self,
        client: Client,
        ways: Ways,
        pace: Pace,
        *,
        settings: Settings,
        deadline: Deadline,
        log: Log,
        guard: Callable[[], None],
        permit: Callable[[], None],
        look_retries: int | None,
        write_retries: int | None,
        repeats_writes: bool,
        note_write: Callable[[], None],
        one_bucket: str = "",
    ) -> None:
        self._one_bucket = one_bucket
        self._client = client
        self._ways = ways
        self._pace = pace
        self._settings = settings
        self._deadline = deadline
        self._log = log
        self._guard = guard
        self._permit = permit
        self._note_write = note_write
        self._look_retries = _ANY_NUMBER if look_retries is None else look_retries
        most = _ANY_NUMBER if settings.max_retry is None else int(settings.max_retry)
        self._write_retries = most if write_retries is None else min(most, write_retries)
        self._left_to_caller: type[AwsUnknown] | tuple[type[AwsUnknown], ...] = (
            (*_MAYBE_DONE, errors.NotSent) if repeats_writes else AwsUnknown
        )
        self._unanswered: dict[tuple[str, str], _Tries] = {}
        self._beside: deque[Callable[[], None]] = deque()

    def under(self, role: Role, pace: Pace) -> Requests:
        """Return the same requests, made under a role, of which the writes keep the pace of the role's account."""
        view = copy(self)
        view._role, view._pace = role, pace  # noqa: SLF001  (of its own kind)
        return view

    def look(
        self,
        operation: str,
        target: str,
        parameters: dict[str, Any],
        read: Callable[[Any], Reduced],
        *,
        retries: int | None = None,
    ) -> Reduced:
        """
        Ask EC2 something.

        Args:
            read: Reduces the answer; KeyError, IndexError, TypeError or ValueError mean that the answer is unusable.
            retries: Maximum retries of this call. None: the action's limit.
        """
        limit = self._look_retries if retries is None else retries
        call = _Call(operation, target, parameters, retries=limit, writes=False)
        return self._until_answered(call, read, _Tries(self._deadline.elapsed()))[0]

    def change(
        self,
        operation: str,
        target: str,
        parameters: dict[str, Any],
        *,
        retries: int | None = None,
        take_in: Callable[[Any], None] = answers.nothing,
    ) -> Receipt:
        """
        Let EC2 change something: paced, guarded, and checked right before it is sent.

        Args:
            take_in: Called with the answer; KeyError, IndexError, TypeError or ValueError mean that it is unusable.
            retries: Maximum retries of this call, even if an earlier attempt may have succeeded. None: the action's
                limit.
        """
        limit, left = (self._write_retries, self._left_to_caller) if retries is None else (retries, ())
        call = _Call(operation, target, parameters, retries=limit, writes=True, left_to_caller=left)
        tries = self._unanswered.setdefault((operation, target), _Tries(self._deadline.elapsed()))
        try:
            receipt = self._until_answered(call, take_in, tries)[1]
        finally:
            self._note_write()
        del self._unanswered[operation, target]
        return receipt

    def has_sent(self, operation: str, targets: Iterable[object]) -> bool:
        """Tell the same as `Ec2.has_sent`."""
        tries = [self._unanswered.get((operation, str(each))) for each in targets]
        return any(each is not None and each.attempts > 0 for each in tries)

    def beside_next(self, begin: Callable[[], None]) -> None:
        """Do the same as `Ec2.beside_next`."""
        self._beside.append(begin)

    def credentials_method(self) -> str:
        """Return the same as `Ec2.credentials_method`, within the time of one request."""
        attempt = self._attempt("any request", lambda: None, slow=0)
        return self._awaited(attempt, partial(self._client.credentials_method, attempt), self._guard)

    def garbled(self, operation: str, reason: str) -> errors.AwsGarbled:
        """Return the error for an answer that cannot be EC2's."""
        return self._client.garbled(operation, reason)

    # -- until it is answered --------------------------------------------------------------------------

    def _until_answered(self, call: _Call, read: Callable[[Any], Reduced], tries: _Tries) -> tuple[Reduced, Receipt]:
        with doing(tries.now):
            return self._tried(call, read, tries)

    def _tried(self, call: _Call, read: Callable[[Any], Reduced], tries: _Tries) -> tuple[Reduced, Receipt]:
        trouble: AwsUnknown | None = None
        pause = 0.0
        while True:
            try:
                self._wait_for_turn(call, tries, pause)
                tries.attempts += 1
                answer = self._one_attempt(call, tries)
                request_id = answer["ResponseMetadata"]["RequestId"]
                milliseconds = round((self._deadline.elapsed() - tries.began) * 1000, 1)
                return self._read(call, read, answer), Receipt(request_id, tries.attempts, milliseconds)
            except AwsUnknown as error:
                tries.note(error)
                error.uncertain = tries.uncertain
                error.may_be_repeated = tries.attempts <= call.retries
                if isinstance(error, call.left_to_caller):
                    raise
                trouble, pause = error, self._pause_before_retry(call, error, tries.attempts)
            except (AwsRefused, errors.Overtaken) as error:
                error.uncertain = error.uncertain or tries.uncertain
                raise
            except errors.DeadlinePassed as error:  # no attempt was made after the trouble, which used up the time
                raise trouble or error from None

    def _read(self, call: _Call, read: Callable[[Any], Reduced], answer: Any) -> Reduced:
        """Return the answer reduced; an answer that lacks something counts as none, and is asked for again."""
        try:
            return read(answer)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise self.garbled(call.operation, f"{error} is missing") from error

    def _wait_for_turn(self, call: _Call, tries: _Tries, pause: float) -> None:
        what = f"{call.operation} on {call.target}"
        self._deadline.pause(pause, what, self._guard)
        if call.writes or self._one_bucket:
            tries.doing = partial(Reason.of, catalogue.AWAITS_TURN, operation=call.operation)
            guard = self._permit if call.writes else self._guard
            self._pace.wait(self._one_bucket or call.operation, self._deadline, guard, what)

    def _pause_before_retry(self, call: _Call, error: AwsUnknown, attempt: int) -> float:
        """Return the seconds to wait before the next attempt, or raise the error if there is no next one."""
        pause = max(pause_after(attempt), error.retry_after)
        if not error.retryable or not error.may_be_repeated or pause + _AN_ATTEMPT >= self._deadline.remaining():
            raise error
        if error.fresh_client:
            self._client.drop()
        if isinstance(error, errors.AwsThrottled) and (call.writes or self._one_bucket):
            self._pace.throttled(self._one_bucket or call.operation, pause)
        self._log.put(
            catalogue.RETRYING,
            reason=error,
            attempt=attempt + 1,
            operation=call.operation,
            seconds=f"{pause:.2f}",
        )
        return pause

    # -- one attempt -----------------------------------------------------------------------------------

    def _one_attempt(self, call: _Call, tries: _Tries) -> Any:
        """
        Send one request by the first way on which it leaves this server.

        A way that fails before anything was sent gives place to the next at once; one that failed later, to the next
        attempt.
        """
        left = self._ways.in_order()
        failures: list[errors.NotSent] = []
        while left and not (failures and self._deadline.remaining() < _AN_ATTEMPT):
            way = left.pop(0)
            attempt = self._attempt(
                call.operation, partial(self._last_look, writes=call.writes), tries.slow, has_another=bool(left)
            )
            tries.doing = attempt.doing
            try:
                return self._by(way, attempt, call)
            except errors.NotSent as error:
                if not attempt.on_its_way:
                    raise
                self._ways.leave(way, error)
                failures.append(error)
        raise next((each for each in failures if each.retryable), failures[0])

    def _by(self, way: Endpoint, attempt: Attempt, call: _Call) -> Any:
        """Send one request by one way, and give it up when it takes longer than connecting and reading may."""
        work = partial(self._client.send, attempt, call.target, call.parameters, way)
        try:
            answer = self._awaited(attempt, work, self._permit if call.writes else self._guard)
            self._ways.keep(way)
            return answer
        except AwsRefused:
            self._ways.keep(way)
            raise
        except (errors.AwsUnreachable, errors.AwsGarbled) as error:
            self._ways.leave(way, error)
            raise
        except errors.Overtaken as error:
            error.uncertain = attempt.sent
            raise

    def _attempt(
        self, operation: str, last_look: Callable[[], None], slow: int, *, has_another: bool = False
    ) -> Attempt:
        """Return an attempt that leaves half of the remaining time to another way, if there is one."""
        settings = self._settings
        seconds = settings.connect_timeout + settings.read_timeout * min(2**slow, LONGEST_READ_FACTOR)
        if has_another:
            seconds = min(seconds, self._deadline.remaining() / 2)
        return Attempt(
            operation,
            limit=self._deadline.within(seconds),
            connect_timeout=settings.connect_timeout,
            last_look=last_look,
            left=self._begin_beside,
            has_another=has_another,
            role=self._role,
        )

    def _begin_beside(self) -> None:
        """Begin what waits for a request to leave; if two leave at the same time, one of them begins it."""
        while True:
            try:
                begin = self._beside.popleft()
            except IndexError:
                return
            begin()

    def _awaited(self, attempt: Attempt, work: Callable[[], Reduced], watch: Callable[[], None]) -> Reduced:
        """Wait for an attempt; whatever ends the wait, an attempt that has not left this server never does."""
        try:
            return abandonable(work, attempt.limit, watch)
        except Abandoned as error:
            raise attempt.give_up() from error
        except BaseException:
            attempt.give_up()
            raise

    def _last_look(self, *, writes: bool) -> None:
        """Raise unless the request may leave: a process that was stopped, or was overtaken, sends nothing."""
        if writes:
            self._note_write()
            self._permit()
        self._deadline.check("sending the request")


def pause_after(attempt: int) -> float:
    """Return the seconds from one attempt, the first is 1, to the next: at random, and longer with each."""
    return random.uniform(0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(attempt, 10)))


class _Call(NamedTuple):
    """
    Describe one request, which may be sent several times.

    Attributes:
        left_to_caller: The errors after which the caller decides whether the request is sent again.
    """

    operation: str
    target: str
    parameters: dict[str, Any]
    retries: int
    writes: bool
    left_to_caller: type[AwsUnknown] | tuple[type[AwsUnknown], ...] = ()


def _nothing() -> None:
    """Tell of nothing: the request has not begun to wait."""


class _Tries:
    """
    Count the tries of one request; those of a write include earlier calls, until there is an answer.

    Attributes:
        began: The moment of the first try, in seconds of the action.
        slow: The number of tries without an answer in their time.
        uncertain: True if one of the tries may have been carried out.
        doing: Tells what the request waits for, or what its last attempt waited for.
    """

    def __init__(self, began: float) -> None:
        self.began = began
        self.attempts = 0
        self.slow = 0
        self.uncertain = False
        self.doing: Doing = _nothing

    def now(self) -> Statement | None:
        """Return what the request waits for at this moment."""
        return self.doing()

    def note(self, error: AwsUnknown) -> None:
        self.slow += isinstance(error, TooSlow)
        self.uncertain = self.uncertain or isinstance(error, _MAYBE_DONE)


_MAYBE_DONE = (errors.AwsUnreachable, errors.AwsServerError, errors.AwsGarbled)
"""Errors after which the request may nevertheless have been carried out."""
