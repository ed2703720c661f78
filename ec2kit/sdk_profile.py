"""The profile in the SDK's own files is read as the SDK reads it, for the few settings that the kit heeds as well."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from functools import partial
from typing import Any

from ec2kit.deadline import Abandoned, Deadline, abandonable

_LONGEST = 2.0
"""Seconds; a home folder may lie on a server that hangs, and an action must come to its own deadline."""

_LARGEST = 1_000_000

_SIGNS = (b"endpoint", b"imds_use_ipv6", b"ca_bundle")
"""Without one of these in it, a file has no setting that the kit heeds, and no parser is loaded."""

_SIGNS_OF_A_ROLE = (b"role_arn", b"sso_")
"""The same, where an endpoint is set for all services: the kit heeds whether another one than EC2 is asked."""

_Section = dict[str, Any]
"""Option → its value, a text, or option → value again where the value is indented."""


def profile(environment: Mapping[str, str]) -> Mapping[str, str]:
    """
    Return option → value of the profile that the variables choose, with its services section.

    An endpoint in the services section is "services.ec2.endpoint_url".

    Raises:
        TimeoutError: The files do not give their content.

    Source: botocore, configloader.py and Session.full_config, get_scoped_config.
    """
    try:
        return abandonable(partial(_read, environment), Deadline(_LONGEST))
    except Abandoned as error:
        raise TimeoutError(f"no content within {_LONGEST:g} s") from error


def config_file(environment: Mapping[str, str]) -> str:
    """Return the path of the SDK's file, as a person would write it."""
    return environment.get("AWS_CONFIG_FILE") or "~/.aws/config"


def _read(environment: Mapping[str, str]) -> Mapping[str, str]:
    config = _content(config_file(environment))
    credentials = _content(environment.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials")
    text = (config + credentials).lower()
    signs = (*_SIGNS, *_SIGNS_OF_A_ROLE) if environment.get("AWS_ENDPOINT_URL") else _SIGNS
    if not any(sign in text for sign in signs):
        return {}
    try:
        return _chosen(environment, _sections(config), _sections(credentials))
    except ValueError:  # the SDK refuses to work with such a file, and says so
        return {}


def _content(path: str) -> bytes:
    """Return the content of a regular file, b"" if there is none, or it cannot be read."""
    try:
        path = os.path.expanduser(os.path.expandvars(path))
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            return file.read(_LARGEST) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b""
    except (OSError, ValueError):
        return b""


def _sections(content: bytes) -> dict[str, _Section]:
    """Return section → its options; raises ValueError where the SDK refuses the file."""
    from configparser import Error, RawConfigParser

    parser = RawConfigParser()
    try:
        parser.read_string(content.decode())
    except Error as error:
        raise ValueError(error) from error
    return {
        section: {option: _nested(parser.get(section, option)) for option in parser.options(section)}
        for section in parser.sections()
    }


def _nested(value: str) -> str | dict[str, str]:
    if not value.startswith("\n"):
        return value
    pairs = (line.split("=", 1) for line in map(str.strip, value.splitlines()) if line)
    return {name.strip(): text.strip() for name, text in pairs}


def _chosen(
    environment: Mapping[str, str], config: dict[str, _Section], credentials: dict[str, _Section]
) -> Mapping[str, str]:
    profiles, services = _named("profile", config), _named("services", config)
    for name, section in credentials.items():
        profiles[name] = {**profiles.get(name, {}), **section}
    name = environment.get("AWS_DEFAULT_PROFILE") or environment.get("AWS_PROFILE") or "default"
    found = {option: value for option, value in profiles.get(name, {}).items() if isinstance(value, str)}
    for service, options in services.get(found.get("services", ""), {}).items():
        if isinstance(options, dict) and "endpoint_url" in options:
            found[f"services.{service}.endpoint_url"] = options["endpoint_url"]
    return found


def _named(kind: str, sections: dict[str, _Section]) -> dict[str, _Section]:
    """Return name → section of the sections "[profile NAME]"; "[default]" is a profile, too."""
    import shlex

    found: dict[str, _Section] = {}
    for title, section in sections.items():
        words = _words(shlex.split, title) if title.startswith(kind) else []
        if len(words) == 2:
            found[words[1]] = section
        elif title == "default":
            found[title] = section
    return found


def _words(split: Any, title: str) -> list[str]:
    try:
        return list(split(title))
    except ValueError:
        return []
