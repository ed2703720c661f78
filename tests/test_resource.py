"""The record of a protected resource."""

from __future__ import annotations

import ipaddress
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ec2kit.errors import ArgumentInvalid, BadRequest, OwnTrouble
from ec2kit.messages import catalogue
from ec2kit.resource import (
    SWITCHBACKS,
    Server,
    checked_choice,
    checked_ipv4,
    checked_priority,
    checked_tag,
    stored_ipv4,
)

from .builders import a_resource, a_server, raises

TAG_LETTERS = string.ascii_letters + string.digits + "._-"


def test_names_servers_in_order_of_priority() -> None:
    """The smallest priority comes first."""
    resource = a_resource(servers=(a_server("server-b", 10), a_server("server-a", 1)))
    assert resource.names == ("server-a", "server-b")


def test_server_not_extended_to_raises_naming_those_there_are() -> None:
    """A server that the resource does not know is told which it knows."""
    with raises(OwnTrouble, catalogue.SERVER_UNKNOWN, match="server-a, server-b, server-c"):
        a_resource().server("server-z")


def test_find_holder_eni_of_a_server_gives_it_and_nobody_for_others() -> None:
    """An ENI leads to its server; a foreign one and none at all to nobody."""
    resource = a_resource()
    holder = resource.find_holder("eni-b")
    assert holder is not None
    assert holder.name == "server-b"
    assert resource.find_holder("eni-foreign") is None
    assert resource.find_holder(None) is None


def test_with_server_new_one_is_the_next_revision() -> None:
    """A definition grows by a server and is newer than before."""
    more = a_resource().with_server(a_server("server-d", 30))
    assert more.revision == 2
    assert more.names[-1] == "server-d"
    assert more.without_server("server-d").revision == 3
    assert more.without_server("server-d").servers == a_resource().servers


@pytest.mark.parametrize(
    "server",
    [
        pytest.param(a_server("server-a", 50), id="name"),
        pytest.param(a_server("server-d", 10), id="priority"),
    ],
)
def test_with_server_taken_name_or_priority_raises_not_free(server: Server) -> None:
    """No two servers share a name or a priority."""
    with raises(BadRequest, catalogue.NOT_FREE):
        a_resource().with_server(server)


@given(st.text(TAG_LETTERS, min_size=1, max_size=128).filter(lambda tag: tag.strip(".")))
def test_checked_tag_allowed_letters_pass(tag: str) -> None:
    """Letters, digits, dot, underscore and hyphen make a tag."""
    assert checked_tag(tag) == tag


@given(st.text())
def test_checked_tag_any_text_passes_only_as_a_safe_file_name(tag: str) -> None:
    """What passes can be a file's name and a word of a log line; all else is refused as no tag."""
    if set(tag) <= set(TAG_LETTERS) and 1 <= len(tag) <= 128 and tag.strip("."):
        assert checked_tag(tag) == tag
        return
    with raises(BadRequest, catalogue.TAG_INVALID) as caught:
        checked_tag(tag)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("tag", ["", ".", "..", "...", "a/b", "a b", "a\n", "é", "x" * 129, "a\0"])
def test_checked_tag_unusable_name_raises(tag: str) -> None:
    """What could not be stored under its name is no tag."""
    with raises(BadRequest, catalogue.TAG_INVALID):
        checked_tag(tag)


def test_checked_priority_range_is_1_to_999() -> None:
    """Priorities are those of LifeKeeper."""
    assert (checked_priority(1), checked_priority(999)) == (1, 999)
    for wrong in (0, 1000, -1):
        with pytest.raises(ArgumentInvalid):
            checked_priority(wrong)


def test_checked_ipv4_anything_else_raises() -> None:
    """Only a dotted IPv4 address is one."""
    assert checked_ipv4("--vip", "10.1.0.10") == "10.1.0.10"
    for wrong in ("10.1.0", "10.1.0.10/32", "::1", "", "010.1.0.10"):
        with pytest.raises(ArgumentInvalid):
            checked_ipv4("--vip", wrong)


def test_checked_choice_case_does_not_matter() -> None:
    """A choice may be spelt in any case, as LifeKeeper's screens do."""
    assert checked_choice("--switchback", "INTELLIGENT", SWITCHBACKS) == "intelligent"
    with pytest.raises(ArgumentInvalid, match="intelligent, automatic"):
        checked_choice("--switchback", "manual", SWITCHBACKS)


@given(st.from_regex(r"[0-9]{1,4}(\.[0-9]{1,4}){2,4}|[0-9.]{0,16}", fullmatch=True) | st.text(max_size=20))
def test_stored_ipv4_is_an_address_where_ipaddress_says_so(address: str) -> None:
    """What is an IPv4 address is decided as the library decides it."""
    stored = {"address": address}
    try:
        expected = str(ipaddress.IPv4Address(address))
    except ValueError:
        with pytest.raises(ValueError, match="address"):
            stored_ipv4(stored)
    else:
        assert stored_ipv4(stored) == expected
