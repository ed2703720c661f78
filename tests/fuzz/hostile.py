"""What Hypothesis makes up: texts, bytes, JSON and their mutilations; and how many examples a test tries."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from ec2kit.settings import TUNABLES

Json = Any
Path = tuple[str | int, ...]


def times(factor: float) -> settings:
    """So many examples in proportion to the profile's; what costs a process gets few, what costs nothing many."""
    return settings(max_examples=max(5, round(settings().max_examples * factor)))


NASTY = [
    *("", " ", "-", "--", "=", "-1", "0", "1", "2", "01", "1e999", "nan", "inf", "0x10", "1_0", "١", "²", "9" * 400),
    *("..", "../x", "/dev/null", "a/b", "a b", "a\tb", "a\nERROR:ec2kit:restore:x:620003:forged", "\x1b[2J", "\r"),
    *("$(id)", "`id`", "${IFS}", "$", "'", '"', "\\", ";", "|", "#", "%s%n", "{0}", "{tag}", "{", "}", "*", "~"),
    *("true", "null", "None", "http://[::1", "http://", "://", "http://user:pw@h/", "\u202e", "\u2028", "\x85", "é"),
    *("\udcff", "\ufeff", "\U0001f600", "a" * 5000, "secret" * 500, "ec2-vip1", "169.254.169.254", "999.1.1.1"),
]

words = st.sampled_from(NASTY) | st.text(max_size=20) | st.binary(max_size=20).map(os.fsdecode)
"""Any text that a process can be given."""

arguments = words.map(lambda text: text.replace("\0", ""))
"""The same without NUL, which no argument, variable or path can have."""

json_values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.sampled_from(NASTY),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=5), each, max_size=3),
    max_leaves=6,
)

SDK_NAMES = [
    *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CA_BUNDLE", "AWS_DATA_PATH"),
    *("AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE", "AWS_STS_REGIONAL_ENDPOINTS", "AWS_USE_FIPS_ENDPOINT"),
    *("AWS_USE_DUALSTACK_ENDPOINT", "AWS_DEFAULTS_MODE", "AWS_METADATA_SERVICE_TIMEOUT"),
    *("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "AWS_EC2_METADATA_DISABLED"),
    *("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_EC2", "AWS_SDK_UA_APP_ID"),
    *("AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES", "AWS_DISABLE_REQUEST_COMPRESSION", "AWS_ACCOUNT_ID_ENDPOINT_MODE"),
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION"),
    *(
        "AWS_AUTH_SCHEME_PREFERENCE",
        "AWS_SIGV4A_SIGNING_REGION_SET",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
    ),
    *("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
]
OWN_NAMES = [tunable.name for tunable in TUNABLES.values()]


def mutilated(content: bytes) -> st.SearchStrategy[bytes]:
    """The bytes cut, with a hole, with something put in, or with some of them replaced."""
    place = st.integers(0, len(content))
    junk = st.binary(max_size=8) | st.sampled_from([b"\0", b"\n", b'"', b"\xff", b"\xed\xb2\x80", b"{", b"]"])
    return st.builds(
        lambda start, length, new: content[:start] + new + content[start + length :],
        place,
        st.integers(0, 20) | st.just(len(content)),
        junk | st.just(b""),
    )


def spoilt(value: Json) -> st.SearchStrategy[Json]:
    """A JSON value that has lost a part, or has something of another kind in its place."""
    places = list(_places(value))
    gone = st.sampled_from(places).map(lambda path: _without(value, path))
    other = st.builds(lambda path, new: _with(value, path, new), st.sampled_from(places), json_values)
    return gone | other.filter(lambda new: new is not None)


def _places(value: Json, path: Path = ()) -> Iterator[Path]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        yield (*path, name)
        yield from _places(child, (*path, name))


def _without(value: Json, path: Path) -> Json:
    copy = deepcopy(value)
    del _at(copy, path[:-1])[path[-1]]
    return copy


def _with(value: Json, path: Path, new: Json) -> Json:
    """None where the new value is of the same kind: that is another content and not a spoilt one."""
    if type(_at(value, path)) is type(new):
        return None
    copy = deepcopy(value)
    _at(copy, path[:-1])[path[-1]] = new
    return copy


def _at(value: Json, path: Path) -> Json:
    for name in path:
        value = value[name]
    return value


def as_bytes(value: Json) -> bytes:
    """JSON as a file has it."""
    return json.dumps(value).encode()
