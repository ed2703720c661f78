"""create, extend, unextend and delete over several servers, by the real action scripts."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ..patience import HANGS
from .cluster import EIP_TAG, VIP_TAG, Cluster, finished, until


def _definition(cluster: Cluster, server: str, tag: str = VIP_TAG) -> dict[str, object]:
    content = json.loads((cluster.path(server, "EC2KIT_STATE_DIR") / "resources" / f"{tag}.json").read_text())
    assert isinstance(content, dict)
    return content


def _knows(cluster: Cluster, server: str, tag: str = VIP_TAG) -> bool:
    return any(cluster.path(server, "EC2KIT_STATE_DIR").rglob(f"{tag}*"))


def test_three_servers_share_one_definition_and_cascade(cluster: Cluster) -> None:
    """Every server knows all servers' ENIs, and the address goes from one to the next and back."""
    cluster.create()
    for name, priority in (("node2", "10"), ("node3", "20")):
        done = cluster.run(name, "extend", "node1", VIP_TAG, "--priority", priority)
        assert done.status == 0, done.stderr
    assert _definition(cluster, "node1") == _definition(cluster, "node2") == _definition(cluster, "node3")
    for name in ("node2", "node3", "node1"):
        assert cluster.act(name, "restore").status == 0
        assert cluster.holders() == [name] * 6


def test_unextend_of_one_of_three_leaves_two(cluster: Cluster) -> None:
    """A server that does not run the resource can be taken out; the others learn of it."""
    cluster.with_resource(servers=3)
    done = cluster.act("node3", "unextend")
    assert done.status == 0, done.stderr
    assert not _knows(cluster, "node3")
    assert _definition(cluster, "node1") == _definition(cluster, "node2")
    assert len(_definition(cluster, "node1")["servers"]) == 2  # type: ignore[arg-type]
    assert cluster.act("node2", "restore").status == 0


def test_unextend_of_another_server_by_name(cluster: Cluster) -> None:
    """It can be done from any server."""
    cluster.with_resource(servers=3)
    assert cluster.run("node1", "unextend", "-t", VIP_TAG, "--server", "node2").status == 0
    assert not _knows(cluster, "node2")


def test_unextend_where_it_is_in_service_is_refused(cluster: Cluster) -> None:
    """The server that runs the resource stays in it."""
    cluster.with_resource()
    done = cluster.act("node1", "unextend")
    assert done.status == 1
    assert "is in service on node1" in done.stderr
    assert _definition(cluster, "node1") == _definition(cluster, "node2")


def test_unextend_of_a_lost_server_asks_aws_in_its_place(cluster: Cluster) -> None:
    """A server that is gone for good can be taken out, unless AWS says that it still has the address."""
    cluster.with_resource(servers=3)
    cluster.cut_off("node3")
    words = ["-t", VIP_TAG, "--server", "node3"]
    assert "node3" in cluster.run("node1", "unextend", *words).stderr
    cluster.point(cluster.tables[0], cluster.eni("node3"))
    assert cluster.run("node1", "unextend", *words, "--lost").status == 1
    cluster.point(cluster.tables[0], cluster.eni("node1"))
    assert cluster.run("node1", "unextend", *words, "--lost").status == 0
    assert len(_definition(cluster, "node2")["servers"]) == 2  # type: ignore[arg-type]


def test_unextend_of_the_last_server_is_refused(cluster: Cluster) -> None:
    """That would be delete."""
    cluster.create()
    done = cluster.act("node1", "unextend")
    assert done.status == 1
    assert "only server" in done.stderr


def test_delete_forgets_everywhere_and_changes_nothing_in_aws(cluster: Cluster) -> None:
    """No trace on any server; the routes stay as they are."""
    cluster.with_resource(servers=3)
    routes = cluster.routes()
    assert cluster.act("node2", "delete").status == 0
    assert not any(_knows(cluster, name) for name in ("node1", "node2", "node3"))
    assert cluster.routes() == routes


def test_delete_with_a_server_out_of_reach_is_refused_naming_it(cluster: Cluster) -> None:
    """Nothing half done: all forget, or none; --local is for this server alone."""
    cluster.with_resource(servers=3)
    cluster.cut_off("node3")
    done = cluster.act("node1", "delete")
    assert done.status == 1
    assert "node3" in done.stderr
    assert all(_knows(cluster, name) for name in ("node1", "node2", "node3"))
    assert cluster.run("node1", "delete", "-t", VIP_TAG, "--local").status == 0
    assert [_knows(cluster, name) for name in ("node1", "node2", "node3")] == [False, True, True]


def test_extend_where_the_tag_is_another_resources_is_refused(cluster: Cluster) -> None:
    """A resource of this server is never overwritten by another one of the same tag."""
    cluster.with_resource()
    words = ["-t", VIP_TAG, "--type", "route-table", "--vip", "10.1.0.20", "--interface", "eth0"]
    assert cluster.run("node3", "create", *words).status == 0
    before = _definition(cluster, "node3")
    done = cluster.run("node3", "extend", "node1", VIP_TAG, "--priority", "30")
    assert done.status == 1
    assert "tag ec2-vip1 on node3 is taken" in done.stderr
    assert _definition(cluster, "node3") == before


def test_extend_with_a_server_out_of_reach_is_refused_and_undone(cluster: Cluster) -> None:
    """Every server gets the new definition, or none keeps it."""
    cluster.with_resource(servers=2)
    before = _definition(cluster, "node1")["servers"]
    cluster.cut_off("node2")
    done = cluster.run("node3", "extend", "node1", VIP_TAG, "--priority", "30")
    assert done.status == 1
    assert "node2" in done.stderr
    assert _definition(cluster, "node1")["servers"] == before
    assert not _knows(cluster, "node3")
    (cluster.sandbox.folder / "node2" / "unreachable").unlink()
    assert cluster.run("node3", "extend", "node1", VIP_TAG, "--priority", "30").status == 0


def test_extend_with_a_priority_that_is_taken_is_refused(cluster: Cluster) -> None:
    """Priorities are unique among the servers of a resource."""
    cluster.with_resource()
    done = cluster.run("node3", "extend", "node1", VIP_TAG, "--priority", "1")
    assert done.status == 1
    assert "priority 1" in done.stderr


def test_extend_twice_is_refused(cluster: Cluster) -> None:
    """A server is one of the resource's servers once."""
    cluster.with_resource()
    done = cluster.run("node2", "extend", "node1", VIP_TAG, "--priority", "30")
    assert done.status == 1
    assert "already" in done.stderr


def test_can_extend_runs_the_checks_and_changes_nothing(cluster: Cluster) -> None:
    """The question alone leaves no trace."""
    cluster.create()
    done = cluster.run("node2", "canextend", "node1", VIP_TAG)
    assert done.status == 0
    assert "check permission ec2:ReplaceRoute: granted" in done.stderr
    assert not _knows(cluster, "node2")


def test_can_extend_without_permission_fails_before_the_day_of_need(cluster: Cluster) -> None:
    """Each permission is really tried, on the server that would need it."""
    cluster.create()
    cluster.sandbox.fault("deny", server="node2", operation="ReplaceRoute")
    done = cluster.run("node2", "canextend", "node1", VIP_TAG)
    assert done.status == 1
    assert "check permission ec2:ReplaceRoute: missing" in done.stderr


def test_create_reports_all_findings_together(cluster: Cluster) -> None:
    """One run shows everything that is wrong, each with what to do."""
    cluster.sandbox.fault("deny", server="node1", operation="ReplaceRoute")
    cluster.sandbox.fault("deny", server="node1", operation="ModifyNetworkInterfaceAttribute")
    eni = cluster.eni("node1")
    cluster.aws.modify_network_interface_attribute(NetworkInterfaceId=eni, SourceDestCheck={"Value": True})
    done = cluster.create()
    assert done.status == 1
    assert "2 checks failed: permission ec2:ReplaceRoute, source/destination check" in done.stderr
    assert "etc/iam-policy.json" in done.stderr
    assert not _knows(cluster, "node1")


def test_create_of_an_address_that_is_protected_is_refused(cluster: Cluster) -> None:
    """No two resources protect the same address, no two have the same tag."""
    cluster.with_resource()
    assert "tag ec2-vip1 is taken" in cluster.create().stderr
    other = cluster.create(tag="ec2-another")
    assert other.status == 1
    assert "is protected by ec2-vip1" in other.stderr


def test_create_without_a_tag_names_it_after_the_address(cluster: Cluster) -> None:
    """The default is ec2-<name of the protected thing>."""
    words = ["--type", "route-table", "--vip", "10.1.0.10", "--interface", "eth1"]
    assert cluster.run("node1", "create", *words).status == 0
    assert cluster.act("node1", "quickCheck", "ec2-10.1.0.10").status == 0


def test_create_by_eni_finds_the_device(cluster: Cluster) -> None:
    """The ENI may be given in place of the device."""
    words = ["--type", "route-table", "--vip", "10.1.0.10", "--network-interface-id", cluster.eni("node1")]
    assert cluster.run("node1", "create", "-t", VIP_TAG, *words).status == 0
    assert _definition(cluster, "node1")["servers"][0]["device"] == "eth1"  # type: ignore[index]


def test_extend_that_was_killed_half_way_is_finished_by_the_next(cluster: Cluster) -> None:
    """The template already lists this server, which knows nothing of it: extend goes forward."""
    cluster.with_resource()
    shutil.rmtree(cluster.path("node2", "EC2KIT_STATE_DIR"))
    done = cluster.run("node2", "extend", "node1", VIP_TAG, "--priority", "30")
    assert done.status == 0, done.stderr
    assert _definition(cluster, "node1") == _definition(cluster, "node2")


def test_unextend_that_was_killed_half_way_is_finished_by_the_next(cluster: Cluster) -> None:
    """The server has dropped the resource already, the others still list it."""
    cluster.with_resource(servers=3)
    shutil.rmtree(cluster.path("node3", "EC2KIT_STATE_DIR"))
    done = cluster.run("node1", "unextend", "-t", VIP_TAG, "--server", "node3")
    assert done.status == 0, done.stderr
    assert len(_definition(cluster, "node2")["servers"]) == 2  # type: ignore[arg-type]


def test_delete_that_was_killed_half_way_is_finished_by_the_next(cluster: Cluster) -> None:
    """A server that has forgotten already is no hindrance."""
    cluster.with_resource(servers=3)
    shutil.rmtree(cluster.path("node3", "EC2KIT_STATE_DIR"))
    assert cluster.act("node1", "delete").status == 0
    assert not any(_knows(cluster, name) for name in ("node1", "node2", "node3"))


def test_recover_where_the_holder_has_lost_its_registry_writes_nothing(cluster: Cluster) -> None:
    """A server that no longer knows the resource has not said that it does not run it."""
    cluster.with_resource(on="node2")
    shutil.rmtree(cluster.path("node2", "EC2KIT_STATE_DIR"))
    done = cluster.act("node1", "recover")
    assert done.status == 1
    assert "missing or empty" in done.stderr
    assert cluster.holders() == ["node2"] * 6


# -- create that does not come to its end ------------------------------------------------------------------------


def _drifted(cluster: Cluster) -> dict[tuple[str, str], str | None]:
    """All routes of the address on a third ENI, so that create has something to change; gives all routes."""
    for table in cluster.tables:
        cluster.point(table, cluster.eni("node2", "eth0"))
    return cluster.routes()


def test_create_that_cannot_write_all_tables_puts_back_what_it_moved(cluster: Cluster) -> None:
    """Failure undoes: registry clean, routes that point here because of us put back."""
    before = _drifted(cluster)
    cluster.sandbox.fault("error", server="node1", operation="ReplaceRoute", status=400, code="Odd", count=2)
    done = cluster.create()
    assert done.status == 1
    assert cluster.routes() == before
    assert not _knows(cluster, "node1")
    assert "create of ec2-vip1 is undone" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_create_that_is_interrupted_puts_back_what_it_moved(cluster: Cluster, number: signal.Signals) -> None:
    """Ctrl-C in the middle leaves no trace."""
    before = _drifted(cluster)
    writes = len(cluster.writes("node1"))
    cluster.sandbox.fault("silent", server="node1", operation="ReplaceRoute", skip=1)  # the check of the permission
    words = ["-t", VIP_TAG, "--type", "route-table", "--vip", "10.1.0.10", "--interface", "eth1"]
    running = cluster.start("node1", "create", *words, AWSCLI_READ_TIMEOUT="300")
    until((cluster.path("node1", "EC2KIT_STATE_DIR") / "creating" / f"{VIP_TAG}.json").exists)
    until(lambda: "check ec2 automatic recovery" in cluster.log("node1"))
    running.send_signal(number)
    cluster.sandbox.clear()
    done = finished(running)
    assert done.status == 1
    assert cluster.routes() == before, len(cluster.writes("node1")) - writes
    assert not _knows(cluster, "node1")


@pytest.mark.parametrize(("late", "tag"), [(0.5, VIP_TAG), (5, VIP_TAG), (2, EIP_TAG)])
def test_create_interrupted_while_reads_are_late_puts_back_what_it_moved(
    cluster: Cluster, late: float, tag: str
) -> None:
    """That a look does not show the change yet is no reason to say that all is undone."""
    cluster.associate("node2", "eth0")
    before = _drifted(cluster)
    unseen = cluster.sandbox.fault("late", server="node1", seconds=600)  # it does not end before it is interrupted
    kind = ["--type", "route-table", "--vip", "10.1.0.10"]
    if tag == EIP_TAG:
        kind = ["--type", "elastic-ip", "--elastic-ip", cluster.sandbox.description["elastic_ip"]]
    patience = {"EC2_VERIFY_TIMEOUT": "60"}
    running = cluster.start("node1", "create", "-t", tag, *kind, "--interface", "eth1", **patience)
    until(lambda: len(cluster.writes("node1")) >= (1 if tag == EIP_TAG else len(cluster.tables)))
    running.send_signal(signal.SIGINT)
    cluster.sandbox.clear(unseen)
    cluster.sandbox.fault("late", server="node1", seconds=late)
    done = finished(running)
    assert done.status == 1, done.stderr
    assert f"create of {tag} is undone" in done.stderr
    assert cluster.routes() == before
    assert cluster.address_holder() == cluster.eni("node2", "eth0")
    assert not _knows(cluster, "node1", tag)


def test_create_after_a_killed_one_cleans_up_and_goes_forward(cluster: Cluster) -> None:
    """kill -9 in the middle: the next create says so, and succeeds."""
    _drifted(cluster)
    cluster.sandbox.fault("silent", server="node1", operation="ReplaceRoute", skip=1)  # the check of the permission
    words = ["-t", VIP_TAG, "--type", "route-table", "--vip", "10.1.0.10", "--interface", "eth1"]
    running = cluster.start("node1", "create", *words)
    until((cluster.path("node1", "EC2KIT_STATE_DIR") / "resources" / f"{VIP_TAG}.json").exists)
    running.kill()
    finished(running)
    cluster.sandbox.clear()
    done = cluster.create()
    assert done.status == 0, done.stderr
    assert "was cut off" in done.stderr
    assert cluster.holders() == ["node1"] * 6


def test_create_that_fails_after_a_killed_one_takes_nothing_from_the_owner_of_now(cluster: Cluster) -> None:
    """What a killed create has noted counts only for a table that is here: the others have an owner of their own."""
    left = cluster.path("node1", "EC2KIT_STATE_DIR") / "creating"
    left.mkdir(mode=0o700)
    before = {table: cluster.eni("node2") for table in cluster.tables}
    (left / f"{VIP_TAG}.json").write_text(json.dumps({"version": 1, "before": before}))
    for table in cluster.tables:
        cluster.point(table, cluster.eni("node3"))
    cluster.point(cluster.tables[0], cluster.eni("node1"))
    cluster.sandbox.fault("deny", server="node1", operation="ReplaceRoute", skip=2, count=1)
    done = cluster.create()
    assert done.status == 1, done.stderr
    assert cluster.holders() == ["node2", *["node3"] * 5]


def test_create_after_one_killed_at_its_very_end_is_refused(cluster: Cluster) -> None:
    """A journal that was left behind does not make a live resource a half-made one."""
    cluster.with_resource()
    left = cluster.path("node1", "EC2KIT_STATE_DIR") / "creating"
    left.mkdir(exist_ok=True)
    (left / f"{VIP_TAG}.json").write_text('{"version": 1, "before": {}}')
    before = _definition(cluster, "node1")
    done = cluster.create()
    assert done.status == 1
    assert "tag ec2-vip1 is taken" in done.stderr
    assert _definition(cluster, "node1") == before


def test_create_of_an_elastic_ip_that_fails_gives_the_address_back(cluster: Cluster) -> None:
    """The address goes back to the ENI that had it."""
    cluster.associate("node2", "eth0")
    link = cluster.path("node1", "EC2KIT_NET_DIR").parent / "bin" / "ip"
    kept = link.read_bytes()
    (cluster.path("node1", "EC2KIT_NET_DIR") / "eth1" / "operstate").write_text("down\n")
    try:
        link.write_text("#!/bin/sh\necho 'RTNETLINK answers: Operation not permitted' >&2\nexit 2\n")
        done = cluster.create(tag=EIP_TAG)
    finally:
        link.write_bytes(kept)
        (cluster.path("node1", "EC2KIT_NET_DIR") / "eth1" / "operstate").write_text("up\n")
    assert done.status == 1, done.stderr
    assert "Operation not permitted" in done.stderr
    assert cluster.address_holder() == cluster.eni("node2", "eth0")
    assert not _knows(cluster, "node1", EIP_TAG)


def test_priority_set_later_is_the_same_on_all_servers(cluster: Cluster) -> None:
    """Unique as at extend, and known everywhere."""
    cluster.with_resource(servers=3)
    program = str(Path(sys.executable).with_name("ec2kit"))
    words = [program, "set", VIP_TAG, "priority=5", "--server", "node3"]
    done = subprocess.run(
        words, env=cluster.environment("node1"), capture_output=True, text=True, check=False, timeout=HANGS
    )
    assert done.returncode == 0, done.stderr
    found = [_definition(cluster, each) for each in ("node1", "node2", "node3")]
    assert found[0] == found[1] == found[2]
    assert '"priority": 5' in json.dumps(found[0])
