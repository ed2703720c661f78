"""
The STS endpoint of one server gives the keys of a role, which are good for nothing, as every key is here.

Source: STS API, AssumeRole, AssumeRoleWithWebIdentity, GetCallerIdentity, "Common errors".
"""

from __future__ import annotations

import re
import urllib.parse
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from xml.sax.saxutils import escape

from ec2kit.sandbox.call import STS_NAMESPACE, Call, Journal, Refused, error
from ec2kit.sandbox.imds import ACCESS_KEY_PREFIX, SECRET_PREFIX, SESSION_PREFIX
from ec2kit.sandbox.rules import Rules
from ec2kit.sandbox.wire import Answer, Received

_TOLD = ("RoleArn", "RoleSessionName", "DurationSeconds", "ExternalId")
_ROLE = re.compile(r"arn:[a-z0-9-]+:iam::(?P<account>[0-9]{12}):role/(?:.*/)?(?P<name>[^/]+)")

Content = dict[str, Any]


class Sts:
    """Answer requests of one server."""

    def __init__(self, *, server: str, rules: Rules, journal: Journal) -> None:
        self._server = server
        self._rules = rules
        self._journal = journal

    def __call__(self, received: Received) -> Answer:
        era = self._journal.era
        given = dict(urllib.parse.parse_qsl(received.body.decode("utf-8", "replace")))
        call = Call("sts", self._server, given.get("Action", ""), given, received)
        answer, effects = self._rules.disturb(call, lambda: _carry_out(call))
        told = {
            **call.at_the_door(effects),
            "parameters": {name: given[name] for name in _TOLD if name in given},
            "status": answer.status or None,
            "code": call.code,
            "request_id": call.request_id,
            "user_agent": received.headers.get("user-agent", ""),
        }
        self._journal.write(told, era=era)
        return answer


def _carry_out(call: Call) -> Answer:
    try:
        content = _OPERATIONS.get(call.operation, _unknown)(call)
    except Refused as refused:
        return error(call, refused.code, refused.message)
    name = call.operation
    body = (
        f'<{name}Response xmlns="{STS_NAMESPACE}"><{name}Result>{_xml(content)}</{name}Result>'
        f"<ResponseMetadata><RequestId>{call.request_id}</RequestId></ResponseMetadata></{name}Response>"
    )
    return Answer(200, body.encode(), headers={"x-amzn-RequestId": call.request_id})


def _xml(content: Mapping[str, Any]) -> str:
    return "".join(
        f"<{name}>{_xml(value) if isinstance(value, dict) else escape(str(value))}</{name}>"
        for name, value in content.items()
    )


def _assume_role(call: Call) -> Content:
    _signed(call)
    return _role(call)


def _role(call: Call) -> Content:
    """
    Return keys that begin with the constants of `imds`, for the time that the caller asks for.

    The id of the key names the account of the role, see `account_of`.
    """
    role = _ROLE.fullmatch(_needed(call, "RoleArn"))
    if role is None:
        raise Refused("ValidationError", f"{call.parameters['RoleArn']} is invalid")
    session, seconds = _needed(call, "RoleSessionName"), call.parameters.get("DurationSeconds", "3600")
    if not seconds.isdigit() or not 900 <= int(seconds) <= 43200:
        raise Refused("ValidationError", "DurationSeconds is from 900 to 43200")
    expiration = datetime.now(timezone.utc) + timedelta(seconds=int(seconds))
    key = uuid.uuid4().hex
    return {
        "Credentials": {
            "AccessKeyId": f"{ACCESS_KEY_PREFIX}{role['account']}{key[:3].upper()}",
            "SecretAccessKey": f"{SECRET_PREFIX}{key}",
            "SessionToken": f"{SESSION_PREFIX}{key}",
            "Expiration": expiration.strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
        "AssumedRoleUser": {
            "AssumedRoleId": f"AROAEC2KITSANDBOX0001:{session}",
            "Arn": f"arn:aws:sts::{role['account']}:assumed-role/{role['name']}/{session}",
        },
    }


def account_of(credential: str) -> str:
    """Return the account of the role whose key signed a request, "" for the keys of a server."""
    digits = credential.removeprefix(ACCESS_KEY_PREFIX)[:12]
    return digits if credential.startswith(ACCESS_KEY_PREFIX) and re.fullmatch("[0-9]{12}", digits) else ""


def _identity(call: Call) -> Content:
    _signed(call)
    account = "123456789012"
    return {"Arn": f"arn:aws:iam::{account}:root", "UserId": account, "Account": account}


def _unknown(call: Call) -> Content:
    raise Refused("InvalidAction", f"Could not find operation {call.operation} for version 2011-06-15")


_OPERATIONS: dict[str, Callable[[Call], Content]] = {
    "AssumeRole": _assume_role,
    "AssumeRoleWithWebIdentity": _role,
    "GetCallerIdentity": _identity,
}


def _signed(call: Call) -> None:
    if "/sts/aws4_request" not in call.received.headers.get("authorization", ""):
        raise Refused("MissingAuthenticationToken", "Request is missing Authentication Token")


def _needed(call: Call, name: str) -> str:
    if name not in call.parameters:
        raise Refused("ValidationError", f"1 validation error detected: {name} is missing")
    return call.parameters[name]
