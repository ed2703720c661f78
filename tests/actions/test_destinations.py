"""Any destination in chosen tables, and several at once, by the real action scripts."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from ec2kit.ec2.answers import DESTINATIONS, kind_of

from .cluster import VIP_TAG, Cluster, finished, until
from .life import Life, Place

ADDRESSES = ("10.1.0.10", "10.1.0.20", "2001:db8:9::1")


def a_prefix_list(cluster: Cluster, *blocks: str) -> str:
    entries = [{"Cidr": each} for each in blocks]
    made = cluster.aws.create_managed_prefix_list(
        PrefixListName="vips", MaxEntries=100, AddressFamily="IPv4", Entries=entries
    )
    return str(made["PrefixList"]["PrefixListId"])


def route(cluster: Cluster, table: str, destination: str, target: str) -> Place:
    """An administrator makes a route."""
    kind = "GatewayId" if target.startswith("igw-") else "NetworkInterfaceId"
    cluster.aws.create_route(RouteTableId=table, **{DESTINATIONS[kind_of(destination)]: destination, kind: target})
    return table, destination


def internet_gateway(cluster: Cluster) -> str:
    of_the_vpc = [{"Name": "attachment.vpc-id", "Values": [cluster.sandbox.description["vpc_id"]]}]
    (gateway,) = cluster.aws.describe_internet_gateways(Filters=of_the_vpc)["InternetGateways"]
    return str(gateway["InternetGatewayId"])


def table_of(cluster: Cluster, server: str, device: str) -> str:
    """The effective route table of a server's subnet."""
    subnet = cluster.sandbox.description["nodes"][server]["interfaces"][device]["subnet_id"]
    filters = [{"Name": "association.subnet-id", "Values": [subnet]}]
    (table,) = cluster.aws.describe_route_tables(Filters=filters)["RouteTables"]
    return str(table["RouteTableId"])


def a_nat_pair(cluster: Cluster) -> Life:
    """The default routes, a block and a prefix list of two tables that are not those of the servers' subnets."""
    tables = cluster.tables[2:4]
    blocks = ("0.0.0.0/0", "::/0", "192.168.0.0/16", a_prefix_list(cluster, "10.2.0.1/32", "10.2.0.2/32"))
    places = [route(cluster, table, block, cluster.eni("node1")) for table in tables for block in blocks]
    words = [word for block in blocks for word in ("--destination", block)]
    return Life(cluster, (*words, "--route-table", ",".join(tables)), places)


def test_any_destinations_live_in_chosen_tables(cluster: Cluster) -> None:
    """Default routes of both families, a block and a prefix list move together, and nothing else does."""
    life = a_nat_pair(cluster)
    for step in life.steps():
        if step == "created and extended":
            log = cluster.log("node2")
            assert "check own way to ec2: " in log
            assert "which the resource does not move" in log
    assert cluster.log("node1").count("is in service here") == 0


def test_several_addresses_live_as_one_resource(cluster: Cluster) -> None:
    """All addresses, IPv6 too, move by one look and one round of writes, with one verdict for each."""
    for table in cluster.tables[:2]:
        route(cluster, table, "2001:db8:9::1/128", cluster.eni("node1"))
    places = [place for place in cluster.routes() if place[1].partition("/")[0] in ADDRESSES]
    places = [place for place in places if place[0] in cluster.tables]
    words = [word for each in ADDRESSES for word in ("--vip", each)]
    life = Life(cluster, tuple(words), places)
    for step in life.steps():
        if step == "moved":
            assert len(cluster.writes("node2")) == len(places)
        if step == "left alone by the other server":
            _one_verdict_for_each(life)


def _one_verdict_for_each(life: Life) -> None:
    cluster = life.cluster
    life.drift(next(place for place in life.places if place[1] == "10.1.0.20/32"))
    checked = life.act("node2", "quickCheck")
    assert checked.status == 1
    said = cluster.log("node2").rpartition("BEGIN quickCheck")[2]
    assert "10.1.0.10 is in service here" in said
    assert "2001:db8:9::1 is in service here" in said
    assert "10.1.0.20/32 points at" in said
    assert said.count("620313") == 1
    assert life.act("node2", "restore").status == 0


def test_several_addresses_of_which_one_is_refused_are_all_or_reported(cluster: Cluster) -> None:
    """What could be moved is moved; what could not is named, and the action fails."""
    life = Life(cluster, ("--vip", "10.1.0.10", "--vip", "10.1.0.20"), ()).with_resource()
    cluster.sandbox.fault("deny", server="node2", operation="ReplaceRoute", count=1)
    done = life.act("node2", "restore")
    assert done.status == 1
    assert "6 of 7 are right" in done.stderr
    assert life.act("node2", "restore").status == 0
    assert {*cluster.holders(), *cluster.holders("10.1.0.20/32")} == {"node2"}


def test_hundred_addresses_behind_a_prefix_list_move_by_one_write_a_table(cluster: Cluster) -> None:
    """The list is the destination, whatever it has in it."""
    blocks = [f"10.2.0.{number}/32" for number in range(100)]
    prefix_list = a_prefix_list(cluster, *blocks)
    tables = cluster.tables[:2]
    places = [route(cluster, table, prefix_list, cluster.eni("node1")) for table in tables]
    life = Life(cluster, ("--destination", prefix_list, "--route-table", ",".join(tables)), places).with_resource()
    before = len(cluster.writes("node2"))
    assert life.act("node2", "restore").status == 0
    assert len(cluster.writes("node2")) == before + 2
    life.must_be_on("node2")


# -- the way to EC2 ------------------------------------------------------------------------------------------


def test_create_refuses_the_servers_own_way_to_ec2_unless_there_is_another(cluster: Cluster) -> None:
    """The route by which this server reaches EC2 would be moved to the other server, and could not come back."""
    gateway, public = internet_gateway(cluster), table_of(cluster, "node1", "eth0")
    life = Life(cluster, ("--destination", "0.0.0.0/0", "--route-table", public), [(public, "0.0.0.0/0")])
    done = life.create()
    assert (done.status, "own way to ec2: only" in done.stderr) == (1, True), done.stderr
    assert cluster.routes()[public, "0.0.0.0/0"] == gateway
    route(cluster, table_of(cluster, "node1", "eth1"), "0.0.0.0/0", gateway)
    done = life.create()
    assert done.status == 0, done.stderr
    assert cluster.eni("node1") + " by 0.0.0.0/0 of" in done.stderr


def test_create_refuses_a_prefix_list_that_is_the_way_to_ec2(cluster: Cluster) -> None:
    """What is in the list decides; without the permission to read it nothing is claimed."""
    public = table_of(cluster, "node1", "eth0")
    prefix_list = a_prefix_list(cluster, "192.0.2.0/24")
    for each in (prefix_list, "192.0.2.7/32"):
        route(cluster, public, each, internet_gateway(cluster))
    life = Life(cluster, ("--destination", prefix_list, "--route-table", public), ())
    refused = life.create()
    assert f"routes that win: 192.0.2.7/32 of {public} wins over {prefix_list}" in refused.stderr
    assert (refused.status, f"by {prefix_list} of {public}" in refused.stderr) == (1, True), refused.stderr
    cluster.sandbox.fault("deny", server="node1", operation="GetManagedPrefixListEntries")
    done = life.create()
    assert "own way to ec2: could not look" in done.stderr
    assert "permission missing for GetManagedPrefixListEntries" in done.stderr


def test_failed_create_gives_a_default_route_back_to_its_gateway(cluster: Cluster) -> None:
    """A route that was a gateway's is the gateway's again."""
    gateway, tables = internet_gateway(cluster), cluster.tables[2:5]
    places = [route(cluster, table, "0.0.0.0/0", gateway) for table in tables]
    life = Life(cluster, ("--destination", "0.0.0.0/0", "--route-table", ",".join(tables)), places)
    cluster.sandbox.fault("deny", server="node1", operation="ReplaceRoute", skip=2, count=1)
    done = life.create()
    assert done.status == 1
    assert f"create of {VIP_TAG} is undone" in done.stderr
    assert life.holders() == {gateway}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--destination", "0.0.0.0/0"], "moved in chosen tables only", id="no tables"),
        pytest.param(["--destination", "10.0.0.1/8", "--route-table", "rtb-1"], "neither an IPv4 nor", id="bits"),
        pytest.param(["--vip", "10.1.0.0/24"], "vip: '10.1.0.0/24' is not one address", id="block as vip"),
        pytest.param(["--vip", "10.1.0.10", "--destination", "::/0"], "not go together", id="both"),
        pytest.param(["--vip", "10.0.0.99"], "10.0.0.99 is inside 10.0.0.0/16", id="inside the vpc"),
    ],
)
def test_create_refuses_what_cannot_be_moved(cluster: Cluster, words: list[str], said: str) -> None:
    """Each reason is said before anything is written."""
    done = Life(cluster, tuple(words), ()).create()
    assert (done.status, said in done.stderr) == (1, True), done.stderr


# -- routes that are lacking ---------------------------------------------------------------------------------


def lacking(cluster: Cluster) -> tuple[Life, list[Place]]:
    """Two chosen tables have the route of one of two addresses, and lack that of the other."""
    tables = cluster.tables[1:3]
    words = ("--vip", "10.1.0.10", "--vip", "10.1.0.30", "--route-table", ",".join(tables), "--create-routes")
    places = [(table, f"{each}/32") for table in tables for each in ("10.1.0.10", "10.1.0.30")]
    return Life(cluster, words, places), [place for place in places if place[1] == "10.1.0.30/32"]


def test_create_makes_the_routes_that_are_lacking_and_no_other_action_does(cluster: Cluster) -> None:
    """The resource lives as any other; a route that goes later is named, and not made again."""
    life, made = lacking(cluster)
    for step in life.steps():
        if step == "created and extended":
            assert cluster.log("node1").count(":620393:") == 2
        if step == "left alone by the other server":
            table, block = made[0]
            cluster.aws.delete_route(RouteTableId=table, DestinationCidrBlock=block)
            done = life.act("node2", "restore")
            assert (done.status, f"no route {block}: {table}" in done.stderr) == (1, True)
            assert made[0] not in cluster.routes()
            route(cluster, table, block, cluster.eni("node2"))
            assert life.act("node2", "restore").status == 0


def test_create_that_fails_deletes_the_routes_that_it_made(cluster: Cluster) -> None:
    """All is as before: what was made is gone, what was moved is back."""
    life, made = lacking(cluster)
    for place in life.places:
        if place not in made:
            cluster.point(place[0], cluster.eni("node2"), place[1])
    before = cluster.routes()
    cluster.sandbox.fault("deny", server="node1", operation="ReplaceRoute", skip=1, count=1)
    done = life.create()
    assert done.status == 1
    assert "which create had made, deleted" in done.stderr
    assert cluster.routes() == before


def test_create_of_routes_without_the_permission_is_refused_and_names_it(cluster: Cluster) -> None:
    """It is asked for before anything is made."""
    life, _ = lacking(cluster)
    before = cluster.routes()
    for operation in ("CreateRoute", "DeleteRoute"):
        rule = cluster.sandbox.fault("deny", server="node1", operation=operation)
        done = life.create()
        assert (done.status, f"permission ec2:{operation}: missing for" in done.stderr) == (1, True)
        cluster.sandbox.clear(rule)
    assert cluster.routes() == before


def test_create_leaves_a_route_that_another_made_meanwhile(cluster: Cluster) -> None:
    """A route that EC2 refuses to make again is another's, and is not deleted with ours."""
    life, (first, second) = lacking(cluster)
    held = cluster.sandbox.fault("silent", server="node1", operation="CreateRoute", skip=2)
    words = ["-t", VIP_TAG, "--type", "route-table", *life.words, "--interface", "eth1"]
    creating = cluster.start("node1", "create", *words, AWSCLI_READ_TIMEOUT="30")
    until(lambda: sum(each["hits"] for each in cluster.sandbox.faults()) == 2)
    route(cluster, *first, cluster.eni("node1"))
    cluster.sandbox.clear(held)
    done = finished(creating)
    assert (done.status, "RouteAlreadyExists" in done.stderr) == (1, True), done.stderr
    assert first in cluster.routes()
    assert second not in cluster.routes()


def test_create_routes_needs_chosen_tables(cluster: Cluster) -> None:
    """There is no table in which a route could be lacking otherwise."""
    done = Life(cluster, ("--vip", "10.1.0.10", "--create-routes"), ()).create()
    assert (done.status, "in chosen tables only" in done.stderr) == (1, True)


# -- for a program -------------------------------------------------------------------------------------------


def test_quick_check_of_several_addresses_tells_each_to_a_program(cluster: Cluster) -> None:
    """The JSON has one status for each address, beside that of the resource."""
    assert Life(cluster, ("--vip", "10.1.0.10", "--vip", "10.1.0.20"), ()).create().status == 0
    cluster.point(cluster.tables[0], cluster.eni("node2"), "10.1.0.20/32")
    done = cluster.run("node1", str(Path(sys.executable).with_name("ec2kit")), "quickCheck", VIP_TAG, "--json")
    told = json.loads(done.stdout)
    assert told["status"] == "OUT_OF_SERVICE"
    assert told["addresses"] == {"10.1.0.10": "IN_SERVICE", "10.1.0.20": "OUT_OF_SERVICE"}
