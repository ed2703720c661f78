"""One call to a service of the sandbox is described here as rules, effects and the journal see it."""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from ec2kit.sandbox.view import Picture
from ec2kit.sandbox.wire import Answer, Received

TOKEN_PATH = "/latest/api/token"  # noqa: S105  # a path
"""The path at which the metadata service gives tokens."""

STS_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
ROUTE53_NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"

_NAMESPACES = {"sts": STS_NAMESPACE, "route53": ROUTE53_NAMESPACE}

Glass = Callable[[Picture], Picture]

STATUS = {
    "AccessDenied": 403,
    "AuthFailure": 401,
    "DryRunOperation": 412,
    "ExpiredToken": 403,
    "InternalError": 500,
    "MissingAuthenticationToken": 403,
    "NoSuchChange": 404,
    "NoSuchHostedZone": 404,
    "ServiceUnavailable": 503,
    "Unavailable": 503,
    "RequestLimitExceeded": 503,
    "UnauthorizedOperation": 403,
}
"""The HTTP status of an error code, if it is not 400."""


class Announced(NamedTuple):
    """
    Hold what the metadata service announces.

    Attributes:
        kind: "scheduled", "history", "interruption" or "rebalance".
        told: The content, as AWS names its parts.
    """

    kind: str
    told: Mapping[str, str]


@dataclass
class Call:
    """
    Describe one request after reading.

    `operation` is the Action of EC2 or STS, the operation of Route 53, the path at the metadata service, the service
    behind a handshake (`tls`), or the host and port that a proxy is asked for.

    An effect may set these: `glasses` turn the present into what describing operations show, the last one first;
    `page_size` is the size of a page if the client did not ask for pages; `empty_page` puts a page without content
    first; `clock` is the number of seconds by which EC2's clock is ahead; `forgotten` makes the metadata service
    forget the token; `announced` is what the metadata service announces; `certificate` is the name of the one that a
    server shows; `pending` is the number of seconds for which Route 53 shows a change as PENDING.

    `told` is what the journal has of a call besides its parameters; `code` is the error that was answered.
    """

    service: str
    server: str | None
    operation: str
    parameters: Mapping[str, str]
    received: Received
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    began: float = field(default_factory=time.time)
    glasses: list[Glass] = field(default_factory=list)
    page_size: int | None = None
    empty_page: bool = False
    clock: float = 0.0
    forgotten: bool = False
    announced: list[Announced] = field(default_factory=list)
    certificate: str = "good"
    pending: float = 0.0
    told: Mapping[str, str] = field(default_factory=dict)
    code: str | None = None
    carried_out: bool = False

    @property
    def signature_in_query(self) -> str:
        """Return the credential of a presigned request, "" for any other request."""
        return self.parameters.get("X-Amz-Credential") or self.parameters.get("AWSAccessKeyId") or ""

    @property
    def credential(self) -> str:
        """Return the id of the key and the scope of the signature, "" for a request without one."""
        header = self.received.headers.get("authorization", "")
        if "Credential=" in header:
            return header.split("Credential=", 1)[1].split(",", 1)[0].strip()
        return self.signature_in_query

    @property
    def signed_at(self) -> float | None:
        """
        Return the moment that the signature names, in seconds of the epoch.

        None: it names no moment, or it names a time of expiry as well.
        """
        if "X-Amz-Expires" in self.parameters:
            return None
        date = self.received.headers.get("x-amz-date", "")
        try:
            return datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
        except ValueError:
            return None

    @property
    def writes(self) -> bool:
        """Tell whether the call changes something."""
        return not self.operation.startswith(("Describe", "Get", "List", "Search"))

    def seen(self, present: Picture) -> Picture:
        """Return what describing operations show instead of the present."""
        for glass in reversed(self.glasses):
            present = glass(present)
        return present

    def at_the_door(self, effects: list[str]) -> dict[str, Any]:
        """Return what the journal has of any call."""
        return {
            "time": self.began,
            "server": self.server,
            "service": self.service,
            "operation": self.operation,
            "effects": effects,
        }

    @property
    def dry_run(self) -> bool:
        """Tell whether the caller only asks for its permission."""
        return self.parameters.get("DryRun", "").lower() == "true"


class Refused(Exception):
    """EC2 refuses a call with this code and message; the HTTP status follows from the code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def error(call: Call, code: str, message: str, *, status: int = 0) -> Answer:
    """
    Return the error document of EC2, STS or Route 53 as an answer, and note the code in the call.

    Source: EC2 developer guide, "Troubleshooting API request errors"; EC2 API, "Error codes"; botocore, parsers,
    QueryParser and RestXMLParser, for the form of STS and Route 53.
    """
    status = status or STATUS.get(code, 400)
    told = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if call.service in _NAMESPACES:
        kind = "Sender" if status < 500 else "Receiver"
        body = (
            f'<ErrorResponse xmlns="{_NAMESPACES[call.service]}"><Error><Type>{kind}</Type>{told}</Error>'
            f"<RequestId>{call.request_id}</RequestId></ErrorResponse>"
        )
    else:
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Response><Errors><Error>{told}</Error></Errors><RequestID>{call.request_id}</RequestID></Response>"
        )
    call.code = code
    return Answer(status, body.encode(), headers={"x-amzn-RequestId": call.request_id})


class Journal:
    """
    A file of JSON lines, to which each line is appended as a whole.

    An era ends when the journal forgets. A call that came in an era that has ended leaves no entry, so that a reset
    is not followed by what clients did before it.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self.era = 0
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(self, entry: Mapping[str, Any], *, era: int) -> None:
        """Append one entry, before its answer goes out, unless its era has ended."""
        line = json.dumps(entry).encode() + b"\n"
        with self._lock:
            if era == self.era:
                os.write(self._file, line)

    def forget(self) -> None:
        """Empty the file and end the era."""
        with self._lock:
            self.era += 1
            os.ftruncate(self._file, 0)
