"""
The list of EC2's endpoints, EC2_ENDPOINTS, is read here: each entry is an endpoint and the way to it.

A list as it is set: "https://vpce-1-2.ec2.us-east-1.vpce.amazonaws.com direct, regional via http://10.0.0.9:3128".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

REGIONAL, DUAL_STACK, FIPS = "regional", "dual-stack", "fips"
FIPS_DUAL_STACK = f"{FIPS}-{DUAL_STACK}"

AWS_OWN = (REGIONAL, DUAL_STACK, FIPS, FIPS_DUAL_STACK)
"""
The endpoints that AWS has in each region; the SDK knows their names.

Source: AWS General Reference, "Amazon EC2 endpoints and quotas".
"""

MOST = 8
"""The maximum number of entries: each that is dead costs its connection time-out where no other has answered yet."""

_HOST = r"(?:\[[0-9A-Fa-f:.]{2,45}\]|(?=[^/:]{1,253}(?:[/:]|$))[\w-]{1,63}(?:\.[\w-]{1,63})*)"
_URL = rf"https?://{_HOST}(?::([0-9]{{1,5}}))?/?"
_PROXY = rf"https?://(?:[^\s@/]*@)?{_HOST}(?::([0-9]{{1,5}}))?/?"


class Endpoint(NamedTuple):
    """
    One endpoint of EC2, and the way to it.

    Attributes:
        target: A name of AWS_OWN, or a URL; "": as the SDK is set up.
        proxy: A URL; "": no proxy; None: the proxy that the environment names.
    """

    target: str = ""
    proxy: str | None = None

    @property
    def name(self) -> str:
        """Return the entry as it is shown, "regional via http://10.0.0.9:3128", without user and password."""
        if self.proxy is None:
            return self.target
        if not self.proxy:
            return f"{self.target} direct"
        return f"{self.target} via {re.sub('//.*@', '//', self.proxy)}"

    @property
    def url(self) -> str:
        """Return the URL, "" if the SDK knows it."""
        return "" if self.target in AWS_OWN else self.target


AS_SET_UP = Endpoint()
"""The only endpoint where there is no list: that of the SDK's own settings, or of EC2_ENDPOINT_URL."""


class Unusable(NamedTuple):
    """An entry that is not used, with the reason."""

    entry: str
    reason: str


def read(text: str) -> tuple[tuple[Endpoint, ...], tuple[Unusable, ...]]:
    """
    Return the endpoints that a list names, in its order and each once, and its entries that cannot be used.

    Where an entry has a password, in which a comma may stand, only a comma and a blank separate entries.
    """
    parts = re.split(r",\s+|,$" if "@" in text else ",", text)
    entries = [" ".join(each.split()) for each in parts]
    found = [_endpoint(each) for each in entries if each]
    good = dict.fromkeys(each for each in found if isinstance(each, Endpoint))
    bad = [each for each in found if isinstance(each, Unusable)]
    bad += (Unusable(each.name, f"only the first {MOST} entries are used") for each in list(good)[MOST:])
    return tuple(good)[:MOST], tuple(bad)


def _endpoint(entry: str) -> Endpoint | Unusable:
    target, *rest = entry.split()
    shown = re.sub(r"\S*@", "***@", entry)
    if target not in AWS_OWN and not _is_url(_URL, target):
        return Unusable(shown, f"an endpoint is a URL, https://HOST, or one of {', '.join(AWS_OWN)}")
    if not rest:
        return Endpoint(target)
    if rest == ["direct"]:
        return Endpoint(target, "")
    if rest[0] != "via" or len(rest) != 2:
        return Unusable(shown, "behind the endpoint stands nothing, `direct`, or `via` and the URL of a proxy")
    if not _is_url(_PROXY, rest[1]):
        return Unusable(shown, "the proxy is no URL, http://HOST:PORT")
    return Endpoint(target, rest[1])


def _is_url(form: str, text: str) -> bool:
    found = re.fullmatch(form, text, re.ASCII)
    return found is not None and 0 < int(found[1] or 1) <= 65535


def names(endpoints: Sequence[Endpoint]) -> str:
    """Return the list as it is shown."""
    return ", ".join(each.name for each in endpoints)
