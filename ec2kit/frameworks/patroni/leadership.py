"""
Patroni on this server is asked whether this member is the leader now, right before each write to EC2.

A leader that was paused, or cut off from the store in which Patroni keeps its lock, may still run a restore when
another member is the leader already. Patroni's own answer ends with the lock, by the clock. But a Patroni that was
paused in the middle of renewing the lock counts from the moment when it goes on, and says yes for the whole life of a
lock. So a yes after a pause counts only when Patroni has been at its store again.

Source: Patroni 4.1.5, "Patroni REST API", GET /leader; patroni/ha.py, update_lock and set_is_leader.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from ec2kit.deadline import Abandoned, Deadline, abandonable
from ec2kit.errors import ArgumentInvalid, Overtaken

if TYPE_CHECKING:
    import http.client

    from ec2kit.deadline import Clock

_SECONDS = 2.0
"""Seconds for one answer; Patroni asks PostgreSQL before it answers."""

_LASTS = 0.5
"""Seconds for which an answer counts."""

_PAUSE = 0.3
"""Seconds between two questions, and between two looks at the clock."""

_GAP = 2.0
"""Seconds without a look at the clock after which this process, and Patroni beside it, may have been paused."""

_VISITS = 2
"""Visits of Patroni at its store after a pause: it may have been in the middle of the first one."""

_DECIDES = 1.0
"""Seconds after a visit in which Patroni has acted on what it saw there."""

_LARGEST = 100_000


class NotLeader(Overtaken):
    """Patroni says that this member is not the leader, so nothing may be written for it."""


class LeaderUnknown(Overtaken):
    """Patroni does not say who is the leader, so nothing may be written before it does."""


class _Answer(NamedTuple):
    """Hold the HTTP status, and the second of Patroni's last visit at the store; None: Patroni does not say."""

    status: int
    seen: object


class Leadership:
    """
    The leadership of this member, as Patroni on this server tells it.

    Args:
        url: Of Patroni's REST API, "http://127.0.0.1:8008".
        authority: A file with the certificate authority of an https URL; "": those of the system.

    Raises:
        ArgumentInvalid: It is no URL.
    """

    def __init__(self, url: str, authority: str, clock: Clock) -> None:
        try:
            where = urlsplit(url)
            self._host, self._port, self._is_tls = where.hostname, where.port, where.scheme == "https"
        except ValueError as error:
            raise ArgumentInvalid(name="--api", reason=str(error)) from error
        if where.scheme not in ("http", "https") or not self._host:
            raise ArgumentInvalid(name="--api", reason=f"{url[:60]!a} is no http:// or https:// URL")
        self.url = f"{where.scheme}://{where.netloc.rpartition('@')[2]}"
        self._authority = authority
        self._clock = clock
        self._asking = threading.Lock()
        self._said_yes = -_LASTS
        self._doubt = _Doubt(clock)

    def check(self) -> None:
        """
        Raise unless this member is the leader; a yes of a moment ago counts.

        Raises:
            NotLeader: It is not.
            LeaderUnknown: Patroni does not answer, or was paused and has not been at its store since.
        """
        with self._asking:
            is_paused = self._doubt.look()
            if is_paused or not 0 <= self._clock.now() - self._said_yes < _LASTS:
                self._ask()

    def _ask(self) -> None:
        asked = self._clock.now()
        try:
            answer = abandonable(self._answer, Deadline(_SECONDS, self._clock))
        except Abandoned as error:
            raise self._unknown(f"no answer within {_SECONDS:g} s") from error
        except (OSError, ValueError) as error:
            raise self._unknown(getattr(error, "strerror", None) or str(error)) from error
        if answer.status == 503:
            raise NotLeader(newer=f"Patroni ({self.url}) said that this member is not the leader")
        if answer.status != 200:
            raise self._unknown(f"HTTP {answer.status}")
        if not self._doubt.is_settled_by(answer.seen):
            raise self._unknown("this server was paused, and Patroni has not been at its store since", silent=False)
        self._said_yes = asked

    def _unknown(self, reason: str, *, silent: bool = True) -> LeaderUnknown:
        """Return the error; a Patroni that was silent may have been paused alone."""
        if silent:
            self._doubt.begin()
        return LeaderUnknown(newer=f"Patroni ({self.url}) did not say who is the leader ({reason})")

    def _answer(self) -> _Answer:
        import http.client

        connection = self._connection()
        try:
            connection.request("GET", "/leader")
            with connection.getresponse() as answer:
                return _Answer(answer.status, _last_seen(answer.read(_LARGEST)))
        except http.client.HTTPException as error:
            raise ValueError(f"it is not HTTP ({type(error).__name__})") from error
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        import http.client

        host = str(self._host)
        if not self._is_tls:
            return http.client.HTTPConnection(host, self._port, timeout=_SECONDS)
        import ssl

        context = ssl.create_default_context(cafile=self._authority or None)
        return http.client.HTTPSConnection(host, self._port, timeout=_SECONDS, context=context)

    def await_yes(self, deadline: Deadline, *, soon: Deadline) -> None:
        """
        Wait until Patroni says that this member is the leader.

        Args:
            deadline: The end of waiting for an answer.
            soon: The end of waiting for a yes: an event may come a moment before the lock is seen.

        Raises:
            NotLeader, LeaderUnknown: The last answer.
        """
        while True:
            try:
                return self.check()
            except NotLeader:
                if soon.remaining() < _PAUSE:
                    raise
            except LeaderUnknown:
                if deadline.remaining() < _PAUSE:
                    raise
            deadline.pause(_PAUSE, "the leadership of this member")


def _last_seen(body: bytes) -> object:
    try:
        told = json.loads(body)
    except ValueError:
        return None
    return told.get("dcs_last_seen") if isinstance(told, dict) else None


class _Doubt:
    """
    The doubt about a yes of Patroni, which a pause of this process begins, and visits of Patroni at its store end.

    A thread looks at the clock all the time; a look that comes late shows that nothing ran here meanwhile.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._looked = clock.now()
        self._visits: list[object] | None = None
        self._settled = 0.0
        threading.Thread(target=self._look_on, daemon=True).start()

    def _look_on(self) -> None:
        while True:
            self.look()
            self._clock.sleep(_PAUSE)

    def look(self) -> bool:
        """Look at the clock, and tell whether there is a doubt."""
        with self._lock:
            now = self._clock.now()
            if now - self._looked > _GAP:
                self._visits = []
            self._looked = now
            return self._visits is not None

    def begin(self) -> None:
        """Begin to doubt each yes."""
        with self._lock:
            self._visits = []

    def is_settled_by(self, seen: object) -> bool:
        """
        Tell whether there is no doubt, or this yes ends it.

        Args:
            seen: The time of Patroni's last visit at its store, in any form that differs from visit to visit.
        """
        with self._lock:
            if self._visits is None:
                return True
            if seen is not None and seen not in self._visits:
                self._visits.append(seen)  # the first one may be of a time before the pause
                self._settled = self._clock.now() + _DECIDES
            if len(self._visits) <= _VISITS or self._clock.now() < self._settled:
                return False
            self._visits = None
            return True
