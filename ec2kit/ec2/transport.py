"""
Requests that the SDK has signed leave this server here, over connections that ec2kit opens and owns.

botocore lets a handler of its event `before-send` return the answer itself. So this module resolves names, connects,
passes proxies and speaks TLS within the attempt's time, asks for the permit when the connection stands, and sends
then. botocore keeps the model, the credentials, the signature and the reading of answers.
"""

from __future__ import annotations

import contextlib
import fcntl
import select
import socket
import struct
import threading
from base64 import b64encode
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import unquote, urlsplit

from ec2kit import errors
from ec2kit.deadline import Begun, Deadline
from ec2kit.ec2 import attempt as stages
from ec2kit.ec2.attempt import Attempt, Awaited, words
from ec2kit.ec2.dial import Names, Place, connected

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from ec2kit.ec2.trust import Trust

NOWHERE = "http://127.0.0.1:0"
"""The proxy that botocore's own HTTP gets: a request that passes the handler by does not leave this server."""

_PORTS = {"http": 80, "https": 443}
_UNSENT = 0x894B
"""SIOCOUTQNSD. Source: Linux, include/uapi/linux/sockios.h."""

_AT_ONCE = 0.001
"""Seconds for what has no time left: 0 would mean something else to a socket."""


class Proxy(NamedTuple):
    """
    A proxy for HTTP.

    Attributes:
        tls: True if the proxy itself is reached over TLS.
        credentials: The value of Proxy-Authorization; empty: none.
    """

    place: Place
    tls: bool
    credentials: str

    @property
    def name(self) -> str:
        """Return the proxy's URL without user and password."""
        return f"{'https' if self.tls else 'http'}://{_netloc(*self.place)}"

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that are meant for the proxy."""
        return {"Proxy-Authorization": self.credentials} if self.credentials else {}


class Way(NamedTuple):
    """The way of a request: where it goes, whether over TLS, and through which proxy."""

    place: Place
    tls: bool
    proxy: Proxy | None

    @property
    def host(self) -> str:
        """Return the value of the header Host, with the port only if it is not the usual one."""
        host, port = self.place
        return _netloc(host, None if port == _PORTS["https" if self.tls else "http"] else port)

    @property
    def url(self) -> str:
        """Return the place as a URL."""
        return f"{'https' if self.tls else 'http'}://{self.host}"


class Transport:
    """Send prepared requests, several at a time, and keep connections for later ones."""

    def __init__(self) -> None:
        self._authorities: _Authorities | None = None
        self._names = Names()
        self._lock = threading.Lock()
        self._idle: dict[Way, list[_Connection]] = {}

    @property
    def trusts(self) -> bool:
        """Tell whether certificate authorities are named."""
        return self._authorities is not None

    def trust(self, trust: Trust, *, at_once: bool) -> None:
        """
        Set the certificate authorities, which are read once, beside other work.

        Args:
            at_once: They are read now; otherwise when a connection needs them.
        """
        with self._lock:
            if self._authorities is None or self._authorities.trust.path != trust.path:
                self._authorities = _Authorities(trust)
            self._authorities.trust = trust
            if at_once:
                self._authorities.begin()

    def send(
        self, request: AWSPreparedRequest, attempt: Attempt, awaited: Awaited, *, proxy: str | None = None
    ) -> AWSResponse:
        """
        Send one request and return the answer.

        Args:
            proxy: The URL of the proxy; "": none; None: the proxy that the environment names.

        Raises:
            Abandoned: The attempt was given up.
            NotSent: A stage before the request left has failed.
            AwsUnreachable, AwsGarbled: The request left, and no usable answer came.
        """
        way = way_of(request.url, attempt.operation, proxy=proxy)
        connection = self._reused(way) or self._opened(way, attempt)
        try:
            answer = connection.exchange(request, attempt, awaited)
        except BaseException:
            connection.close()
            raise
        attempt.release()
        self._keep(connection)
        return answer

    def first_hops(self, url: str, *, proxy: str | None) -> tuple[str, ...]:
        """Return the addresses to which requests for a URL are sent, as far as they were looked up for one."""
        way = way_of(url, "any request", proxy=proxy)
        return self._names.known(way.proxy.place if way.proxy else way.place)

    # -- connections -----------------------------------------------------------------------------------

    def _reused(self, way: Way) -> _Connection | None:
        """Return a connection that an earlier request left and that the other side has not closed."""
        while True:
            with self._lock:
                kept = self._idle.get(way)
                connection = kept.pop() if kept else None
            if connection is None or connection.is_open():
                return connection
            connection.close()

    def _keep(self, connection: _Connection) -> None:
        if connection.goes_on:
            with self._lock:
                self._idle.setdefault(connection.way, []).append(connection)
        else:
            connection.close()

    def _opened(self, way: Way, attempt: Attempt) -> _Connection:
        reached = way.proxy
        failed = (
            partial(stages.no_way_through, attempt.operation, reached.name)
            if reached
            else partial(stages.not_connected, attempt.operation, way.url)
        )
        unresolved = failed if reached else partial(stages.unresolved, attempt.operation, way.place[0])
        open_socket = self._connected(reached.place if reached else way.place, attempt, unresolved, failed)
        try:
            if reached and reached.tls:
                open_socket = self._secured(open_socket, reached.place[0], attempt)
            if reached and way.tls:
                attempt.enter(failed)
                with _failing(failed):
                    _connect_through(open_socket, reached, way, attempt)
            if way.tls:
                open_socket = self._secured(open_socket, way.place[0], attempt)
        except BaseException:
            open_socket.close()
            raise
        return _Connection(way, open_socket)

    def _connected(
        self, place: Place, attempt: Attempt, unresolved: stages.Stage, failed: stages.Stage
    ) -> socket.socket:
        attempt.enter(unresolved)
        with _failing(unresolved):
            addresses = self._names.addresses(place, attempt.patience, attempt.check)
        attempt.enter(failed)
        try:
            with _failing(failed):
                found = connected(addresses, attempt.step(), attempt.check)
        except errors.NotSent:
            self._names.forget(place)
            raise
        try:
            attempt.hold(found)
        except BaseException:
            found.close()
            raise
        return found

    def _secured(self, below: Any, host: str, attempt: Attempt) -> Any:
        """Return the connection with TLS on it."""
        import ssl

        failed = partial(stages.no_tls, attempt.operation, host)
        attempt.enter(failed)
        context = self._trusted(attempt)
        with _failing(failed):
            try:
                return _handshake(context, below, host, attempt)
            except ssl.SSLCertVerificationError as error:
                reason = error.verify_message or str(error)
                raise stages.wrong_certificate(attempt.operation, host, reason) from error

    def _trusted(self, attempt: Attempt) -> ssl.SSLContext:
        authorities = self._authorities
        assert authorities is not None
        try:
            return authorities.begin().wait(attempt.limit, attempt.check)
        except OSError as error:
            authorities.forget()
            path, origin = authorities.trust
            raise stages.unusable_file(attempt.operation, path=path, origin=origin, reason=words(error)) from error


class _Authorities:
    """The certificate authorities of one file, being read or read."""

    def __init__(self, trust: Trust) -> None:
        self.trust = trust
        self._lock = threading.Lock()
        self._reading: Begun[ssl.SSLContext] | None = None

    def begin(self) -> Begun[ssl.SSLContext]:
        """Begin to read them unless that has begun, and return the work."""
        with self._lock:
            if self._reading is None:
                self._reading = Begun(self.trust.context)
            return self._reading

    def forget(self) -> None:
        """Let them be read anew."""
        with self._lock:
            self._reading = None


def way_of(url: str, operation: str, *, proxy: str | None = None) -> Way:
    """
    Return the way of a request, through a proxy, through none (""), or through that of the environment (None).

    Raises:
        NotSent: ec2kit does not speak the proxy's protocol.

    Source: botocore, utils.get_environ_proxies.
    """
    from botocore.utils import get_environ_proxies

    parts = urlsplit(url)
    named = get_environ_proxies(url).get(parts.scheme) if proxy is None else proxy
    place = (parts.hostname or "", parts.port or _PORTS[parts.scheme])
    return Way(place, parts.scheme == "https", _proxy(named, operation) if named else None)


def _proxy(named: str, operation: str) -> Proxy:
    parts = urlsplit(named if "://" in named else f"http://{named.removeprefix('//')}")
    place = (parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0))
    if parts.scheme not in _PORTS:
        name = f"{parts.scheme}://{_netloc(*place)}"
        raise stages.not_let_through(operation, name, f"ec2kit does not speak {parts.scheme}")
    pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    credentials = "" if parts.username is None else f"Basic {b64encode(pair.encode()).decode()}"
    return Proxy(place, parts.scheme == "https", credentials)


def _netloc(host: str, port: int | None) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"{name}:{port}" if port else name


@contextlib.contextmanager
def _failing(stage: stages.Stage) -> Iterator[None]:
    """Turn an error of the operating system into that of the stage."""
    import http.client

    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        raise stage(words(error)) from error


def _connect_through(connection: socket.socket, proxy: Proxy, way: Way, attempt: Attempt) -> None:
    """
    Ask the proxy for a tunnel.

    Raises:
        NotSent: The proxy refuses it, or cannot make it.

    Source: RFC 9110, 9.3.6 CONNECT.
    """
    import http.client

    target = _netloc(*way.place)
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}", *(f"{k}: {v}" for k, v in proxy.headers.items())]
    connection.settimeout(attempt.step().remaining() or _AT_ONCE)
    connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
    with contextlib.closing(http.client.HTTPResponse(connection, method="CONNECT")) as answer:
        answer.begin()
    said = f"{answer.status} {answer.reason}"
    if 400 <= answer.status < 500:
        raise stages.not_let_through(attempt.operation, proxy.name, said)
    if answer.status != 200:
        raise stages.no_way_through(attempt.operation, proxy.name, said)


def _handshake(context: ssl.SSLContext, below: Any, host: str, attempt: Attempt) -> Any:
    limit: Deadline = attempt.step()
    below.settimeout(limit.remaining() or _AT_ONCE)
    if not isinstance(below, socket.socket) or hasattr(below, "getpeercert"):
        from urllib3.util.ssltransport import SSLTransport  # TLS within TLS, which ssl cannot do

        return SSLTransport(below, context, server_hostname=host)
    return context.wrap_socket(below, server_hostname=host)


class _Connection:
    """
    One connection, over which requests go one after the other.

    Attributes:
        goes_on: Whether it can be used for another request.
    """

    def __init__(self, way: Way, connection: socket.socket) -> None:
        self.way = way
        self.goes_on = False
        self._http = _writer()("ec2")
        self._http.sock = connection

    @property
    def _socket(self) -> Any:
        return self._http.sock

    def is_open(self) -> bool:
        """Tell whether nothing has come meanwhile; the end of the connection, and an answer to no question, have."""
        return not select.select([self._socket], [], [], 0)[0]

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def exchange(self, request: AWSPreparedRequest, attempt: Attempt, awaited: Awaited) -> AWSResponse:
        """Ask for the permit, send the request, and return the answer."""
        import http.client

        from botocore.awsrequest import AWSResponse

        self.goes_on = False
        target, headers = self._addressed(request)
        self._http.request(request.method, target, body=cast(bytes, request.body), headers=headers)
        attempt.hold(_below(self._socket))
        try:
            self._socket.settimeout(attempt.limit.remaining() or _AT_ONCE)
            attempt.leave(awaited, _Parcel(self._socket, self._http.take_written()))
            with self._http.getresponse() as answer:
                body = answer.read()
        except TimeoutError as error:
            raise awaited.late(f"none within {attempt.limit.seconds:.3g} s") from error
        except OSError as error:
            raise awaited.lost(words(error)) from error
        except http.client.IncompleteRead as error:
            got = len(error.partial)
            reason = f"it breaks off after {got} of {got + (error.expected or 0)} bytes"
            raise awaited.unusable(reason) from error
        except http.client.HTTPException as error:
            raise awaited.unusable(f"it is not HTTP ({type(error).__name__}: {error})") from error
        self.goes_on = not answer.will_close
        received: Any = dict(answer.getheaders())
        return AWSResponse(request.url, answer.status, received, _Body(body))

    def _addressed(self, request: AWSPreparedRequest) -> tuple[str, dict[str, Any]]:
        """Return the target and the headers; a proxy without a tunnel gets the whole URL, and its own headers."""
        headers = {**dict(request.headers.items()), "Host": self.way.host}
        if self.way.proxy is None or self.way.tls:
            return _path(request.url), headers
        return request.url, {**headers, **self.way.proxy.headers}


@cache
def _writer() -> Any:
    """Return the class of connections that keep what they are to send."""
    import http.client

    class Writer(http.client.HTTPConnection):
        auto_open = 0  # never open another connection

        def __init__(self, host: str) -> None:
            super().__init__(host)
            self._written: list[bytes] = []

        def send(self, data: Any) -> None:
            self._written.append(bytes(data))

        def take_written(self) -> bytes:
            written, self._written = b"".join(self._written), []
            return written

    return Writer


class _Parcel:
    """
    The bytes of one request, which the kernel holds back until they are let go.

    Source: Linux, tcp(7), TCP_CORK: the kernel sends a last, partial frame only when the option is cleared, or after
    200 ms; SIOCOUTQNSD: the number of bytes that have not left; socket(7), SO_LINGER: to close discards them.
    """

    def __init__(self, connection: Any, content: bytes) -> None:
        self._connection = connection
        self._content = content

    def hand_over(self) -> None:
        _below(self._connection).setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        self._connection.sendall(self._content)

    def let_go(self) -> None:
        _below(self._connection).setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)

    def call_back(self) -> bool:
        try:
            held = fcntl.ioctl(self._connection.fileno(), _UNSENT, bytes(4)) != bytes(4)
        except OSError:
            held = False
        with contextlib.suppress(OSError):
            _below(self._connection).setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._connection.close()
        return held


def _below(connection: Any) -> socket.socket:
    """Return the TCP connection below TLS within TLS; any other connection is a socket itself."""
    return cast(socket.socket, getattr(connection, "socket", connection))


class _Body(NamedTuple):
    """Hold the bytes of an answer in the form that botocore reads."""

    content: bytes

    def stream(self) -> list[bytes]:
        """Return all bytes."""
        return [self.content]


def _path(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
