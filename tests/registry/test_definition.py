"""The stored form of a definition, written and read."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ec2kit.registry.definition import from_dict
from ec2kit.resource import SWITCHBACKS, Resource, Server
from ec2kit.scenarios import dns_record, elastic_ip, route_table, secondary_ip, table

from ..builders import a_resource

TAG_LETTERS = string.ascii_letters + string.digits + "._-"
servers = st.builds(Server, st.text(), st.integers(1, 999), st.text(), st.text(), st.text(), st.text(), st.text())
tags = st.just("") | st.text(string.printable[:95], min_size=1).map(lambda value: f"Key={value}")
texts = st.text()
ROLE = "arn:aws:iam::111122223333:role/vip"
roles = st.sampled_from([("", ""), (ROLE, ""), (ROLE, "cluster-a")])
OWN = {
    "secondary-ip": st.just(secondary_ip.Own()),
    "route-table": st.builds(
        lambda ids, tag, role: route_table.Own(tuple(ids), tag, *role), st.lists(texts), tags, roles
    ),
    "elastic-ip": st.builds(elastic_ip.Own, st.text()),
    "dns-record": st.just(dns_record.Own("Z1", "A", "10", ("private",))),
}


def of_kind(scenario: str) -> st.SearchStrategy[Resource]:
    return st.builds(
        Resource,
        tag=st.text(TAG_LETTERS, min_size=1, max_size=128),
        scenario=st.just(scenario),
        region=st.text(),
        vpc_id=st.text(),
        address=st.ip_addresses(v=4).map(str),
        switchback=st.sampled_from(SWITCHBACKS),
        servers=st.lists(servers, min_size=1, max_size=4).map(tuple),
        own=OWN[scenario],
        ip_resource=st.text(),
        revision=st.integers(1, 10**9),
    )


resources = st.sampled_from(table.names()).flatmap(of_kind)


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
        pytest.param({"address": "2001:DB8::1"}, id="address-ipv6-unusual"),
        pytest.param({"address": "10.1.0.10/32"}, id="address-with-its-length"),
        pytest.param({"address": "10.1.0.10,10.1.0.10"}, id="address-twice"),
        pytest.param({"address": "10.1.0.10,"}, id="address-and-none"),
        pytest.param({"address": "10.1.0.0/24"}, id="block-without-chosen-tables"),
        pytest.param({"address": "pl-0a1b2c"}, id="prefix-list-without-chosen-tables"),
        pytest.param({"address": "10.1.0.1/24", "route_table_ids": ["rtb-1"]}, id="block-with-bits-behind"),
        pytest.param(
            {"scenario": "elastic-ip", "allocation_id": "eipalloc-1", "address": "2001:db8::1"}, id="address-ipv6"
        ),
        pytest.param({"revision": True}, id="revision-boolean"),
        pytest.param({"revision": "1"}, id="revision-text"),
        pytest.param({"route_table_ids": "rtb-1"}, id="tables-text"),
        pytest.param({"route_table_ids": [1]}, id="tables-numbers"),
        pytest.param({"scenario": "elastic-ip", "allocation_id": None}, id="allocation-null"),
    ],
)
def test_from_dict_wrong_field_raises_value_error(different: dict[str, Any]) -> None:
    """What is no definition of a resource is never taken for one."""
    with pytest.raises(ValueError, match=r"."):
        from_dict({**a_resource().as_dict(), **different})


def test_as_dict_has_what_earlier_versions_insist_on() -> None:
    """Servers are updated one after the other: an older one reads the definition of each kind, and shows it alike."""
    assert a_resource("route-table").as_dict()["allocation_id"] == ""
    assert a_resource("elastic-ip").as_dict()["route_table_ids"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"role_arn": "vip"}, id="no role"),
        pytest.param({"role_arn": ROLE, "external_id": "a b"}, id="no external id"),
        pytest.param({"external_id": "cluster-a"}, id="external id of no role"),
    ],
)
def test_from_dict_role_that_cannot_be_is_refused(wrong: dict[str, str]) -> None:
    """A definition that names a role it does not mean is not used without it."""
    with pytest.raises(ValueError, match=r"role|external id"):
        from_dict({**a_resource().as_dict(), **wrong})


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
    assert from_dict(stored).own == route_table.Own()


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
