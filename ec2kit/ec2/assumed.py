"""
STS gives the keys of a role, and gives them anew ahead of their end; they are in the memory of this process only.

Source: STS API, AssumeRole; botocore, credentials.DeferredRefreshableCredentials.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.credentials import Credentials
    from botocore.session import Session

    from ec2kit.role import Role

REQUEST = "AssumeRole"


class AssumedRole:
    """
    The keys of one role; they are asked for with the first request, and once for all that wait for them.

    Args:
        ask: Asks STS, given the parameters of AssumeRole; raises the SDK's errors.

    Attributes:
        credentials: What signs requests; they renew themselves before STS lets them end.
    """

    def __init__(self, role: Role, ask: Callable[[dict[str, str]], Any]) -> None:
        from botocore.credentials import DeferredRefreshableCredentials

        self.role = role
        self._ask = ask
        self._lock = threading.Lock()
        self._refused: Exception | None = None
        self._refusals = 0
        self.credentials = DeferredRefreshableCredentials(refresh_using=self._fetch, method="assume-role")

    def get_ready(self) -> None:
        """
        Let the keys be there, and good for a while.

        Raises:
            Exception: The SDK's own error; an answer of STS that refuses is one for all that waited for it.
        """
        from botocore.exceptions import ClientError

        before = self._refusals
        if not self.credentials.refresh_needed():
            return
        with self._lock:
            if self._refused is not None and self._refusals != before:
                raise self._refused
            try:
                self.credentials.get_frozen_credentials()
            except ClientError as error:
                self._refused, self._refusals = error, self._refusals + 1
                raise

    def sign(self, session: Session) -> None:
        """Let the clients of a session that has none yet sign with the keys of the role."""
        from botocore.credentials import CredentialProvider, CredentialResolver

        keys = self.credentials

        class Assumed(CredentialProvider):
            METHOD = "assume-role"

            def load(self) -> Credentials:
                return keys

        session.register_component("credential_provider", CredentialResolver([Assumed()]))

    def _fetch(self) -> dict[str, str]:
        role = self.role
        asked = {"RoleArn": role.role_arn, "RoleSessionName": role.session_name}
        keys = self._ask({**asked, "ExternalId": role.external_id} if role.external_id else asked)["Credentials"]
        return {
            "access_key": keys["AccessKeyId"],
            "secret_key": keys["SecretAccessKey"],
            "token": keys["SessionToken"],
            "expiry_time": keys["Expiration"].isoformat(),
        }
