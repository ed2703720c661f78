"""Only chosen route tables: listed, or with a tag that every action reads anew; by the real action scripts."""

from __future__ import annotations

import json

import pytest

from .cluster import VIP_TAG, Cluster
from .life import Life

CIDR = "10.1.0.10/32"
TAG = "Used by=vip a, b*"
"""A tag with what would break a list, a word or a filter."""


def tag(cluster: Cluster, *tables: str, value: str = TAG.partition("=")[2]) -> None:
    cluster.aws.create_tags(Resources=[*tables], Tags=[{"Key": "Used by", "Value": value}])


def untag(cluster: Cluster, table: str) -> None:
    cluster.aws.delete_tags(Resources=[table], Tags=[{"Key": "Used by"}])


def by_tag(cluster: Cluster) -> Life:
    """Two of the tables have the tag; a third has a value that only a wildcard would take for the same."""
    tag(cluster, *cluster.tables[1:3])
    tag(cluster, cluster.tables[3], value="vip a, bcd")
    return Life(
        cluster, ("--vip", "10.1.0.10", "--route-table-tag", TAG), [(each, CIDR) for each in cluster.tables[1:3]]
    )


def test_listed_tables_live_and_no_other_is_touched(cluster: Cluster) -> None:
    """The option may be repeated, and takes several; the routes of the other tables are not the resource's."""
    first, second, third = cluster.tables[:3]
    words = ("--vip", "10.1.0.10", "--route-table", first, "--route-table", f"{second},{third}")
    Life(cluster, words, [(each, CIDR) for each in (first, second, third)]).lead()


def test_tagged_tables_live_and_no_other_is_touched(cluster: Cluster) -> None:
    """The tag is compared letter by letter, and reaches the other server as it is."""
    by_tag(cluster).lead()


def test_tables_by_tag_and_by_list_are_both_chosen(cluster: Cluster) -> None:
    """The list and the tag add up."""
    life = by_tag(cluster)
    first = cluster.tables[0]
    Life(cluster, (*life.words, "--route-table", first), [*life.places, (first, CIDR)]).lead()


def test_table_that_gains_the_tag_joins_and_one_that_loses_it_leaves(cluster: Cluster) -> None:
    """Nothing has to be told: quickCheck sees it, logs it once, and recover moves the new one; the old one stays."""
    life = by_tag(cluster).with_resource()
    assert life.act("node1", "remove").status == 0
    assert life.act("node2", "restore").status == 0
    left, stays, joins = cluster.tables[1], cluster.tables[2], cluster.tables[4]
    tag(cluster, joins)
    untag(cluster, left)
    cluster.point(left, cluster.eni("node1"))
    checked = life.act("node2", "quickCheck")
    assert checked.status == 1
    assert f"620391:{joins} has the tag {TAG} now" in cluster.log("node2")
    assert f"620392:{left} has the tag {TAG} no longer" in cluster.log("node2")
    assert left not in checked.stderr.splitlines()[-1]
    assert life.act("node2", "recover").status == 0
    holders = {table: cluster.server_of(cluster.routes()[table, CIDR]) for table in (left, stays, joins)}
    assert holders == {left: "node1", stays: "node2", joins: "node2"}
    assert life.act("node2", "quickCheck").status == 0
    assert [cluster.log("node2").count(code) for code in (":620391:", ":620392:", ":620318:")] == [1, 1, 0]


def test_restore_tells_what_joined_and_left_too(cluster: Cluster) -> None:
    """Whichever action first sees it says it."""
    life = by_tag(cluster).with_resource()
    tag(cluster, cluster.tables[4])
    untag(cluster, cluster.tables[1])
    done = life.act("node1", "restore")
    assert done.status == 0
    assert f"{cluster.tables[4]} has the tag {TAG} now" in done.stderr
    assert f"{cluster.tables[1]} has the tag {TAG} no longer" in done.stderr


def test_tagged_table_without_the_route_is_out_of_service_and_none_is_created(cluster: Cluster) -> None:
    """A table that is chosen has to have the route, or its subnets do not reach the address."""
    life = by_tag(cluster).with_resource()
    new = cluster.aws.create_route_table(VpcId=cluster.sandbox.description["vpc_id"])["RouteTable"]["RouteTableId"]
    tag(cluster, new)
    checked = life.act("node1", "quickCheck")
    assert (checked.status, f"no route {CIDR}: {new}" in checked.stderr) == (1, True)
    assert life.act("node1", "restore").status == 1
    assert (new, CIDR) not in cluster.routes()


def test_no_table_with_the_tag_is_refused_and_later_out_of_service(cluster: Cluster) -> None:
    """A tag that no table has is said as what it is."""
    life = by_tag(cluster).with_resource()
    for table in cluster.tables[1:3]:
        untag(cluster, table)
    checked = life.act("node1", "quickCheck")
    assert (checked.status, f"has the tag {TAG}" in checked.stderr) == (1, True)
    words = ["-t", "ec2-vip2", "--type", "route-table", "--vip", "10.1.0.20", "--route-table-tag", "no=such"]
    done = cluster.run("node1", "create", *words, "--interface", "eth1")
    assert (done.status, "has the tag no=such" in done.stderr) == (1, True)


def test_checks_of_resources_with_one_tag_share_one_answer(cluster: Cluster) -> None:
    """The second check of a server does not ask, whether it asks by the tag or by the destination."""
    by_tag(cluster).with_resource()
    words = ["-t", "ec2-vip2", "--type", "route-table", "--vip", "10.1.0.20"]
    assert cluster.run("node1", "create", *words, "--interface", "eth1").status == 0
    patient = {"EC2_SNAPSHOT_MAX_AGE": "600"}
    before = cluster.asked("node1", "DescribeRouteTables")
    for _ in range(2):
        for each in (VIP_TAG, "ec2-vip2"):
            assert cluster.act("node1", "quickCheck", each, **patient).status == 0
    assert cluster.asked("node1", "DescribeRouteTables") == before + 2


@pytest.mark.parametrize(
    ("words", "taken"),
    [
        pytest.param(["--route-table", "{1}"], True, id="a listed table of it"),
        pytest.param([], True, id="all tables"),
        pytest.param(["--route-table", "{5}"], False, id="another listed table"),
    ],
)
def test_one_address_twice_is_refused_where_tables_may_be_the_same(
    cluster: Cluster, words: list[str], taken: bool
) -> None:
    """Two resources of one address never fight for one table, and may have tables of their own."""
    first = Life(cluster, ("--vip", "10.1.0.10", "--route-table", ",".join(cluster.tables[:2])), ())
    assert first.create().status == 0
    more = [each.format(*cluster.tables) for each in words]
    create = ["-t", "other", "--type", "route-table", "--vip", "10.1.0.10", *more, "--interface", "eth1"]
    done = cluster.run("node1", "create", *create)
    assert (done.status, "is protected by ec2-vip1" in done.stderr) == (int(taken), taken)


def test_definition_without_a_choice_is_stored_as_before(cluster: Cluster) -> None:
    """Nothing is added to it; with a choice there is one field more."""
    assert cluster.create().status == 0
    folder = cluster.path("node1", "EC2KIT_STATE_DIR") / "resources"
    plain = json.loads((folder / f"{VIP_TAG}.json").read_text())
    common = {"tag", "scenario", "region", "vpc_id", "address", "switchback", "servers", "ip_resource", "revision"}
    assert {*plain} == {"version", "allocation_id", "route_table_ids", *common}
    assert plain["route_table_ids"] == []


def test_create_refuses_what_is_no_table_or_tag(cluster: Cluster) -> None:
    """What is not understood is named, before anything is asked."""
    for words, said in (
        (["--route-table", "rtb"], "route-table: 'rtb' is not the id of a route table"),
        (["--route-table-tag", "novalue"], "route-table-tag: 'novalue' is not KEY=VALUE"),
    ):
        done = Life(cluster, ("--vip", "10.1.0.10", *words), ()).create()
        assert (done.status, said in done.stderr) == (1, True), done.stderr
