"""One call to a service of the sandbox, as rules, effects and the journal see it."""

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
from typing import Any
from xml.sax.saxutils import escape

from ec2kit.sandbox.view import Picture
from ec2kit.sandbox.wire import Answer, Received

TOKEN_PATH = "/latest/api/token"  # noqa: S105  # a path
"""Where the metadata service gives tokens."""

Glass = Callable[[Picture], Picture]

STATUS = {
    "AuthFailure": 401,
    "DryRunOperation": 412,
    "InternalError": 500,
    "MissingAuthenticationToken": 403,
    "ServiceUnavailable": 503,
    "Unavailable": 503,
    "RequestLimitExceeded": 503,
    "UnauthorizedOperation": 403,
}
"""The HTTP status of an error code, where it is not 400."""


@dataclass
class Call:
    """
    One request, read; `operation` is EC2's Action, or the path at the metadata service.

    What an effect may set: `glasses` turn the present into what describing operations show, the last one first;
    `page_size` is that of answers which nobody asked to page; `empty_page` puts a page without content first;
    `clock` says how many seconds EC2's clock is ahead; `forgotten` that the metadata service has forgotten the token.

    `code` is the error that was answered.
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
    code: str | None = None
    carried_out: bool = False

    @property
    def signature_in_query(self) -> str:
        """The credential of a presigned request, "" if it is none."""
        return self.parameters.get("X-Amz-Credential") or self.parameters.get("AWSAccessKeyId") or ""

    @property
    def signed_at(self) -> float | None:
        """The moment that the signature names, in seconds of the epoch; None if it names none, or until later."""
        if "X-Amz-Expires" in self.parameters:
            return None
        date = self.received.headers.get("x-amz-date", "")
        try:
            return datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
        except ValueError:
            return None

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return not self.operation.startswith(("Describe", "Get", "Search"))

    def seen(self, present: Picture) -> Picture:
        """What describing operations show in place of the present."""
        for glass in reversed(self.glasses):
            present = glass(present)
        return present

    @property
    def dry_run(self) -> bool:
        """Whether the caller only asks if it may."""
        return self.parameters.get("DryRun", "").lower() == "true"


class Refused(Exception):
    """An error as EC2 answers it: code and message; the HTTP status follows from the code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def error(call: Call, code: str, message: str, *, status: int = 0) -> Answer:
    """
    EC2's error document.

    Source: EC2 developer guide, "Troubleshooting API request errors"; EC2 API, "Error codes".
    """
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Response><Errors><Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error></Errors>"
        f"<RequestID>{call.request_id}</RequestID></Response>"
    )
    call.code = code
    return Answer(status or STATUS.get(code, 400), body.encode(), headers={"x-amzn-RequestId": call.request_id})


class Journal:
    """A file of JSON lines that is appended to one whole line at a time."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(self, entry: Mapping[str, Any]) -> None:
        """Append one entry, before its answer goes out."""
        line = json.dumps(entry).encode() + b"\n"
        with self._lock:
            os.write(self._file, line)

    def forget(self) -> None:
        """Empty the file."""
        os.ftruncate(self._file, 0)
