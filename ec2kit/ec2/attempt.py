"""
One attempt to send one request passes through stages; the caller that waits for it may give it up at each of them.

The stages are: credentials, the name, the connection, the proxy, TLS, the permit to leave, and EC2's answer. An
attempt that is given up before its permit is never sent; one that is given up later may have been carried out.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ec2kit import errors
from ec2kit.deadline import Abandoned, Deadline
from ec2kit.errors import Ec2KitError
from ec2kit.messages import catalogue
from ec2kit.messages.catalogue import Message
from ec2kit.messages.statement import Reason

if TYPE_CHECKING:
    from ec2kit.role import Role

Stage = Callable[[str], Ec2KitError]
"""Returns the error of an attempt that ends in this stage for the given reason."""


_HELD_UP = 0.1
"""Seconds from the permit to the kernel; they are more only in a process that was stopped, or on a crowded server."""


def _nothing() -> None:
    """Do nothing: no other work waits for the request to leave."""


class Awaited(NamedTuple):
    """
    The answer that an attempt waits for, with the error for each way in which it may not come.

    Attributes:
        is_asked_for: True if EC2 or Route 53 is to answer, False if it is a service that gives credentials.
        late: It does not come in time.
        lost: The connection breaks.
        unusable: It is no HTTP, or is cut.
    """

    is_asked_for: bool
    late: Stage
    lost: Stage
    unusable: Stage


class Parcel(Protocol):
    """A request on its way out of this server; it can be called back as long as the kernel holds it back."""

    def hand_over(self) -> None:
        """Hand the request to the kernel, which holds it back for a fraction of a second; raises OSError."""

    def let_go(self) -> None:
        """Let the request leave now."""

    def call_back(self) -> bool:
        """Close the connection and discard the request; return False if it may have left already."""


class TooSlow(errors.AwsUnreachable):
    """There was no answer in time; the next attempt has more time."""


class Attempt:
    """
    Hold the state of one attempt; a thread makes the attempt, another one waits for it.

    Args:
        operation: EC2's name of the request, "ReplaceRoute".
        limit: The deadline of the attempt.
        connect_timeout: Seconds for each of the stages connection, proxy and TLS.
        last_look: Called right before the first byte leaves; nothing is sent if it raises.
        left: Called when a request to EC2 or Route 53 has left.
        has_another: True if another way to EC2 is left, so that no stage may take longer than connecting.
        role: The role whose keys sign the request. None: the server's own credentials do.

    Attributes:
        sent: True if EC2 may have got the request.
        on_its_way: True if the credentials are there: what fails then, before it is sent, is the way to EC2.
    """

    def __init__(
        self,
        operation: str,
        *,
        limit: Deadline,
        connect_timeout: float,
        last_look: Callable[[], None],
        left: Callable[[], None] = _nothing,
        has_another: bool = False,
        role: Role | None = None,
    ) -> None:
        self.operation = operation
        self.role = role
        self.limit = limit
        self.sent = False
        self.on_its_way = False
        self._has_another = has_another
        self.stage: Stage = partial(_no_credentials, operation)
        self._connect_timeout = connect_timeout
        self._last_look = last_look
        self._left = left
        self._lock = threading.Lock()
        self._given_up = False
        self._socket: socket.socket | None = None

    def doing(self) -> Reason | None:
        """Return what the attempt waits for: that of which it would fail if it were given up now."""
        error = self.stage("")
        message, more = _DOING.get(error.message.code, (None, {}))
        if message is None:
            return None
        return Reason(message, {**error.fields, **{name: form.format(**error.fields) for name, form in more.items()}})

    def enter(self, stage: Stage) -> None:
        """
        Begin a stage.

        Raises:
            Abandoned: The attempt was given up.
        """
        self.check()
        self.stage = stage

    def check(self) -> None:
        """Raise Abandoned if the attempt was given up."""
        if self._given_up:
            raise Abandoned

    def step(self) -> Deadline:
        """Return the deadline of a stage that begins now."""
        return self.limit.within(self._connect_timeout)

    @property
    def patience(self) -> Deadline:
        """Return the deadline of a look-up of a name that begins now."""
        return self.step() if self._has_another else self.limit

    def hold(self, connection: socket.socket) -> None:
        """
        Use a socket from now on, which is shut when the attempt is given up.

        Raises:
            Abandoned: The attempt was given up already.
        """
        with self._lock:
            self._socket = connection
            self.check()

    def release(self) -> None:
        """Leave the socket to other attempts."""
        with self._lock:
            self._socket = None

    def leave(self, awaited: Awaited, parcel: Parcel) -> None:
        """
        Ask for the permit to send a request to EC2 or Route 53, and send it at once; one for credentials needs none.

        The process may be stopped after it got the permit, for any time. Therefore the kernel is asked to hold the
        request back while the clock is read once more. If too much time has passed since the permit, another one is
        necessary.

        Raises:
            Abandoned: The attempt was given up.
            OSError: The connection takes no request.
        """
        began = self.limit.elapsed()
        if awaited.is_asked_for:
            self._last_look()
        with self._lock:
            self.enter(awaited.late)
            try:
                parcel.hand_over()
                if awaited.is_asked_for and self.limit.elapsed() - began > _HELD_UP:
                    self._look_again()
            except BaseException:
                self.sent = awaited.is_asked_for and not parcel.call_back()
                raise
            self.sent = awaited.is_asked_for
            parcel.let_go()
        if awaited.is_asked_for:
            self._left()

    def _look_again(self) -> None:
        """Raise unless the request may leave, although time has passed since its permit."""
        if self.limit.passed:
            raise Abandoned
        self._last_look()

    def give_up(self) -> Ec2KitError:
        """Let nothing leave from now on, and return the error of the stage that took too long."""
        with self._lock:
            self._given_up = True
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # below TLS, whose own would send in clear
            return self.stage(f"none within {self.limit.seconds:.3g} s")


_DOING: Mapping[int, tuple[Message, Mapping[str, str]]] = {
    catalogue.CREDENTIALS_MISSING.code: (catalogue.AWAITS_CREDENTIALS, {"service": "SDK"}),
    catalogue.CREDENTIALS_LATE.code: (catalogue.AWAITS_CREDENTIALS, {}),
    catalogue.NAME_UNRESOLVED.code: (catalogue.RESOLVES, {}),
    catalogue.NOT_CONNECTED.code: (catalogue.CONNECTS, {"place": "{address}"}),
    catalogue.PROXY_UNUSABLE.code: (catalogue.CONNECTS, {"place": "{proxy} (proxy)"}),
    catalogue.TLS_FAILED.code: (catalogue.CONNECTS, {"place": "{host} (TLS)"}),
    catalogue.NO_ANSWER.code: (catalogue.AWAITS_ANSWER, {}),
}
"""Code of the error in which a stage ends → what is done in that stage, and how its further fields are formed."""


def _no_credentials(operation: str, reason: str) -> Ec2KitError:
    """Return the error of an attempt that has not found credentials."""
    return errors.CredentialsMissing(operation=operation, reason=reason)


def unresolved(operation: str, name: str, reason: str) -> Ec2KitError:
    """Return the error of an attempt whose name has no address."""
    return errors.NotSent(catalogue.NAME_UNRESOLVED, operation=operation, name=name, reason=reason)


def not_connected(operation: str, address: str, reason: str) -> Ec2KitError:
    """Return the error of an attempt without a connection to EC2."""
    return errors.NotSent(catalogue.NOT_CONNECTED, operation=operation, address=address, reason=reason)


def no_way_through(operation: str, proxy: str, reason: str) -> Ec2KitError:
    """Return the error of an attempt whose proxy does not work."""
    return errors.NotSent(catalogue.PROXY_UNUSABLE, operation=operation, proxy=proxy, reason=reason)


def not_let_through(operation: str, proxy: str, reason: str) -> Ec2KitError:
    """Return the error of an attempt that its proxy refuses."""
    return errors.NotSent(catalogue.PROXY_REFUSES, operation=operation, proxy=proxy, reason=reason)


def no_tls(operation: str, host: str, reason: str) -> Ec2KitError:
    """Return the error of an attempt whose TLS handshake did not come to its end."""
    return errors.NotSent(catalogue.TLS_FAILED, operation=operation, host=host, reason=reason)


def wrong_certificate(operation: str, host: str, reason: str) -> Ec2KitError:
    """Return the error of an attempt whose peer does not prove its name."""
    return errors.NotSent(catalogue.CERTIFICATE_REFUSED, operation=operation, host=host, reason=reason)


def unusable_file(operation: str, *, path: str, origin: str, reason: str) -> Ec2KitError:
    """Return the error of an attempt that needs a file which the settings name."""
    return errors.NotSent(catalogue.FILE_UNUSABLE, operation=operation, path=path, origin=origin, reason=reason)


def answer_asked_for(operation: str, endpoint: str, *, service: str) -> Awaited:
    """Return the answer of EC2, or of Route 53, as awaited; a longer wait may help if it is late."""
    fields = {"operation": operation, "endpoint": endpoint, "service": service}
    return Awaited(
        True,
        late=lambda reason: TooSlow(**fields, reason=reason),
        lost=lambda reason: errors.AwsUnreachable(**fields, reason=reason),
        unusable=lambda reason: errors.AwsGarbled(**fields, reason=reason),
    )


def answer_of(service: str, request: str, operation: str) -> Awaited:
    """
    Return the answer of a service that gives credentials as awaited.

    Args:
        service: "sts".
        request: The request to that service, "AssumeRole".
        operation: The request to EC2 that needs the credentials.
    """
    late = partial(late_credentials, operation, service.upper(), request)
    return Awaited(False, late=late, lost=late, unusable=late)


def late_credentials(operation: str, service: str, request: str, reason: str) -> Ec2KitError:
    """Return the error of an attempt to which another service does not give credentials yet."""
    return errors.NotSent(
        catalogue.CREDENTIALS_LATE, operation=operation, service=service, request=request, reason=reason
    )


def refused_credentials(operation: str, service: str, request: str, reason: str) -> Ec2KitError:
    """Return the error of an attempt to which another service refuses credentials."""
    return errors.NotSent(
        catalogue.CREDENTIALS_REFUSED, operation=operation, service=service, request=request, reason=reason
    )


def words(error: BaseException) -> str:
    """Return the system's own words for an error, "Connection refused", otherwise the error's."""
    if isinstance(error, TimeoutError) and not error.errno:
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
