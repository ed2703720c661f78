"""The keys of a role: asked for once, renewed before they end, and not asked for after a refusal."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ec2kit.ec2.assumed import AssumedRole
from ec2kit.role import Role

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


def test_refusal_is_the_sdks_own_error() -> None:
    """The client translates it; nothing is kept of it."""
    refusal = ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "AssumeRole")

    def refuse(parameters: dict[str, str]) -> Any:
        raise refusal

    with pytest.raises(ClientError):
        AssumedRole(ROLE, refuse).get_ready()
