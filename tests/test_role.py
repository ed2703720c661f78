"""A role: what its ARN and its session names may be."""

from __future__ import annotations

import re

import pytest

from ec2kit.role import Role, is_external_id, is_role_arn, session_name

ARN = "arn:aws:iam::111122223333:role/vip"
SESSION_NAME = r"[\w+=,.@-]{2,64}"
"""Source: STS API, AssumeRole, RoleSessionName."""


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        pytest.param(ARN, True, id="role"),
        pytest.param("arn:aws-us-gov:iam::111122223333:role/path/of/vip", True, id="other partition, with a path"),
        pytest.param("arn:aws:iam::111122223333:user/vip", False, id="user"),
        pytest.param("arn:aws:iam::1:role/vip", False, id="no account"),
        pytest.param("arn:aws:iam::111122223333:role/", False, id="no name"),
        pytest.param("arn:aws:iam::111122223333:role/a b", False, id="blank"),
        pytest.param("vip", False, id="name"),
    ],
)
def test_arn_of_a_role_is_told_from_other_texts(text: str, valid: bool) -> None:
    """Only a whole ARN names the account, too."""
    assert is_role_arn(text) is valid
    assert Role(text).account_id == ("111122223333" if valid else "")


@pytest.mark.parametrize(
    ("text", "valid"), [("cluster-a", True), ("a:b/c=d", True), ("a", False), ("a b", False), ("", False)]
)
def test_external_id_is_what_iam_takes(text: str, valid: bool) -> None:
    """Two signs at least, no blanks."""
    assert is_external_id(text) is valid


@pytest.mark.parametrize(
    ("tag", "server", "name"),
    [
        pytest.param("ec2-vip1", "node1", "ec2-vip1@node1", id="plain"),
        pytest.param("vip", "node 1!", "vip@node-1-", id="odd signs"),
        pytest.param("t" * 128, "s" * 63, "t" * 32 + "@" + "s" * 31, id="both long"),
        pytest.param("t" * 128, "node1", "t" * 58 + "@node1", id="long tag"),
    ],
)
def test_session_name_names_resource_and_server(tag: str, server: str, name: str) -> None:
    """In the form that STS takes; of long names each is cut."""
    assert session_name(tag, server) == name
    assert re.fullmatch(SESSION_NAME, name)


def test_key_differs_by_the_external_id() -> None:
    """A wrong external id never reads an answer that the right one was given."""
    assert len({Role(ARN).key, Role(ARN, "a1").key, Role(ARN, "b1").key}) == 3
