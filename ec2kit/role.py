"""A role of IAM, under which the objects of a resource are looked at and changed, usually one of another account."""

from __future__ import annotations

import re
from typing import NamedTuple

_ARN = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):role/[\x21-\x7e]{1,576}")
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_NOT_IN_A_NAME = re.compile(r"[^\w+=,.@-]", re.ASCII)
_LONGEST_NAME = 64


class Role(NamedTuple):
    """
    One role that this server assumes.

    Attributes:
        role_arn: "arn:aws:iam::111122223333:role/vip".
        external_id: The word that the role's trust policy may ask for; "": none.
        session_name: The name in the CloudTrail of the role's account.
    """

    role_arn: str
    external_id: str = ""
    session_name: str = "ec2kit"

    @property
    def account_id(self) -> str:
        """Return the account of the role, "111122223333"."""
        found = _ARN.fullmatch(self.role_arn)
        return found[1] if found else ""

    @property
    def key(self) -> str:
        """Return one text that differs from that of every role whose answers may differ."""
        return f"{self.role_arn} {self.external_id}".rstrip()


def session_name(tag: str, server: str) -> str:
    """
    Return the name of a session that names a resource and a server, "ec2-vip1@node1".

    Source: STS API, AssumeRole, RoleSessionName: 2 to 64 letters, digits and some signs.
    """
    end = "@" + server[: _LONGEST_NAME // 2 - 1]
    name = tag[: _LONGEST_NAME - len(end)] + end
    return _NOT_IN_A_NAME.sub("-", name)


def is_role_arn(text: str) -> bool:
    """Tell whether a text is the ARN of a role."""
    return _ARN.fullmatch(text) is not None


def is_external_id(text: str) -> bool:
    """
    Tell whether a text can be an external id.

    Source: STS API, AssumeRole, ExternalId.
    """
    return _EXTERNAL_ID.fullmatch(text) is not None
