"""The way of a request: each stage that fails has its name, and what was given up never arrives."""

from __future__ import annotations

import contextlib
import itertools
import random
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ec2kit.errors import AwsGarbled, AwsUnknown, AwsUnreachable, ConfigurationInvalid, NotSent, Overtaken
from ec2kit.messages import catalogue
from ec2kit.messages.catalogue import Message
from ec2kit.sandbox.authority import Authority

from ..builders import LeapingClock, Lines
from ..patience import HANGS, Stalls
from ..scripted_server import ScriptedServer, answers, cut_short, fails, scripted
from ..threads import end_all_but
from .asking import DONE, ONE_TABLE, SLOW, an_ec2, look, silent_past, write

pytestmark = pytest.mark.usefixtures("credentials", "models_read_once")

NAME = "ec2.test.invalid"

KERNEL = 0.2
"""Seconds for which the kernel holds a request back. Source: Linux, tcp(7), TCP_CORK."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    resolver = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    yield resolver
    resolver.over.set()


class Resolver:
    """The system's resolver, of which a test chooses the delay and the answer."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.delay: Callable[[], float] = lambda: 0.0
        self.addresses = [(socket.AF_INET, "127.0.0.1")]
        self.asked = 0

    def __call__(self, host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        self.asked += 1
        self.over.wait(self.delay())
        return [(family, socket.SOCK_STREAM, 6, "", (address, port)) for family, address in self.addresses]


@contextlib.contextmanager
def front(
    server: ScriptedServer, *, context: ssl.SSLContext | None = None, before: Callable[[], None] = lambda: None
) -> Iterator[int]:
    """Serve on another port what the server serves, after TLS if there is a context; yields the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()

        def accept() -> None:
            while not over.is_set():
                with contextlib.suppress(OSError):
                    connection, _ = listener.accept()
                    threading.Thread(target=carry, args=(connection,), daemon=True).start()

        def carry(connection: socket.socket) -> None:
            with contextlib.suppress(OSError), connection:
                before()
                outside = context.wrap_socket(connection, server_side=True) if context else connection
                with outside, socket.create_connection(server.server_address[:2]) as inside:
                    back = threading.Thread(target=copied, args=(inside, outside), daemon=True)
                    back.start()
                    copied(outside, inside)
                    back.join(SLOW)

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


def copied(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


class Proxy:
    """A proxy that makes tunnels, or answers what a test says; it keeps what it was asked."""

    def __init__(self, answer: bytes = b"") -> None:
        self.answer = answer
        self.heard: list[bytes] = []

    @contextlib.contextmanager
    def open(self, context: ssl.SSLContext | None = None) -> Iterator[str]:
        self._context = context
        with socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
            yield f"{'localhost' if context else '127.0.0.1'}:{listener.getsockname()[1]}"
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.enter_context(plain)
            connection = plain
            if self._context:
                connection = stack.enter_context(self._context.wrap_socket(plain, server_side=True))
            head = connection.recv(65536)
            self.heard.append(head)
            if self.answer:
                connection.sendall(self.answer)
                return
            port = int(head.split(b"\r\n")[0].split()[1].rpartition(b":")[2])
            with socket.create_connection(("127.0.0.1", port)) as inside:
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=copied, args=(inside, connection), daemon=True)
                back.start()
                copied(connection, inside)
                back.join(SLOW)


def reported(call: Callable[[], object]) -> tuple[Message, NotSent]:
    """The message of a request that did not leave."""
    with pytest.raises(NotSent) as caught:
        call()
    return caught.value.message, caught.value


# -- each stage has its name -------------------------------------------------------------------------------


def test_name_that_is_not_resolved_in_time_is_the_reason(resolver: Resolver) -> None:
    """The name, and that nothing was sent, is said; it may pass."""
    resolver.delay = lambda: SLOW
    for seconds in (1, 10, 50):  # more, where the machine was too slow to come so far
        ec2 = an_ec2(f"http://{NAME}", look_retries=0, connect_timeout=seconds, read_timeout=1)
        message, error = reported(lambda ec2=ec2: look(ec2))  # type: ignore[misc]
        if message is catalogue.NAME_UNRESOLVED:
            break
    assert message is catalogue.NAME_UNRESOLVED
    assert (error.fields["name"], error.trouble) == (NAME, False)


def test_name_is_looked_up_once_for_all_connections(resolver: Resolver) -> None:
    """A resolver that was slow once does not hold up each further connection."""
    with scripted(ONE_TABLE) as server:
        port = server.server_address[1]
        ec2 = an_ec2(f"http://{NAME}:{port}")
        threads = [threading.Thread(target=look, args=(ec2,)) for _ in range(5)]
        for each in threads:
            each.start()
        for each in threads:
            each.join(SLOW)
    assert resolver.asked == 1


def test_dead_addresses_do_not_cost_their_time_out(resolver: Resolver) -> None:
    """Addresses that drop packets are tried beside the one that answers."""
    with full_backlogs(3) as dead, scripted(ONE_TABLE) as server:
        resolver.addresses = [*dead, (socket.AF_INET, "127.0.0.1")]
        never = 10 * HANGS  # the request would not end in its time
        assert look(an_ec2(f"http://{NAME}:{server.server_address[1]}", connect_timeout=never)) == ("rtb-1",)


@contextlib.contextmanager
def full_backlogs(number: int) -> Iterator[list[tuple[int, str]]]:
    """Addresses of loopback at which nothing answers: packets to the discard prefix have no way back."""
    yield [(socket.AF_INET, f"127.99.{number}.{each}") for each in range(1, number + 1)]


def test_address_that_refuses_is_the_reason() -> None:
    """The address is named as a person would try it."""
    message, error = reported(lambda: look(an_ec2("http://127.0.0.1:9", look_retries=0)))
    assert message is catalogue.NOT_CONNECTED
    assert (error.fields["address"], error.fields["reason"]) == ("http://127.0.0.1:9", "Connection refused")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", catalogue.PROXY_REFUSES, id="password"),
        pytest.param(b"HTTP/1.1 403 Forbidden by policy\r\n\r\n", catalogue.PROXY_REFUSES, id="policy"),
        pytest.param(b"HTTP/1.1 502 Bad Gateway\r\n\r\n", catalogue.PROXY_UNUSABLE, id="bad-gateway"),
        pytest.param(b"220 mail.example.com ESMTP\r\n", catalogue.PROXY_UNUSABLE, id="no-proxy-at-all"),
    ],
)
def test_proxy_that_makes_no_tunnel_is_the_reason(
    monkeypatch: pytest.MonkeyPatch, answer: bytes, message: Message
) -> None:
    """The proxy and its words are told, its password is not; a refusal is for a person, and not repeated."""
    proxy = Proxy(answer)
    with proxy.open() as place:
        monkeypatch.setenv("HTTPS_PROXY", f"http://corp:s3cr3t-word@{place}")
        told, error = reported(lambda: look(an_ec2("https://ec2.example.com", look_retries=1)))
    assert told is message
    assert error.fields["proxy"] == f"http://{place}"
    assert "s3cr3t" not in str(error)
    assert len(proxy.heard) == (1 if message is catalogue.PROXY_REFUSES else 2)
    assert b"Proxy-Authorization: Basic Y29ycDpzM2NyM3Qtd29yZA==" in proxy.heard[0]


@pytest.mark.parametrize(
    ("proxy", "message", "reason"),
    [
        pytest.param("http://127.0.0.1:9", catalogue.PROXY_UNUSABLE, "Connection refused", id="nothing-listens"),
        pytest.param("socks5://127.0.0.1:9", catalogue.PROXY_REFUSES, "socks5", id="socks"),
    ],
)
def test_proxy_out_of_reach_or_of_another_protocol_is_the_reason(
    monkeypatch: pytest.MonkeyPatch, proxy: str, message: Message, reason: str
) -> None:
    """What is wrong is the proxy, not EC2."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    told, error = reported(lambda: look(an_ec2("https://ec2.example.com", look_retries=0)))
    assert told is message
    assert reason in str(error.fields["reason"])
    assert error.fields["proxy"] == proxy


def test_request_goes_by_tls_through_the_tunnel_of_a_proxy(
    monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    """The proxy sees the name of the endpoint and nothing else."""
    proxy = Proxy()
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.certificate))
    context = authority.contexts["good"]
    with scripted(ONE_TABLE) as server, front(server, context=context) as port, proxy.open() as place:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{place}")
        assert look(an_ec2(f"https://localhost:{port}")) == ("rtb-1",)
    assert proxy.heard[0].startswith(f"CONNECT localhost:{port} HTTP/1.1\r\n".encode())
    assert server.asked[0]["Action"] == "DescribeRouteTables"


def test_request_in_clear_goes_through_a_proxy_by_its_whole_url(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint without TLS is asked for by the proxy itself."""
    with scripted(ONE_TABLE) as server:
        monkeypatch.setenv("HTTP_PROXY", server.url)
        assert look(an_ec2("http://ec2.example.com")) == ("rtb-1",)
    assert server.asked[0]["path"] == "http://ec2.example.com/"


@pytest.mark.parametrize(
    ("certificate", "reason"),
    [
        pytest.param("name", "localhost", id="another-name"),
        pytest.param("expired", "expired", id="expired"),
        pytest.param("issuer", "issuer|self.signed", id="unknown-authority"),
    ],
)
def test_certificate_that_does_not_prove_the_name_is_for_a_person(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, certificate: str, reason: str
) -> None:
    """It is said what is wrong with it, it is not repeated, and nothing arrives."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.certificate))
    lines = Lines()
    context = authority.contexts[certificate]
    with scripted(ONE_TABLE) as server, front(server, context=context) as port, pytest.raises(NotSent) as caught:
        look(an_ec2(f"https://localhost:{port}", sink=lines))
    assert re.search(reason, str(caught.value))
    assert caught.value.message is catalogue.CERTIFICATE_REFUSED
    assert (caught.value.trouble, list(lines), server.asked) == (True, [], [])


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_bundle_that_is_not_there_is_named_with_the_setting(
    monkeypatch: pytest.MonkeyPatch, variable: str, tmp_path: Path
) -> None:
    """A person can correct what is named, and nothing else can; nothing left the server."""
    monkeypatch.setenv(variable, str(tmp_path / "corp.pem"))
    with scripted(ONE_TABLE) as server, front(server) as port:
        message, error = reported(lambda: look(an_ec2(f"https://localhost:{port}")))
    assert message is catalogue.FILE_UNUSABLE
    assert variable in str(error.fields["origin"])
    assert error.fields["path"] == str(tmp_path / "corp.pem")
    assert error.fields["reason"] == "No such file or directory"


def test_endpoint_that_does_not_speak_tls_is_told(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """An https URL of an http port."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.certificate))
    with scripted(ONE_TABLE) as server:
        url = server.url.replace("http:", "https:").replace("127.0.0.1", "localhost")
        message, _ = reported(lambda: look(an_ec2(url, look_retries=0)))
    assert message is catalogue.TLS_FAILED


def test_tls_handshake_that_never_ends_is_told(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """It costs the time to connect, and is not taken for EC2's silence."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.certificate))
    over = threading.Event()
    with scripted(ONE_TABLE) as server, front(server, before=lambda: bool(over.wait(SLOW))) as port:
        for seconds in (1, 10, 50):  # more, where the machine was too slow to come so far
            ec2 = an_ec2(f"https://localhost:{port}", look_retries=0, connect_timeout=seconds)
            message, _ = reported(lambda ec2=ec2: look(ec2))  # type: ignore[misc]
            if message is catalogue.TLS_FAILED:
                break
        over.set()
    assert message is catalogue.TLS_FAILED


@pytest.mark.parametrize(
    ("behaviour", "kind", "reason"),
    [
        pytest.param(cut_short("x" * 100, at=50), AwsGarbled, "breaks off after 50 of 100 bytes", id="cut"),
        pytest.param(lambda handler: handler.wfile.write(b"SSH-2.0\r\n"), AwsGarbled, "not HTTP", id="no-http"),
        pytest.param(lambda handler: None, AwsUnreachable, "without response", id="closed"),
        pytest.param(
            answers("<Response><Errors/></Response>", 400), AwsGarbled, "HTTP 400|Error", id="no-error-in-it"
        ),
        pytest.param(
            answers("<Response><Errors><Error><Code>A</Code><Code>B</Code></Error></Errors></Response>", 400),
            AwsGarbled,
            "Error",
            id="two-codes",
        ),
    ],
)
def test_answer_that_is_none_is_no_verdict_and_may_have_been_carried_out(
    behaviour: Callable[[Any], None], kind: type[AwsUnknown], reason: str
) -> None:
    """What the SDK makes of it, known to ec2kit or not, ends no action."""
    with scripted(behaviour) as server, pytest.raises(kind, match=reason) as caught:
        write(an_ec2(server.url))
    assert caught.value.uncertain
    assert caught.value.retryable


def test_pause_that_the_service_asks_for_is_kept() -> None:
    """`x-amz-retry-after` is a lower bound: EC2 says itself how long it needs."""

    def throttled(handler: Any) -> None:
        body = b"<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>"
        handler.send_response(503)
        handler.send_header("x-amz-retry-after", "20000")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    lines = Lines()
    with scripted(throttled, ONE_TABLE) as server:
        assert look(an_ec2(server.url, seconds=60, sink=lines)) == ("rtb-1",)
    assert lines.of(catalogue.RETRYING)[0].endswith("follows in 20.00 s")


@pytest.mark.parametrize("code", ["RequestTimeout", "PriorRequestNotComplete", "ThrottledException", "Whatever"])
def test_code_that_passes_is_retried(code: str) -> None:
    """The codes that botocore's own retries know, and HTTP 429 with any code."""
    with scripted(fails(code, 429 if code == "Whatever" else 400), ONE_TABLE) as server:
        assert look(an_ec2(server.url)) == ("rtb-1",)


def test_hook_that_is_not_honoured_lets_no_request_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    """A botocore that sends by itself what ec2kit has not sent reaches nobody."""
    from botocore.hooks import HierarchicalEmitter

    emit = HierarchicalEmitter.emit

    def without_the_hook(self: Any, event_name: str, **arguments: Any) -> Any:
        return [] if event_name.startswith("before-send") else emit(self, event_name, **arguments)

    monkeypatch.setattr(HierarchicalEmitter, "emit", without_the_hook)
    with scripted(DONE) as server, pytest.raises(ConfigurationInvalid, match="does not hand"):
        write(an_ec2(server.url, max_retry=0))
    assert server.asked == []


# -- what was given up never arrives -----------------------------------------------------------------------


def test_write_whose_name_comes_after_it_was_given_up_is_not_sent(resolver: Resolver) -> None:
    """The resolver goes on for as long as it likes; the write that waited for it is not sent any more."""
    resolver.delay = lambda: SLOW
    before = set(threading.enumerate())
    with scripted(DONE) as server:
        ec2 = an_ec2(f"http://{NAME}:{server.server_address[1]}", connect_timeout=0.5, read_timeout=0.2)
        with pytest.raises(NotSent) as caught:
            write(ec2)
        assert not caught.value.uncertain
        resolver.over.set()
        end_all_but(before | {server.thread})
        assert server.asked == []


def test_write_held_up_after_its_permit_gets_another_before_it_leaves() -> None:
    """A process that is stopped between the permit and the first byte sends nothing when it goes on too late."""
    for _ in range(5):
        stalls = Stalls()
        is_uncertain, arrived, permits = _held_up_after_its_permit()
        if not is_uncertain or stalls.seconds < KERNEL:
            break  # otherwise the machine kept it waiting for longer than the kernel holds anything back
    assert (is_uncertain, arrived, permits) == (False, [], 2)


def _held_up_after_its_permit() -> tuple[bool, list[dict[str, str]], int]:
    """Return whether the write may have left, what has arrived, and how many permits were asked for."""
    asked = itertools.count()

    def permit() -> None:
        if threading.current_thread() is threading.main_thread():
            return  # while the write waits
        if next(asked) > 0:
            raise Overtaken(newer="remove")
        time.sleep(0.2)

    with scripted(DONE) as server:
        with pytest.raises(Overtaken) as caught:
            write(an_ec2(server.url, permit=permit))
        time.sleep(KERNEL + 0.3)
        return caught.value.uncertain, server.asked, next(asked)


def test_write_held_up_after_its_permit_leaves_if_it_still_may() -> None:
    """A crowded machine makes no failure of a write that nobody objects to."""

    def permit() -> None:
        if threading.current_thread() is not threading.main_thread():
            time.sleep(0.2)

    with scripted(DONE) as server:
        assert write(an_ec2(server.url, permit=permit)) == 1
    assert len(server.asked) == 1


def test_request_by_a_proxy_over_tls_is_given_up_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    """The connection below both layers of TLS is shut, and EC2 is the one that is silent."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.certificate))
    context, proxy, clock = authority.contexts["good"], Proxy(), LeapingClock()
    with scripted(silent_past(clock)) as server, front(server, context=context) as port, proxy.open(context) as place:
        monkeypatch.setenv("HTTPS_PROXY", f"https://{place}")
        with pytest.raises(AwsUnreachable, match="none within"):
            write(an_ec2(f"https://localhost:{port}", max_retry=0, connect_timeout=SLOW, clock=clock))


RUNS = 60
"""Each run takes some 20 ms; tests/stages makes a thousand, of real processes."""


def _many_runs(authority: Authority, seeds: range) -> int:
    """
    Write through slow stages, by TLS and a proxy; return how many writes were held back at the last moment.

    Each write has an attempt of at most 60 ms, a guard that says from some moment on that the write is overtaken, and
    stages that take 0 to 60 ms each. No write may arrive after its attempt was given up or overtaken.
    """
    held_back = 0
    for seed in seeds:
        chance = random.Random(seed)
        arrived: list[float] = []
        overtaken_at = time.monotonic() + chance.uniform(0.0, 0.3)
        asked = itertools.count()

        def guard(ends: float = overtaken_at, asked: Any = asked) -> None:
            next(asked)
            if time.monotonic() > ends:
                raise Overtaken(newer="remove")

        def heard(handler: Any, arrived: list[float] = arrived) -> None:
            arrived.append(time.monotonic())
            DONE(handler)

        pause = chance.choice([0.0, 0.02, 0.06])
        with (
            scripted(heard) as server,
            front(server, context=authority.contexts["good"], before=lambda pause=pause: time.sleep(pause)) as port,
        ):
            ec2 = an_ec2(
                f"https://localhost:{port}",
                guard=guard,
                max_retry=0,
                connect_timeout=chance.choice([0.02, 0.05, 0.2]),
                read_timeout=chance.choice([0.01, 0.05]),
            )
            given_up = None
            try:
                write(ec2)
            except (Overtaken, NotSent) as error:
                if not error.uncertain:
                    given_up, held_back = time.monotonic(), held_back + (next(asked) > 0)
            except AwsUnknown:
                pass  # it left in time, and may have been carried out
            time.sleep(pause)
            assert given_up is None or not arrived, f"seed {seed}: it arrived although it was given up"
    return held_back


def test_no_write_arrives_after_it_was_given_up(
    authority: Authority, resolver: Resolver, monkeypatch: pytest.MonkeyPatch, record_property: Any
) -> None:
    """Resolver, connection and TLS are slow by chance; each write arrives in time or never."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.certificate))
    chance = random.Random(1)
    resolver.delay = lambda: chance.choice([0.0, 0.0, 0.03, 0.08])
    held_back = _many_runs(authority, range(RUNS))
    print(f"{RUNS} runs, {held_back} writes held back")
    assert held_back > 0
