"""The keys of a role: asked for once, renewed before they end, and not asked for after a refusal."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ec2kit.ec2.assumed import AssumedRole
from ec2kit.errors import NotSent
from ec2kit.messages import catalogue
from ec2kit.messages.catalogue import Message
from ec2kit.role import Role

from ..scripted_server import Behaviour, fails, says, scripted
from .asking import DONE, an_ec2, look, write

pytestmark = pytest.mark.usefixtures("credentials", "models_read_once")

ROLE = Role("arn:aws:iam::111122223333:role/vip", "cluster-a", "ec2-vip1@node1")


class Sts:
    """Gives keys that last so long."""

    def __init__(self, lasting: timedelta) -> None:
        self.asked: list[dict[str, str]] = []
        self._lasting = lasting

    def __call__(self, parameters: dict[str, str]) -> Any:
        self.asked.append(parameters)
        keys = {"AccessKeyId": f"key-{len(self.asked)}", "SecretAccessKey": "of-a-test", "SessionToken": "of-a-test"}
        return {"Credentials": {**keys, "Expiration": datetime.now(timezone.utc) + self._lasting}}


def _key(role: AssumedRole) -> str:
    role.get_ready()
    return str(role.credentials.get_frozen_credentials().access_key)


def test_keys_are_asked_for_once_with_the_role_the_external_id_and_the_session_name() -> None:
    """Keys of an hour serve all requests of an action."""
    sts = Sts(timedelta(hours=1))
    role = AssumedRole(ROLE, sts)
    assert [_key(role), _key(role)] == ["key-1", "key-1"]
    asked = {"RoleArn": ROLE.role_arn, "RoleSessionName": "ec2-vip1@node1", "ExternalId": "cluster-a"}
    assert sts.asked == [asked]


def test_keys_are_renewed_before_they_end() -> None:
    """Keys that are good for five more minutes are not used for the next request."""
    role = AssumedRole(ROLE, Sts(timedelta(minutes=5)))
    first = _key(role)
    assert _key(role) != first


def test_role_without_an_external_id_asks_without_one() -> None:
    """An empty one would be refused."""
    sts = Sts(timedelta(hours=1))
    _key(AssumedRole(Role(ROLE.role_arn), sts))
    assert "ExternalId" not in sts.asked[0]


@pytest.mark.parametrize(
    ("behaviour", "message", "said"),
    [
        pytest.param(fails("AccessDenied", 403), catalogue.ROLE_REFUSED, "AccessDenied", id="denied"),
        pytest.param(fails("ValidationError", 400), catalogue.ROLE_REFUSED, "ValidationError", id="invalid"),
        pytest.param(fails("Throttling", 400), catalogue.CREDENTIALS_LATE, "Throttling", id="throttled"),
        pytest.param(fails("InternalFailure", 500), catalogue.CREDENTIALS_LATE, "InternalFailure", id="failing"),
    ],
)
def test_trouble_of_sts_is_named_with_the_role(
    monkeypatch: pytest.MonkeyPatch, behaviour: Behaviour, message: Message, said: str
) -> None:
    """EC2 is not asked; only what a person has to correct is an error, and is not repeated."""
    with scripted(behaviour) as sts, scripted(DONE) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
        with pytest.raises(NotSent) as caught:
            write(an_ec2(server.url, max_retry=0).under(ROLE))
    assert caught.value.message is message
    assert caught.value.retryable is (message is catalogue.CREDENTIALS_LATE)
    assert not [each for each in (said, ROLE.role_arn) if each not in str(caught.value)]
    assert server.asked == []


def test_operation_on_the_servers_own_objects_asks_for_no_role(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elastic IPs and network interfaces belong to the account of the servers."""
    with (
        scripted(fails("AccessDenied", 403)) as sts,
        scripted(says("DescribeAddresses", "<addressesSet/>")) as server,
    ):
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", sts.url)
        ec2 = an_ec2(server.url)
        with pytest.raises(NotSent):
            look(ec2.under(ROLE))
        assert ec2.addresses() == ()
        assert ec2.credentials == "env"
    assert [each["Action"] for each in server.asked] == ["DescribeAddresses"]


def test_refusal_is_the_sdks_own_error() -> None:
    """The client translates it; nothing is kept of it."""
    refusal = ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "AssumeRole")

    def refuse(parameters: dict[str, str]) -> Any:
        raise refusal

    with pytest.raises(ClientError):
        AssumedRole(ROLE, refuse).get_ready()
