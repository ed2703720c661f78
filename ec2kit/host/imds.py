"""
The instance metadata service (IMDS) is asked here, within a deadline; the meaning of its items is not known here.
"""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable
from functools import partial
from urllib.parse import SplitResult, urlsplit

from ec2kit.deadline import Abandoned, Deadline, abandonable
from ec2kit.errors import ImdsSilent
from ec2kit.settings import Settings

_TRIES = 3
_LARGEST = 65536
_SESSION_SECONDS = "300"

_ROLES = "meta-data/iam/security-credentials/"

_TOKEN = re.compile(r"[!-~]+")

Form = Callable[[str], bool]
"""Tells whether the text of an item can be true: "i-0a1b2c3d" for an id, and no page of HTML."""


class Metadata:
    """
    The instance metadata service, version 2 only, never through a proxy.

    Source: EC2 user guide, "Use the Instance Metadata Service to access instance metadata".
    """

    def __init__(self, settings: Settings, deadline: Deadline) -> None:
        self._url = settings.metadata_url
        self._seconds = settings.connect_timeout
        self._deadline = deadline
        self._token = ""
        self._date = ""

    @property
    def has_answered(self) -> bool:
        """Tell whether the service has answered anything, if only with an error."""
        return bool(self._date)

    @property
    def now(self) -> float:
        """
        Return AWS's time of the last answer, in seconds of the epoch; the clock of this server may be wrong.

        Raises:
            ImdsSilent: The service has not answered, or its answer has no date.
        """
        from email.utils import parsedate_to_datetime

        try:
            return parsedate_to_datetime(self._date).timestamp()
        except (ValueError, TypeError) as error:
            raise ImdsSilent(endpoint=self._url, reason="its answer has no date") from error

    def get(self, path: str) -> str | None:
        """
        Return one item below /latest/, None if the instance has no such item.

        Raises:
            ImdsSilent: There is no usable answer, after a few tries.
        """
        reason = ""
        for _ in range(_TRIES):
            try:
                return self._ask(path)
            except (OSError, http.client.HTTPException, ValueError) as error:
                reason = f"{error}"
            self._token = ""
            if self._deadline.passed:
                break
        raise ImdsSilent(endpoint=self._url, reason=reason)

    def need(self, path: str, form: Form = bool) -> str:
        """
        Return one item that every instance has.

        Raises:
            ImdsSilent: The item is missing or does not have its form: another program answers in the service's place.
        """
        value = self.get(path)
        if not value:
            raise ImdsSilent(endpoint=self._url, reason=f"it has no /latest/{path}")
        return self.checked(path, value, form)

    def checked(self, path: str, value: str, form: Form) -> str:
        """
        Return the value of an item if it has its form.

        Raises:
            ImdsSilent: It does not have its form.
        """
        if not form(value):
            raise ImdsSilent(endpoint=self._url, reason=f"its /latest/{path} is {value[:60]!a}")
        return value

    def _ask(self, path: str) -> str | None:
        if not self._token:
            self._token = self._new_token()
        return self._request("GET", f"/latest/{path}", {"X-aws-ec2-metadata-token": self._token})

    def _new_token(self) -> str:
        """
        Return a new token.

        Raises:
            ValueError: The answer cannot be sent as a header; the error does not quote it, since it may be a token.
        """
        token = self._request("PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": _SESSION_SECONDS})
        if not token or not _TOKEN.fullmatch(token):
            raise ValueError("what it gives for a session is no token")
        return token

    def _request(self, method: str, path: str, headers: dict[str, str]) -> str | None:
        """Send one request; abandon it when it takes longer than its time."""
        try:
            work = partial(self._exchange, method, path, headers)
            return abandonable(work, self._deadline.within(self._seconds))
        except Abandoned as error:
            raise TimeoutError(f"none to {path} within {self._seconds:g} s") from error

    def _connection(self, where: SplitResult) -> http.client.HTTPConnection:
        """Return a connection to the endpoint as the SDK understands it; raises ValueError if it is no URL."""
        if where.scheme not in ("http", "https") or not where.hostname:
            raise ValueError("it is no http:// or https:// URL")
        kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
        return kind(where.hostname, where.port, timeout=self._seconds)

    def _exchange(self, method: str, path: str, headers: dict[str, str]) -> str | None:
        where = urlsplit(self._url)
        connection = self._connection(where)
        try:
            connection.request(method, where.path.rstrip("/") + path, headers=headers)
            with connection.getresponse() as answer:
                body = answer.read(_LARGEST)
                is_whole = not answer.length  # `length` is the number of bytes still to come
                self._date = answer.getheader("Date", "")
        finally:
            connection.close()
        if not is_whole:
            raise ValueError(f"a cut or endless answer to {method} {path}")
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise ValueError(f"HTTP {answer.status} to {method} {path}")
        return body.decode("ascii").strip()


def role_trouble(settings: Settings, deadline: Deadline) -> str:
    """
    Return the reason for which the role of the instance gives no credentials.

    Source: EC2 user guide, "Retrieve security credentials from instance metadata": Code is Success, or the trouble.
    """
    import json

    metadata = Metadata(settings, deadline)
    try:
        role = metadata.get(_ROLES)
        if not role:
            return "no role is attached to the instance"
        said = json.loads(metadata.get(f"{_ROLES}{role.split()[0]}") or "{}")
        return f"{said['Code']}, {said.get('Message', '')} (role {role})"
    except ImdsSilent as error:
        return str(error)
    except (ValueError, KeyError, TypeError):
        return "the metadata service gives something else"
