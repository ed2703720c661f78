"""A list of endpoints: each signed for, the last good one first, and nothing sent twice without a look."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ec2kit.ec2.operations import Ec2
from ec2kit.endpoints import Endpoint, read
from ec2kit.errors import AwsRefused, AwsUnreachable, CredentialsMissing, NotSent
from ec2kit.messages import catalogue
from ec2kit.role import Role
from ec2kit.sandbox.wire import Endpoint as Port

from ..builders import Lines
from ..scripted_server import fails, hangs_up, scripted, silent
from .asking import DONE, ONE_TABLE, SLOW, an_ec2, given_time, look, write

pytestmark = pytest.mark.usefixtures("credentials", "models_read_once")

NOTHING_LISTENS = "http://127.0.0.1:9"


@contextlib.contextmanager
def black_hole() -> Iterator[str]:
    """A place that neither accepts nor refuses connections."""
    port = Port(lambda received: NotImplemented)
    port.vanish()
    yield port.url
    port.close()


def asked_by(folder: Path, *entries: str, **settings: Any) -> Ec2:
    listed, unusable = read(", ".join(entries))
    assert not unusable
    return an_ec2("", endpoints=listed, run_dir=str(folder), **{"over_tls": False, **settings})


@pytest.mark.parametrize(
    ("region", "name", "host"),
    [
        ("us-east-1", "regional", "ec2.us-east-1.amazonaws.com"),
        ("us-east-1", "dual-stack", "ec2.us-east-1.api.aws"),
        ("us-east-1", "fips", "ec2-fips.us-east-1.amazonaws.com"),
        ("us-east-1", "fips-dual-stack", "ec2-fips.us-east-1.api.aws"),
        ("us-gov-west-1", "fips", "ec2.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "regional", "ec2.cn-north-1.amazonaws.com.cn"),
        ("cn-north-1", "dual-stack", "ec2.cn-north-1.api.amazonwebservices.com.cn"),
    ],
)
def test_endpoint_of_aws_has_the_name_that_the_sdk_gives_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, region: str, name: str, host: str
) -> None:
    """Whatever else the environment sets, since each entry says itself what it is."""
    for variable in ("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"):
        monkeypatch.setenv(variable, "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with tunnelling() as proxy:
        ec2 = asked_by(tmp_path, f"{name} via {proxy.url}", region=region, look_retries=0)
        with pytest.raises(NotSent):
            look(ec2)
    assert proxy.heard == [f"CONNECT {host}:443 HTTP/1.1"]


@pytest.mark.parametrize(
    ("region", "host"),
    [("us-east-1", "sts.us-east-1.amazonaws.com"), ("cn-north-1", "sts.cn-north-1.amazonaws.com.cn")],
)
def test_role_is_asked_of_the_sts_of_the_region(monkeypatch: pytest.MonkeyPatch, region: str, host: str) -> None:
    """A role needs no other region to be there, also where the SDK is set to ask the global endpoint."""
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with tunnelling() as proxy, scripted(DONE) as server:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        ec2 = an_ec2(server.url, region=region, look_retries=0).under(Role("arn:aws:iam::111122223333:role/vip"))
        with pytest.raises(NotSent):
            look(ec2)
    assert proxy.heard == [f"CONNECT {host}:443 HTTP/1.1"]
    assert server.asked == []


@contextlib.contextmanager
def tunnelling() -> Iterator[Any]:
    """A proxy that keeps what it is asked for, and makes no tunnel."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        class Proxy:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            heard: list[str] = []  # noqa: RUF012  # one of each

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        Proxy.heard.append(connection.recv(65536).decode().split("\r\n")[0])
                        connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield Proxy
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


def test_url_goes_with_fips_and_dual_stack_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry of the list is what it says."""
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    monkeypatch.setenv("AWS_USE_DUALSTACK_ENDPOINT", "true")
    with scripted(ONE_TABLE) as server:
        assert look(asked_by(tmp_path, server.url)) == ("rtb-1",)


def test_each_way_is_signed_for_its_own_host_and_the_region(tmp_path: Path) -> None:
    """The header that the signature covers is that of the endpoint which gets the request."""
    heads: list[dict[str, str]] = []

    def keep(handler: Any) -> None:
        heads.append(dict(handler.headers))
        ONE_TABLE(handler)

    with scripted(keep) as server:
        look(asked_by(tmp_path, NOTHING_LISTENS, server.url, region="eu-west-3"))
    (head,) = heads
    assert head["Host"] == server.url.removeprefix("http://")
    assert re.search(r"/eu-west-3/ec2/aws4_request, SignedHeaders=[a-z;-]*\bhost\b", head["Authorization"])


def test_way_that_fails_before_anything_is_sent_gives_place_to_the_next(tmp_path: Path) -> None:
    """A write is sent once, by the first way on which it leaves, and counts as one attempt."""
    with black_hole() as dead, scripted(DONE) as server:

        def written(seconds: float) -> tuple[Ec2, Lines]:
            (tmp_path / "ways.json").unlink(missing_ok=True)
            lines, ways = Lines(), (NOTHING_LISTENS, f"{server.url} via {dead}", server.url)
            ec2 = asked_by(tmp_path, *ways, sink=lines, connect_timeout=seconds)
            assert write(ec2) == 1
            return ec2, lines

        ec2, lines = given_time(written)
        assert ec2.way == server.url
    assert len(server.asked) == 1
    assert [re.match(r".*? by (\S+)", line)[1] for line in lines.of(catalogue.WAY_FAILED)] == [  # type: ignore[index]
        NOTHING_LISTENS,
        server.url,
    ]
    assert f"via {dead}" in lines.of(catalogue.WAY_FAILED)[1]


def test_next_action_begins_with_the_way_that_answered(tmp_path: Path) -> None:
    """A note of this boot leads by the way that was good, and past those that are dead."""
    lines = Lines()
    with black_hole() as dead, scripted(ONE_TABLE) as server:
        given_time(lambda seconds: look(asked_by(tmp_path, dead, server.url, connect_timeout=seconds)))
        look(asked_by(tmp_path, dead, server.url, sink=lines))
        other = asked_by(tmp_path, server.url, NOTHING_LISTENS, dead)
        look(other)
    assert not list(lines)
    assert other.way == server.url, "another list has a note of its own"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut"),
        pytest.param(b'{"version": 1, "boot": "another", "ways": {}}', id="of-another-boot"),
        pytest.param(b'{"version": 1, "ways": 3}', id="no-boot"),
        pytest.param(b'{"version": 1, "boot": "BOOT", "ways": {"KEY": ["x"]}}', id="no-name"),
    ],
)
def test_note_that_is_none_is_only_a_help_less(tmp_path: Path, content: bytes) -> None:
    """The list's own order counts then, and the note is written anew."""
    note = tmp_path / "ways.json"
    with scripted(ONE_TABLE) as server:
        listed = (NOTHING_LISTENS, server.url)
        look(asked_by(tmp_path, *listed))
        whole = json.loads(note.read_text())
        key = next(iter(whole["ways"]))
        note.write_bytes(content.replace(b"BOOT", whole["boot"].encode()).replace(b"KEY", key.encode()))
        lines = Lines()
        look(asked_by(tmp_path, *listed, sink=lines))
    assert len(lines.of(catalogue.WAY_FAILED)) == 1
    assert json.loads(note.read_text()) == whole


def test_note_that_cannot_be_written_hinders_nothing(tmp_path: Path) -> None:
    """It is only a help."""
    (tmp_path / "run").write_text("no folder")
    with scripted(ONE_TABLE) as server:
        assert look(asked_by(tmp_path / "run", NOTHING_LISTENS, server.url)) == ("rtb-1",)


def test_look_that_is_not_answered_goes_by_another_way(tmp_path: Path) -> None:
    """A look may be repeated at once, and is not by the way that was silent."""
    with scripted(hangs_up) as first, scripted(ONE_TABLE) as second:
        assert look(asked_by(tmp_path, first.url, second.url, look_retries=1)) == ("rtb-1",)
    assert len(first.asked) == 1


def test_write_that_is_not_answered_is_not_sent_by_another_way_without_a_look(tmp_path: Path) -> None:
    """It may have been carried out: the caller decides, and the next attempt goes by another way."""
    with scripted(hangs_up) as first, scripted(DONE) as second:
        ec2 = asked_by(tmp_path, first.url, second.url)
        with pytest.raises(AwsUnreachable) as caught:
            write(ec2)
        assert (caught.value.uncertain, len(first.asked), len(second.asked)) == (True, 1, 0)
        assert write(ec2) == 2
    assert (len(first.asked), len(second.asked)) == (1, 1)


@pytest.mark.parametrize("is_dead", [True, False], ids=["dead", "silent"])
def test_first_way_leaves_half_of_a_short_time_to_the_next(tmp_path: Path, is_dead: bool) -> None:
    """A way that is dead, or takes the request and says nothing, does not use up the deadline."""
    with black_hole() as dead, scripted(silent) as quiet, scripted(ONE_TABLE) as server:
        first = dead if is_dead else quiet.url

        def looked(seconds: float) -> tuple[str, ...]:
            return look(
                asked_by(tmp_path, first, server.url, seconds=seconds, connect_timeout=SLOW, read_timeout=SLOW)
            )

        assert given_time(looked) == ("rtb-1",)


def test_no_way_at_all_is_told_and_what_may_pass_is_tried_again(tmp_path: Path) -> None:
    """What only a person can correct on one way does not end the attempts on another."""
    ec2 = asked_by(tmp_path, f"{NOTHING_LISTENS} via http://127.0.0.1:1", NOTHING_LISTENS, look_retries=2)
    with pytest.raises(NotSent) as caught:
        look(ec2)
    assert caught.value.retryable
    assert ec2.way == "none yet"


def test_refusal_of_ec2_is_an_answer(tmp_path: Path) -> None:
    """What EC2 says no to by one way, it is not asked by another."""
    with scripted(fails("InvalidRouteTableID.NotFound")) as first, scripted(DONE) as second:
        ec2 = asked_by(tmp_path, first.url, second.url)
        with pytest.raises(AwsRefused):
            write(ec2)
    assert (second.asked, ec2.way) == ([], first.url)


def test_missing_credentials_are_no_fault_of_a_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other way is tried for want of credentials."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    lines = Lines()
    with scripted(ONE_TABLE) as first, scripted(ONE_TABLE) as second, pytest.raises(CredentialsMissing):
        look(asked_by(tmp_path, first.url, second.url, look_retries=0, sink=lines))
    assert not lines.of(catalogue.WAY_FAILED)


def test_parallel_requests_agree_on_the_good_way(tmp_path: Path) -> None:
    """Many requests at once that meet a dead way put the order right, and say so once."""
    lines = Lines()
    with scripted(ONE_TABLE) as server:
        ec2 = asked_by(tmp_path, NOTHING_LISTENS, server.url, sink=lines, connect_timeout=SLOW)
        results: list[tuple[str, ...]] = []
        threads = [threading.Thread(target=lambda: results.append(look(ec2))) for _ in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join(SLOW)
    assert results == [("rtb-1",)] * 8
    assert len(lines.of(catalogue.WAY_FAILED)) == 1


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_any_order_of_broken_ways_comes_to_the_good_one(tmp_path: Path, order: tuple[int, ...]) -> None:
    """Wherever in the list the good way stands, nothing but the order differs."""
    with scripted(hangs_up) as broken, scripted(ONE_TABLE) as server:
        entries = (f"{server.url} via {NOTHING_LISTENS}", broken.url, server.url)
        ec2 = asked_by(tmp_path, *(entries[each] for each in order))
        assert look(ec2) == ("rtb-1",)
        assert ec2.way == server.url


def test_without_a_list_there_is_no_note(tmp_path: Path) -> None:
    """One way is no choice."""
    with scripted(ONE_TABLE) as server:
        look(an_ec2(server.url, run_dir=str(tmp_path)))
        look(asked_by(tmp_path, server.url))
    assert list(tmp_path.iterdir()) == []
    assert Endpoint().name == ""
