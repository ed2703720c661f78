"""
A credential helper is a program that the SDK's configuration names, and that prints the credentials.

Source: AWS SDKs and Tools, "Process credential provider".
"""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.session import Session

SETTING = "credential_process"

_WAY = "custom-process"

_LONG = re.compile(r"[^\s:;,'\"()]{16,}")
"""A word as long as a secret; access keys have 20 characters, secret keys 40."""

WAYS = (_WAY, "assume-role")
"""
The SDK's names of the ways to credentials that may lead through a helper.

Source: botocore, credentials.ProcessProvider.METHOD and AssumeRoleProvider.METHOD.
"""


def program(session: Session) -> str:
    """
    Return the helper of the session's profile, or of the profile that gives the keys for a role, "" if there is none.

    The arguments are not part of it, because they may be secrets.
    """
    profiles: dict[str, dict[str, Any]] = session.full_config.get("profiles", {})
    name, seen = session.get_config_variable("profile") or "default", set[str]()
    while name and name not in seen:
        seen.add(name)
        section = profiles.get(name, {})
        if SETTING in section:
            return _first_word(str(section[SETTING]))
        name = section.get("source_profile", "")
    return ""


def _first_word(line: str) -> str:
    try:
        words = shlex.split(line)
    except ValueError:  # the SDK refuses the line, and says so
        words = line.split()
    return words[0] if words else "(empty)"


def last_words(error: Exception) -> str:
    """
    Return what a helper said before it failed, "" if the error is another one.

    Any long word that is no file of this server may be a secret, and is left out.
    """
    told = getattr(error, "kwargs", {})
    if told.get("provider") != _WAY:
        return ""
    said = _LONG.sub(_file_or_nothing, str(told.get("error_msg", ""))).strip()
    return said or "it failed, and said nothing"


def _file_or_nothing(word: re.Match[str]) -> str:
    return word[0] if os.path.lexists(word[0]) else "***"
