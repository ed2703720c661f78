"""The record of a protected resource."""

from __future__ import annotations

import ipaddress
import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ec2kit.errors import ArgumentInvalid, NotFree, ServerUnknown, TagInvalid
from ec2kit.resource import (
    SCENARIOS,
    SWITCHBACKS,
    Resource,
    Server,
    checked_choice,
    checked_ipv4,
    checked_priority,
    checked_tag,
    from_dict,
)

from .builders import a_resource, a_server

TAG_LETTERS = string.ascii_letters + string.digits + "._-"
servers = st.builds(Server, st.text(), st.integers(1, 999), st.text(), st.text(), st.text(), st.text(), st.text())
resources = st.builds(
    Resource,
    tag=st.text(TAG_LETTERS, min_size=1, max_size=128),
    scenario=st.sampled_from(SCENARIOS),
    region=st.text(),
    vpc_id=st.text(),
    address=st.ip_addresses(v=4).map(str),
    allocation_id=st.text(),
    switchback=st.sampled_from(SWITCHBACKS),
    servers=st.lists(servers, min_size=1, max_size=4).map(tuple),
    ip_resource=st.text(),
    revision=st.integers(1, 10**9),
    route_table_ids=st.lists(st.text()).map(tuple),
)


@given(resources)
def test_from_dict_stored_form_gives_the_same_resource(resource: Resource) -> None:
    """A resource survives being written as JSON and read again, with all its servers."""
    stored = resource.as_dict()
    assert json.loads(json.dumps(stored)) == stored
    assert from_dict(stored) == resource


def test_from_dict_fields_of_a_later_version_are_left_out() -> None:
    """A definition that a newer ec2kit wrote is still understood."""
    stored = a_resource().as_dict()
    stored["colour"] = "blue"
    stored["servers"][0]["weight"] = 7
    assert from_dict(stored) == a_resource()


@pytest.mark.parametrize(
    "different",
    [
        pytest.param({"tag": 7}, id="tag-number"),
        pytest.param({"tag": "../x"}, id="tag-path"),
        pytest.param({"tag": ""}, id="tag-empty"),
        pytest.param({"scenario": "dns"}, id="scenario-unknown"),
        pytest.param({"servers": []}, id="no-servers"),
        pytest.param({"servers": "abc"}, id="servers-text"),
        pytest.param({"servers": None}, id="servers-null"),
        pytest.param({"servers": [{"name": "x"}]}, id="server-without-fields"),
        pytest.param({"address": "10.1.0"}, id="address-short"),
        pytest.param({"address": "2001:db8::1"}, id="address-ipv6"),
        pytest.param({"revision": True}, id="revision-boolean"),
        pytest.param({"revision": "1"}, id="revision-text"),
        pytest.param({"route_table_ids": "rtb-1"}, id="tables-text"),
        pytest.param({"route_table_ids": [1]}, id="tables-numbers"),
    ],
)
def test_from_dict_wrong_field_raises_value_error(different: dict[str, Any]) -> None:
    """What is no definition of a resource is never taken for one."""
    with pytest.raises(ValueError, match=r"."):
        from_dict({**a_resource().as_dict(), **different})


@pytest.mark.parametrize("name", ["tag", "scenario", "region", "vpc_id", "address", "servers"])
def test_from_dict_missing_field_raises_value_error(name: str) -> None:
    """A cut definition is not filled up with guesses."""
    stored = a_resource().as_dict()
    del stored[name]
    with pytest.raises(ValueError, match=r"."):
        from_dict(stored)


def test_from_dict_without_tables_restricts_to_none() -> None:
    """A definition of an earlier version counts all tables."""
    stored = a_resource().as_dict()
    del stored["route_table_ids"]
    assert from_dict(stored).route_table_ids == ()


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda each: st.dictionaries(st.text(), each))
)
def test_from_dict_any_field_raises_value_error_and_nothing_else(garbage: Any) -> None:
    """Whatever stands in a field, the only answer is ValueError."""
    for name in a_resource().as_dict():
        try:
            from_dict({**a_resource().as_dict(), name: garbage})
        except ValueError:
            continue


def test_cidr_address_is_a_host_route() -> None:
    """The route of a virtual IP is its host route."""
    assert a_resource().cidr == "10.1.0.10/32"


def test_names_servers_in_order_of_priority() -> None:
    """The smallest priority comes first."""
    resource = a_resource(servers=(a_server("server-b", 10), a_server("server-a", 1)))
    assert resource.names == ("server-a", "server-b")


def test_server_not_extended_to_raises_naming_those_there_are() -> None:
    """A server that the resource does not know is told which it knows."""
    with pytest.raises(ServerUnknown, match="server-a, server-b, server-c"):
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
    with pytest.raises(NotFree):
        a_resource().with_server(server)


@given(st.text(TAG_LETTERS, min_size=1, max_size=128).filter(lambda tag: tag.strip(".")))
def test_checked_tag_allowed_letters_pass(tag: str) -> None:
    """Letters, digits, dot, underscore and hyphen make a tag."""
    assert checked_tag(tag) == tag


@given(st.text())
def test_checked_tag_any_text_passes_only_as_a_safe_file_name(tag: str) -> None:
    """What passes can be a file's name and a word of a log line; nothing else raises anything but TagInvalid."""
    if set(tag) <= set(TAG_LETTERS) and 1 <= len(tag) <= 128 and tag.strip("."):
        assert checked_tag(tag) == tag
        return
    with pytest.raises(TagInvalid) as caught:
        checked_tag(tag)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("tag", ["", ".", "..", "...", "a/b", "a b", "a\n", "é", "x" * 129, "a\0"])
def test_checked_tag_unusable_name_raises(tag: str) -> None:
    """What could not be stored under its name is no tag."""
    with pytest.raises(TagInvalid):
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
def test_from_dict_takes_an_address_as_ipaddress_does(address: str) -> None:
    """What is an IPv4 address is decided as the library decides it."""
    stored = {**a_resource().as_dict(), "address": address}
    try:
        expected = str(ipaddress.IPv4Address(address))
    except ValueError:
        with pytest.raises(ValueError, match="address"):
            from_dict(stored)
    else:
        assert from_dict(stored).address == expected
