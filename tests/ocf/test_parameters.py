"""Pacemaker's words read: an agent's parameters, and how an operation is called."""

from __future__ import annotations

import math

import pytest

from ec2kit.errors import ArgumentInvalid
from ec2kit.frameworks.pacemaker.agents import WITHOUT_MEANING, Given, read
from ec2kit.frameworks.pacemaker.agents import agent as agent_called
from ec2kit.frameworks.pacemaker.call import Call, call_of

VIP = {"ip": "10.1.0.10"}
ALL_TABLES = {"route_table_ids": (), "route_table_tag": "", "role_arn": "", "external_id": ""}
ROLE = "arn:aws:iam::210987654321:role/network/vip-mover"
EIP = {"elastic_ip": "203.0.113.1", "allocation_id": "eipalloc-0a"}


def given(agent: str, **parameters: str) -> Given:
    return read(agent_called(agent), {f"OCF_RESKEY_{name}": text for name, text in parameters.items()})


def test_read_route_table_with_nothing_but_the_address_has_its_defaults() -> None:
    """The address alone is enough: eth0, all tables, the instance's region, the agent puts the address on."""
    assert given("route-table", **VIP) == Given(
        scenario="route-table",
        address="10.1.0.10",
        device="eth0",
        region="",
        profile="",
        repairs=False,
        own=ALL_TABLES,
        manages_address=True,
    )


def test_read_elastic_ip_with_nothing_but_the_address_has_its_defaults() -> None:
    """Address and allocation are enough: the instance's primary interface and its primary private address."""
    assert given("elastic-ip", **EIP) == Given(
        scenario="elastic-ip",
        address="203.0.113.1",
        device="",
        region="",
        profile="",
        repairs=False,
        own={"allocation_id": "eipalloc-0a"},
    )


@pytest.mark.parametrize(
    ("parameters", "field", "expected"),
    [
        pytest.param({"address": "10.1.0.20", "ip": ""}, "address", "10.1.0.20", id="address-is-the-old-name-of-ip"),
        pytest.param({"address": "10.1.0.10"}, "address", "10.1.0.10", id="both-names-agree"),
        pytest.param({"ip": "10.1.0.10 10.1.0.20/32"}, "address", "10.1.0.10,10.1.0.20", id="several-addresses"),
        pytest.param({"ip": "2001:DB8:0::1"}, "address", "2001:db8::1", id="address-ipv6"),
        pytest.param(
            {"ip": "0.0.0.0/0", "routing_table": "rtb-1"}, "on_the_device", (), id="block-is-put-on-no-device"
        ),
        pytest.param({"ip": " 10.1.0.10 "}, "address", "10.1.0.10", id="blanks-around"),
        pytest.param({"interface": "ens5"}, "device", "ens5", id="interface"),
        pytest.param({"iflabel": "vip", "interface": "eth1"}, "label", "eth1:vip", id="iflabel"),
        pytest.param({"region": "us-west-2"}, "region", "us-west-2", id="region"),
        pytest.param({"profile": "cluster"}, "profile", "cluster", id="profile"),
        pytest.param(
            {"routing_table": "rtb-1"}, "own", {**ALL_TABLES, "route_table_ids": ("rtb-1",)}, id="one-table"
        ),
        pytest.param(
            {"routing_table": "rtb-1, rtb-2 rtb-1"},
            "own",
            {**ALL_TABLES, "route_table_ids": ("rtb-1", "rtb-2")},
            id="tables",
        ),
        pytest.param(
            {"routing_table_tag": "vip=a b, c"},
            "own",
            {**ALL_TABLES, "route_table_tag": "vip=a b, c"},
            id="tables-by-tag",
        ),
        pytest.param({"routing_table_role": ROLE}, "own", {**ALL_TABLES, "role_arn": ROLE}, id="role"),
        pytest.param(
            {"routing_table_role": ROLE, "routing_table_external_id": "a:b"},
            "own",
            {**ALL_TABLES, "role_arn": ROLE, "external_id": "a:b"},
            id="role-with-an-external-id",
        ),
        pytest.param({"manage_address": "no"}, "manages_address", False, id="manage-address"),
        pytest.param({"repair_in_monitor": "TRUE"}, "repairs", True, id="repair"),
        pytest.param({"lookup_type": "InstanceId"}, "unknown", (), id="lookup-by-instance"),
        pytest.param({"lookup_type": "NetworkInterfaceId"}, "unknown", (), id="lookup-by-interface"),
    ],
)
def test_read_parameter_of_the_rival_means_the_same(parameters: dict[str, str], field: str, expected: object) -> None:
    """A configuration of aws-vpc-move-ip is understood as it is, in both names of the agent."""
    for agent in ("route-table", "aws-vpc-move-ip"):
        assert getattr(given(agent, **{**VIP, **parameters}), field) == expected


@pytest.mark.parametrize(
    ("parameters", "field", "expected"),
    [
        pytest.param({}, "address", "203.0.113.1", id="elastic-ip"),
        pytest.param({}, "own", {"allocation_id": "eipalloc-0a"}, id="allocation-id"),
        pytest.param({"private_ip_address": "10.0.1.12"}, "private_ip_address", "10.0.1.12", id="private-address"),
        pytest.param({"interface": "eth1"}, "device", "eth1", id="interface"),
        pytest.param({"profile": "default"}, "profile", "default", id="profile"),
    ],
)
def test_read_parameter_of_awseip_means_the_same(parameters: dict[str, str], field: str, expected: object) -> None:
    """A configuration of awseip is understood as it is, in both names of the agent."""
    for agent in ("elastic-ip", "awseip"):
        assert getattr(given(agent, **{**EIP, **parameters}), field) == expected


@pytest.mark.parametrize("name", WITHOUT_MEANING)
def test_read_parameter_without_meaning_is_told_and_changes_nothing(name: str) -> None:
    """What the rivals need and ec2kit does not is accepted by both agents, and named."""
    for agent, needed in (("aws-vpc-move-ip", VIP), ("awseip", EIP)):
        found = given(agent, **needed, **{name: "3"})
        assert (found.without_meaning, found.unknown) == ((name,), ())


def test_read_parameter_that_is_none_is_told() -> None:
    """A misspelt name does not pass in silence; Pacemaker's own variables are no parameters."""
    found = given(
        "route-table", **VIP, routing_tables="rtb-1", CRM_meta_timeout="2", crm_feature_set="3", trace_ra="1"
    )
    assert found.unknown == ("routing_tables",)


@pytest.mark.parametrize(
    ("agent", "parameters", "name"),
    [
        pytest.param("route-table", {}, "ip", id="no-address"),
        pytest.param("route-table", {"ip": "10.1.0"}, "ip", id="address-short"),
        pytest.param("route-table", {"ip": "fe80::1%eth0"}, "ip", id="address-with-a-device"),
        pytest.param("route-table", {"ip": "0.0.0.0/0"}, "ip", id="block-without-chosen-tables"),
        pytest.param("route-table", {**VIP, "routing_table_tag": "vip"}, "routing_table_tag", id="tag-without-value"),
        pytest.param("route-table", {**VIP, "address": "10.1.0.11"}, "address", id="two-addresses"),
        pytest.param("route-table", {**VIP, "routing_table": "rtb-1,main"}, "routing_table", id="no-table"),
        pytest.param("route-table", {**VIP, "routing_table_role": "arn:x"}, "routing_table_role", id="role"),
        pytest.param(
            "route-table", {**VIP, "routing_table_external_id": "a:b"}, "routing_table_external_id", id="no-role"
        ),
        pytest.param("route-table", {**VIP, "interface": "../eth0"}, "interface", id="interface-path"),
        pytest.param("route-table", {**VIP, "interface": ".."}, "interface", id="interface-dots"),
        pytest.param("route-table", {**VIP, "interface": "eth0 up"}, "interface", id="interface-words"),
        pytest.param("route-table", {**VIP, "iflabel": "much-too-long"}, "iflabel", id="label-long"),
        pytest.param("route-table", {**VIP, "iflabel": "a b"}, "iflabel", id="label-words"),
        pytest.param("route-table", {**VIP, "region": "us west"}, "region", id="region"),
        pytest.param("route-table", {**VIP, "region": "us-east-1a"}, "region", id="zone"),
        pytest.param("route-table", {**VIP, "region": "us-west-2-lax-1a"}, "region", id="local zone"),
        pytest.param("route-table", {**VIP, "lookup_type": "VpcId"}, "lookup_type", id="lookup-type"),
        pytest.param("route-table", {**VIP, "manage_address": "maybe"}, "manage_address", id="neither-yes-nor-no"),
        pytest.param("elastic-ip", {"elastic_ip": "203.0.113.1"}, "allocation_id", id="no-allocation"),
        pytest.param("elastic-ip", {"allocation_id": "eipalloc-0a"}, "elastic_ip", id="no-elastic-ip"),
        pytest.param("elastic-ip", {**EIP, "allocation_id": "eipassoc-0a"}, "allocation_id", id="no-allocation-id"),
        pytest.param("elastic-ip", {**EIP, "private_ip_address": "x"}, "private_ip_address", id="private-address"),
    ],
)  # fmt: skip
def test_read_parameter_that_cannot_be_is_refused_by_name(agent: str, parameters: dict[str, str], name: str) -> None:
    """What would change which object is written, and cannot be honoured, is refused."""
    with pytest.raises(ArgumentInvalid, match=f"^{name}: "):
        given(agent, **parameters)


# -- the call ----------------------------------------------------------------------------------------------------


def called(**meta: str) -> Call:
    return call_of({"OCF_RESOURCE_INSTANCE": "vip", **{f"OCF_RESKEY_CRM_meta_{name}": meta[name] for name in meta}})


@pytest.mark.parametrize(
    ("timeout", "expected"),
    [
        pytest.param("180000", 162.0, id="ten-percent-less"),
        pytest.param("20000", 18.0, id="two-seconds-less"),
        pytest.param("15000", 13.0, id="two-seconds-at-least"),
        pytest.param("2000", 1.0, id="half-of-a-very-short-one"),
        pytest.param("", None, id="not-said"),
        pytest.param("20s", None, id="no-number"),
    ],
)
def test_call_seconds_are_the_timeout_less_a_reserve(timeout: str, expected: float | None) -> None:
    """The deadline leaves time to end before Pacemaker kills: a tenth, or two seconds."""
    assert called(timeout=timeout).seconds == expected


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        pytest.param({}, Call("vip"), id="by-hand"),
        pytest.param({"interval": "0"}, Call("vip", interval=0), id="probe"),
        pytest.param({"interval": "10000", "timeout": "20000"}, Call("vip", 20.0, 10.0), id="recurring"),
        pytest.param({"role": "Stopped"}, Call("vip", stands_by=True), id="stopped"),
        pytest.param({"role": "Started", "timeout": "0"}, Call("vip", math.inf), id="started"),
    ],
)
def test_call_is_what_pacemaker_says(meta: dict[str, str], expected: Call) -> None:
    """Interval, time-out and role come from the operation, in milliseconds."""
    assert called(**meta) == expected


@pytest.mark.parametrize(
    ("instance", "expected"),
    [
        pytest.param("vip_1.a-B", "vip_1.a-B", id="plain"),
        pytest.param("vip:0", "vip_3a_0", id="clone"),
        pytest.param("väip", "v_e4_ip", id="not-ascii"),
        pytest.param("x" * 200, "x" * 200, id="long"),
    ],
)
def test_call_tag_is_the_instance_as_a_file_name(instance: str, expected: str) -> None:
    """A name that Pacemaker allows becomes one that a file can have."""
    assert call_of({"OCF_RESOURCE_INSTANCE": instance}).tag == expected


@pytest.mark.parametrize(
    "instance",
    [
        pytest.param("x" * 201, id="long"),
        pytest.param("ä" * 51, id="long-as-it-is-spelt"),
        pytest.param("vip_3a_0", id="as-a-clone-is-spelt"),
    ],
)
def test_call_of_a_name_that_could_meet_another_is_refused(instance: str) -> None:
    """Two resources never have one file: no name is cut, and no name is spelt like another."""
    call = call_of({"OCF_RESOURCE_INSTANCE": instance})
    assert (call.tag, bool(call.refused)) == ("", True)
