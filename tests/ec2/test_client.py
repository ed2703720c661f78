"""The client: who it says it is, which credentials it finds, and what it makes of what the SDK says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ec2kit import __version__
from ec2kit.errors import ConfigurationInvalid, CredentialsMissing, CredentialsRejected, NotSent
from ec2kit.messages import catalogue
from ec2kit.messages.catalogue import Level, Message

from ..builders import LeapingClock, Lines
from ..scripted_server import Behaviour, fails, scripted
from .asking import DONE, ONE_TABLE, an_ec2, look, silent_past, write

pytestmark = pytest.mark.usefixtures("credentials", "models_read_once")


def test_request_user_agent_names_kit_action_and_tag() -> None:
    """CloudTrail shows which action of which resource made a request."""
    with scripted(ONE_TABLE) as server:
        look(an_ec2(server.url))
    assert f"ec2kit/{__version__} restore ec2-vip1" in server.agents[0]


# -- with which credentials ------------------------------------------------------------------------------


def test_credentials_method_names_where_they_come_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keys of the environment hide those of a file, and both would hide the instance's role."""
    file = tmp_path / "credentials"
    file.write_text("[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    assert an_ec2("http://127.0.0.1:9").credentials_method() == "env"
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert an_ec2("http://127.0.0.1:9").credentials_method() == "shared-credentials-file"


def test_credentials_method_without_any_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither environment, nor files, nor a role."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(CredentialsMissing, match="nor the instance role"):
        an_ec2("http://127.0.0.1:9").credentials_method()


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Neither keys nor a role."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    return monkeypatch


@pytest.fixture
def assumed_role(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A profile that asks STS for its credentials."""
    (tmp_path / "config").write_text(
        "[profile cluster]\nrole_arn = arn:aws:iam::123456789012:role/cluster\nsource_profile = keys\n"
        "[profile keys]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = secret\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "cluster")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")  # keys of the environment count more than AWS_PROFILE
    return monkeypatch


def test_credentials_of_an_assumed_role_are_found(moto_url: str, assumed_role: pytest.MonkeyPatch) -> None:
    """STS, which the SDK's chain may need, is botocore's own as ever, and asked by ec2kit's transport."""
    assumed_role.setenv("AWS_ENDPOINT_URL_STS", moto_url)
    lines = Lines()
    ec2 = an_ec2(moto_url, sink=lines)
    assert ec2.addresses() is not None
    assert lines == []
    assert ec2.credentials_method() == "assume-role"


@pytest.mark.parametrize(
    ("behaviour", "message", "reason"),
    [
        pytest.param(fails("AccessDenied", 403), catalogue.CREDENTIALS_REFUSED, "AccessDenied", id="denied"),
        pytest.param(fails("Throttling", 400), catalogue.CREDENTIALS_LATE, "Throttling", id="throttled"),
        pytest.param(fails("InternalFailure", 500), catalogue.CREDENTIALS_LATE, "InternalFailure", id="failing"),
        pytest.param(None, catalogue.CREDENTIALS_LATE, "none within", id="silent"),
    ],
)
def test_sts_that_gives_no_credentials_is_the_reason(
    assumed_role: pytest.MonkeyPatch, behaviour: Behaviour | None, message: Message, reason: str
) -> None:
    """EC2 was not asked, so nothing is said of EC2, and nothing may have been carried out."""
    clock = LeapingClock()
    with scripted(behaviour or silent_past(clock)) as sts, scripted(DONE) as server:
        assumed_role.setenv("AWS_ENDPOINT_URL_STS", sts.url)
        with pytest.raises(NotSent) as caught:
            write(an_ec2(server.url, max_retry=0, clock=clock))
    assert caught.value.message is message
    assert reason in str(caught.value.fields["reason"])
    assert caught.value.fields["service"] == "STS"
    assert (caught.value.uncertain, server.asked) == (False, [])


class _ClockThatLeapsFor(LeapingClock):
    """All waits are over as soon as a file is there."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def now(self) -> float:
        if not self.skipped and self._path.exists():
            self.leap()
        return super().now()


@contextmanager
def never_written(path: Path) -> Iterator[None]:
    """Keep the reader of a pipe waiting; when the block ends, so does the reader."""
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR)
    try:
        yield
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("profile", ["default", "cluster"])
@pytest.mark.parametrize(
    ("helper", "reason"),
    [
        pytest.param("echo certainly not", "JSONDecodeError", id="prints rubbish"),
        pytest.param('echo "[1]"', "AttributeError", id="prints JSON of another form"),
        pytest.param("echo no ticket >&2; exit 3", "no ticket", id="says why it fails"),
        pytest.param("echo it is hiddenhiddenhidden >&2; exit 3", r"it is \*\*\*", id="says a secret"),
        pytest.param("kill -9 $$", "it failed, and said nothing", id="is killed"),
        pytest.param('echo >"$0.begun"; read line <"$0.never"', "none within", id="hangs"),
    ],
)
def test_helper_that_gives_no_credentials_is_named(
    no_credentials: pytest.MonkeyPatch, tmp_path: Path, profile: str, helper: str, reason: str
) -> None:
    """By its path, also where it gives the keys for a role, never by its arguments; it may work a moment later."""
    program = tmp_path / "get-keys"
    program.write_text(f"#!/bin/sh\n{helper}\n")
    program.chmod(0o700)
    never = never_written(tmp_path / "get-keys.never")
    (tmp_path / "config").write_text(
        f"[default]\ncredential_process = '{program}' --pin hidden\n"
        "[profile cluster]\nrole_arn = arn:aws:iam::123456789012:role/cluster\nsource_profile = default\n"
    )
    no_credentials.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    no_credentials.setenv("AWS_PROFILE", profile)
    clock = _ClockThatLeapsFor(tmp_path / "get-keys.begun")
    with never, pytest.raises(NotSent, match=reason) as caught:
        write(an_ec2("http://127.0.0.1:9", max_retry=0, clock=clock))
    assert (caught.value.message, caught.value.retryable) == (catalogue.CREDENTIALS_LATE, True)
    assert caught.value.fields["request"] == str(program)
    assert "hidden" not in str(caught.value)


# -- credentials that come, go and are refused -----------------------------------------------------------


def test_call_no_credentials_raises_and_sends_nothing(no_credentials: pytest.MonkeyPatch) -> None:
    """Without credentials nothing is sent, and that is said."""
    with scripted(DONE) as server, pytest.raises(CredentialsMissing):
        write(an_ec2(server.url, max_retry=1))
    assert server.asked == []


def test_call_credentials_appear_later_are_found(no_credentials: pytest.MonkeyPatch) -> None:
    """A client that was built without credentials does not stay so."""

    def brought(level: Level, line: str) -> None:
        no_credentials.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        no_credentials.setenv("AWS_SECRET_ACCESS_KEY", "secret")

    with scripted(DONE) as server:
        assert write(an_ec2(server.url, sink=brought)) == 2


def test_write_credentials_that_are_renewed_and_have_expired_are_looked_up_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What says itself how long it is good for is replaced by whoever said so."""
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", "2999-01-01T00:00:00Z")
    with scripted(fails("RequestExpired"), fails("ExpiredToken"), DONE) as server:
        assert write(an_ec2(server.url)) == 3


def test_call_profile_unknown_is_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that does not exist is a fault of the configuration, and not retried."""
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    lines = Lines()
    with pytest.raises(ConfigurationInvalid, match="nobody"):
        look(an_ec2("http://127.0.0.1:9", sink=lines))
    assert lines == []


def test_call_secret_never_stands_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the error nor the log shows the secret key."""
    lines = Lines()
    with scripted(fails("SignatureDoesNotMatch", 403)) as server, pytest.raises(CredentialsRejected) as caught:
        write(an_ec2(server.url, sink=lines))
    assert "wJalrXUtnFEMI" not in str(caught.value) + "".join(lines)
