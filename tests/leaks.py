"""The sandbox's keys and tokens, and where they must not be: in what an action says and in what it leaves on disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ec2kit.sandbox.imds import ACCESS_KEY_PREFIX, SECRET_PREFIX, SESSION_PREFIX, TOKEN_PREFIX

SECRETS = (ACCESS_KEY_PREFIX, SECRET_PREFIX, SESSION_PREFIX, TOKEN_PREFIX)
"""How the keys, the session and the tokens begin that the sandbox's metadata services give to each server."""

_OF_THE_SANDBOX_ITSELF = (".py", ".pyc", ".whl", ".gz")


def must_not_leak(text: str) -> None:
    """Fails where a secret stands in what somebody could read."""
    found = [secret for secret in SECRETS if secret in text]
    assert not found, f"{found} in: {text}"


def must_not_be_left_in(folder: Path, *, by: str = "any test") -> None:
    """Fail where a secret stands in a file below the folder; the sandbox's own program may have them."""
    found = list(_files_with_secrets(folder))
    assert not found, f"secrets left by {by} in: {', '.join(map(str, found))}"


def _files_with_secrets(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):  # which passes over a folder that is just being removed
        for path in (Path(place, name) for name in names):
            if path.suffix not in _OF_THE_SANDBOX_ITSELF and _has_a_secret(path):
                yield path


def _has_a_secret(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    try:
        content = path.read_bytes()
    except FileNotFoundError:  # who made it has just removed it
        return False
    return any(secret.encode() in content for secret in SECRETS)
