"""The route table scenario, by the real action scripts."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time

import pytest

from .cluster import VIP_TAG, Cluster, finished, given_time, go_on, in_a_hurry, stop, until


def test_create_and_extend_and_restore_move_all_tables_and_nothing_else(cluster: Cluster) -> None:
    """The virtual IP moves in every table of the VPC; near misses, neighbours and the other VPC stay."""
    before = cluster.others()
    cluster.with_resource()
    assert cluster.holders() == ["node1"] * 6
    assert cluster.act("node2", "restore").status == 0
    assert cluster.holders() == ["node2"] * 6
    assert cluster.others() == before


def test_quick_check_after_a_move_is_0_here_and_1_there(cluster: Cluster) -> None:
    """Each server knows whether it has the address."""
    cluster.with_resource(on="node2")
    assert cluster.act("node2", "quickCheck").status == 0
    there = cluster.act("node1", "quickCheck")
    assert there.status == 1
    assert cluster.eni("node2") in there.stderr


def test_restore_where_all_is_right_writes_nothing(cluster: Cluster) -> None:
    """Restore is idempotent: a second one makes no write."""
    cluster.with_resource(on="node2")
    before = cluster.writes("node2")
    assert cluster.act("node2", "restore").status == 0
    assert cluster.writes("node2") == before


def test_restore_writes_only_the_tables_that_differ(cluster: Cluster) -> None:
    """One drifted table costs one write."""
    cluster.with_resource()
    before = len(cluster.writes("node1"))
    cluster.point(cluster.tables[3], cluster.eni("node2"))
    assert cluster.act("node1", "restore").status == 0
    assert len(cluster.writes("node1")) == before + 1


def test_restore_follows_every_page(cluster: Cluster) -> None:
    """Tables on later pages count too."""
    cluster.with_resource()
    cluster.sandbox.page_size(5)
    assert cluster.act("node2", "restore").status == 0
    assert cluster.holders() == ["node2"] * 6


def test_remove_needs_neither_aws_nor_imds(cluster: Cluster) -> None:
    """A route is moved by the next server's restore, so remove does nothing in AWS."""
    cluster.with_resource()
    cluster.sandbox.fault("refuse", server="node1")
    cluster.sandbox.fault("silent", server="node1", service="imds")
    calls = len(cluster.sandbox.calls())
    assert cluster.act("node1", "remove").status == 0
    assert len(cluster.sandbox.calls()) == calls


def test_remove_loads_no_way_to_aws(cluster: Cluster) -> None:
    """What asks nothing of AWS does not pay for asking."""
    cluster.with_resource()
    to_aws = {f"ec2kit.ec2.{name}" for name in ("operations", "request", "client")} | {"boto3"}
    assert not cluster.modules_loaded_by("node1", "remove") & {*to_aws, "dataclasses", "inspect"}


def test_restore_loads_the_core_of_the_sdk_alone(cluster: Cluster) -> None:
    """What boto3 has beside botocore's clients takes longer to load than a request takes, and moves no address."""
    cluster.with_resource()
    modules = cluster.modules_loaded_by("node1", "restore")
    packages = {each.split(".")[0] for each in modules}
    assert "botocore" in packages
    assert not packages & {"boto3", "s3transfer", "multiprocessing", "click", "argparse"}
    assert not [each for each in modules if re.search("^ec2kit.*(probe|after_restore|packet)", each)]


def test_recover_after_drift_puts_the_route_back(cluster: Cluster) -> None:
    """What an outside hand changed is found by quickCheck and repaired by recover, the neighbours untouched."""
    cluster.with_resource()
    before = cluster.others()
    cluster.point(cluster.tables[0], cluster.eni("node1", "eth0"))
    assert cluster.act("node1", "quickCheck").status == 1
    assert cluster.act("node1", "recover").status == 0
    assert cluster.act("node1", "quickCheck").status == 0
    assert cluster.others() == before


def test_recover_where_the_other_server_is_out_of_service_takes_the_route_back(cluster: Cluster) -> None:
    """A route that points at the standby by mistake comes back: the standby says that it does not run it."""
    cluster.with_resource()
    cluster.point(cluster.tables[0], cluster.eni("node2"))
    assert cluster.act("node1", "recover").status == 0
    assert cluster.holders() == ["node1"] * 6


@pytest.mark.parametrize("other", ["in service", "silent"])
def test_recover_where_the_other_server_may_run_it_writes_nothing(cluster: Cluster, other: str) -> None:
    """A server that was cut off and comes back does not steal the address."""
    cluster.with_resource()
    cluster.sandbox.fault("refuse", server="node1")
    assert cluster.act("node2", "restore").status == 0
    cluster.sandbox.clear()
    if other == "silent":
        cluster.cut_off("node2")
    assert cluster.act("node1", "quickCheck").status == 1
    recovered = cluster.act("node1", "recover")
    assert recovered.status == 1
    assert "taken over by node2" in recovered.stderr
    assert cluster.holders() == ["node2"] * 6


def test_recover_that_waits_for_ec2_asks_again_before_it_writes(cluster: Cluster) -> None:
    """A peer that comes in service while recover is throttled keeps the address."""
    cluster.with_resource()
    for table in cluster.tables:
        cluster.point(table, cluster.eni("node2"))
    cluster.sandbox.fault("throttle", server="node1", operation="ReplaceRoute")
    recovering = cluster.start("node1", "recover", "-t", VIP_TAG)
    until(lambda: "RequestLimitExceeded" in cluster.log("node1"))
    assert cluster.act("node2", "restore").status == 0
    cluster.sandbox.clear()
    done = finished(recovering)
    assert done.status == 1
    assert "taken over by node2" in done.stderr
    assert cluster.holders() == ["node2"] * 6


def test_recover_under_throttling_waits_and_succeeds(cluster: Cluster) -> None:
    """What is to be tried again is looked at and asked for again, and succeeds where nobody else has it."""
    cluster.with_resource()
    cluster.point(cluster.tables[0], cluster.eni("node2", "eth0"))
    cluster.sandbox.fault("throttle", server="node1", operation="ReplaceRoute", count=3)
    done = cluster.act("node1", "recover")
    assert done.status == 0, done.stderr
    assert cluster.holders() == ["node1"] * 6


def test_recover_where_another_server_answers_in_the_peers_place_writes_nothing(cluster: Cluster) -> None:
    """A remote command that reaches the wrong server is no answer."""
    cluster.with_resource(servers=3, on="node2")
    wrong = cluster.sandbox.folder / "wrong"
    wrong.write_text(f"#!/bin/sh\nexec '{cluster.sandbox.folder}/remote' node3 \"$2\"\n")
    wrong.chmod(0o755)
    done = cluster.act("node1", "recover", EC2_REMOTE_COMMAND=f"'{wrong}'")
    assert done.status == 1
    assert "answered in its place" in done.stderr
    assert cluster.holders() == ["node2"] * 6


def test_recover_with_take_from_peer_takes_the_address_in_any_case(cluster: Cluster) -> None:
    """EC2_RECOVER_TAKE_FROM_PEER=1 does as the original kit does."""
    cluster.with_resource(on="node2")
    assert cluster.act("node1", "recover", EC2_RECOVER_TAKE_FROM_PEER="1").status == 0
    assert cluster.holders() == ["node1"] * 6


def test_recover_after_remove_writes_nothing(cluster: Cluster) -> None:
    """Recovery mends what this server runs and starts nothing."""
    cluster.with_resource().act("node1", "remove")
    cluster.point(cluster.tables[0], cluster.eni("node1", "eth0"))
    recovered = cluster.act("node1", "recover")
    assert recovered.status == 1
    assert "not in service here" in recovered.stderr
    assert "node1" not in cluster.holders()[:1]


def test_restore_where_one_table_is_denied_moves_the_others_and_names_it(cluster: Cluster) -> None:
    """Every table is attempted; the failure names the object, the permission and the request."""
    cluster.with_resource()
    cluster.sandbox.fault("deny", server="node2", operation="ReplaceRoute", count=1)
    done = cluster.act("node2", "restore")
    assert done.status == 1
    assert sorted(cluster.holders()) == ["node1"] + ["node2"] * 5
    assert "permission missing for ReplaceRoute on rtb-" in done.stderr
    assert "5 of 6 are right" in done.stderr


def test_restore_under_throttling_waits_and_succeeds(cluster: Cluster) -> None:
    """Throttling is waited out, with jitter, and is no failure."""
    cluster.with_resource()
    cluster.sandbox.fault("throttle", server="node2", operation="ReplaceRoute", count=4)
    done = cluster.act("node2", "restore")
    assert done.status == 0, done.stderr
    assert "RequestLimitExceeded" in done.stderr
    assert cluster.holders() == ["node2"] * 6


def test_restore_while_reads_are_late_writes_once_and_waits(cluster: Cluster) -> None:
    """A describe that shows the old state is waited out, not written over."""
    cluster.with_resource()
    before = len(cluster.writes("node2"))
    cluster.sandbox.fault("stale", server="node2")
    restoring = cluster.start("node2", "restore", "-t", VIP_TAG, EC2_VERIFY_TIMEOUT="60")
    until(lambda: len(cluster.writes("node2")) == before + 6)
    time.sleep(1)  # what is seen sooner is not called late
    cluster.sandbox.clear()
    done = finished(restoring)
    assert done.status == 0, done.stderr
    assert len(cluster.writes("node2")) == before + 6
    assert "after it had accepted it" in done.stderr


def test_restore_after_remove_does_not_believe_a_single_look(cluster: Cluster) -> None:
    """Reads may go back in time: "nothing to do" right after the address was elsewhere is looked at twice."""
    cluster.with_resource().act("node1", "remove")
    cluster.sandbox.fault("stale", server="node1", count=1)
    assert cluster.act("node2", "restore").status == 0
    assert cluster.act("node2", "remove").status == 0
    done = cluster.act("node1", "restore")
    assert done.status == 0, done.stderr
    assert cluster.holders() == ["node1"] * 6


def test_restore_repeated_while_aws_is_silent_keeps_the_state(cluster: Cluster) -> None:
    """A resource that is in service stays so in the registry: nothing was changed, and nothing is known."""
    cluster.with_resource()
    cluster.sandbox.fault("refuse", server="node1")
    assert cluster.act("node1", "restore", **in_a_hurry()).status == 1
    cluster.sandbox.clear()
    cluster.point(cluster.tables[0], cluster.eni("node2", "eth0"))
    assert cluster.act("node1", "recover").status == 0


def test_restore_is_not_kept_waiting_by_the_source_dest_check(cluster: Cluster) -> None:
    """The address is here: what else is to be mended is tried twice and then told."""
    cluster.with_resource()
    eni = cluster.eni("node2")
    cluster.aws.modify_network_interface_attribute(NetworkInterfaceId=eni, SourceDestCheck={"Value": True})
    cluster.sandbox.fault("throttle", server="node2", operation="ModifyNetworkInterfaceAttribute")
    before = len(cluster.sandbox.calls())
    done = cluster.act("node2", "restore")
    assert done.status == 0
    assert "is on and cannot be switched off" in done.stderr
    tried = [each for each in cluster.sandbox.calls()[before:] if each["operation"].startswith("Modify")]
    assert len(tried) == 2


def test_restore_switches_off_the_source_dest_check(cluster: Cluster) -> None:
    """EC2 would drop the packets to an overlay address, so restore looks and switches the check off."""
    cluster.with_resource()
    eni = cluster.eni("node2")
    cluster.aws.modify_network_interface_attribute(NetworkInterfaceId=eni, SourceDestCheck={"Value": True})
    done = cluster.act("node2", "restore")
    (interface,) = cluster.aws.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"]
    assert done.status == 0
    assert interface["SourceDestCheck"] is False
    assert "source/destination check switched off" in done.stderr


def test_restore_on_another_instance_refuses(cluster: Cluster) -> None:
    """A cloned server must not write with the ENI of the one that it was cloned from."""
    cluster.with_resource()
    path = cluster.path("node2", "EC2KIT_STATE_DIR") / "resources" / f"{VIP_TAG}.json"
    instance = cluster.sandbox.description["nodes"]["node2"]["instance_id"]
    path.write_text(path.read_text().replace(instance, "i-0123456789abcdef0"))
    done = cluster.act("node2", "restore")
    assert done.status == 1
    assert "this is instance" in done.stderr
    assert cluster.holders() == ["node1"] * 6


def test_restore_of_a_stopped_instance_fails_for_the_blackhole(cluster: Cluster) -> None:
    """A route that EC2 calls a blackhole is not in service."""
    cluster.with_resource()
    instance = cluster.sandbox.description["nodes"]["node1"]["instance_id"]
    cluster.aws.stop_instances(InstanceIds=[instance])
    assert cluster.act("node1", "quickCheck").status == 1
    done = cluster.act("node1", "restore")
    cluster.aws.start_instances(InstanceIds=[instance])
    assert done.status == 1
    assert "blackhole" in done.stderr


# -- many tables ---------------------------------------------------------------------------------------------


def test_restore_of_120_tables_killed_in_the_middle_goes_on_next_time(large_cluster: Cluster) -> None:
    """kill -9 leaves no lock and no broken file; the next restore finishes, and nothing else was changed."""
    cluster = large_cluster.with_resource()
    others = cluster.others()
    before = len(cluster.writes("node2"))
    cluster.sandbox.fault("silent", server="node2", operation="ReplaceRoute", skip=20)
    running = cluster.start("node2", "restore", "-t", VIP_TAG)
    until(lambda: len(cluster.writes("node2")) - before == 20)
    running.send_signal(signal.SIGKILL)
    finished(running)
    cluster.sandbox.clear()
    assert 0 < cluster.holders().count("node2") < 120
    assert cluster.act("node2", "restore").status == 0
    assert cluster.holders() == ["node2"] * 120
    assert cluster.others() == others
    assert cluster.act("node2", "quickCheck").status == 0
    left = [
        *cluster.path("node2", "EC2KIT_RUN_DIR").rglob("*"),
        *cluster.path("node2", "EC2KIT_STATE_DIR").rglob("*"),
    ]
    assert not [path for path in left if path.suffix == ".tmp"]
    for path in left:
        if path.suffix == ".json":
            json.loads(path.read_text())


def test_restore_killed_while_ec2_throttles_has_logged_each_change_that_was_answered(fifty_tables: Cluster) -> None:
    """The log knows every request by its id, although the round of writes never came to its end."""
    cluster = fifty_tables.with_resource()
    cluster.sandbox.fault("bucket", server="node2", operation="ReplaceRoute", burst=20, rate=0)
    running = cluster.start("node2", "restore", "-t", VIP_TAG, EC2_WRITE_RATE="0")
    until(lambda: len(_logged_changes(cluster, "node2")) == 20)
    running.send_signal(signal.SIGKILL)
    finished(running)
    assert _logged_changes(cluster, "node2") == {each["request_id"] for each in cluster.writes("node2")}
    assert cluster.holders().count("node2") == 20


def _logged_changes(cluster: Cluster, server: str) -> set[object]:
    """The ids of the requests by which a server moved a route, as its log has them."""
    return set(re.findall(r":620301:.* request (\S+)", cluster.log(server)))


def test_restore_of_120_tables_overtaken_by_remove_stops_in_the_middle(large_cluster: Cluster) -> None:
    """A newer remove is not kept waiting, and the running restore makes no further write."""
    cluster = large_cluster.with_resource()
    before = len(cluster.writes("node2"))
    cluster.sandbox.fault("silent", server="node2", operation="ReplaceRoute", skip=10)
    running = cluster.start("node2", "restore", "-t", VIP_TAG)
    until(lambda: len(cluster.writes("node2")) - before == 10)
    assert cluster.act("node2", "remove").status == 0
    done = finished(running)
    assert done.status == 1
    assert "overtaken: remove was asked for" in done.stderr
    assert cluster.holders().count("node2") < 120


@pytest.mark.parametrize("effect", ["silent", "error"])
def test_restore_that_has_no_answer_to_its_look_is_ended_by_remove(cluster: Cluster, effect: str) -> None:
    """Neither a look that hangs nor the pause before the next one keeps a restore that was overtaken."""
    cluster.with_resource()
    fault = cluster.sandbox.fault(effect, server="node2", operation="DescribeRouteTables")
    patience = {"EC2_RESTORE_TIMEOUT": "300", "AWSCLI_READ_TIMEOUT": "300"}
    running = cluster.start("node2", "restore", "-t", VIP_TAG, **patience)
    until(lambda: cluster.met(fault))
    assert cluster.act("node2", "remove").status == 0
    done = finished(running)
    assert done.status == 1
    assert "overtaken: remove was asked for" in done.stderr


def test_restore_overtaken_while_its_writes_have_no_answer_names_them(cluster: Cluster) -> None:
    """EC2 may carry out what it has heard, so the log has each of these writes as not certain."""
    cluster.with_resource()
    before = len(cluster.writes("node2"))
    hang = cluster.sandbox.fault("silent", server="node2", operation="ReplaceRoute")
    running = cluster.start("node2", "restore", "-t", VIP_TAG, EC2_RESTORE_TIMEOUT="300", AWSCLI_READ_TIMEOUT="300")
    until(lambda: any(each["id"] == hang and each["hits"] == 6 for each in cluster.sandbox.faults()))
    assert cluster.act("node2", "remove").status == 0
    done = finished(running)
    assert (done.status, len(cluster.writes("node2"))) == (1, before)
    uncertain = set(re.findall(r":620306:(\S+): the outcome of ReplaceRoute is not certain", cluster.log("node2")))
    assert uncertain == set(cluster.tables)


# -- a process that was stopped and continued ----------------------------------------------------------------


def _restore_stopped_while_it_looks(cluster: Cluster, **settings: str) -> subprocess.Popen[str]:
    """A restore that does not run while the answer to its look comes."""
    look = cluster.sandbox.fault("silent", server="node2", operation="DescribeRouteTables")
    running = cluster.start("node2", "restore", "-t", VIP_TAG, AWSCLI_READ_TIMEOUT="300", **settings)
    until(lambda: cluster.met(look) or running.poll() is not None)
    if running.returncode is None:
        stop(running)
    cluster.sandbox.clear(look)
    return running


def test_restore_stopped_past_its_deadline_writes_nothing_when_it_continues(cluster: Cluster) -> None:
    """The deadline counts the time in which the process did not run."""
    cluster.with_resource()
    before = cluster.writes("node2")

    def stopped(seconds: float) -> tuple[subprocess.Popen[str], float]:
        return _restore_stopped_while_it_looks(cluster, EC2_RESTORE_TIMEOUT=f"{seconds:.1f}"), seconds

    running, deadline = given_time(stopped, lambda begun: begun[0].poll() is None)
    time.sleep(deadline)
    go_on(running)
    done = finished(running)
    assert done.status == 1
    assert cluster.writes("node2") == before
    assert cluster.holders() == ["node1"] * 6


def test_restore_stopped_and_overtaken_by_remove_writes_nothing_when_it_continues(cluster: Cluster) -> None:
    """Whoever wakes up looks at what is wanted now, right before it writes."""
    cluster.with_resource()
    before = cluster.writes("node2")
    running = _restore_stopped_while_it_looks(cluster)
    assert cluster.act("node2", "remove").status == 0
    go_on(running)
    done = finished(running)
    assert done.status == 1
    assert "overtaken" in done.stderr
    assert cluster.writes("node2") == before


def test_quick_check_while_restore_is_at_work_says_busy(cluster: Cluster) -> None:
    """A check never waits for a restore, and never judges in the middle of one."""
    cluster.with_resource()
    running = _restore_stopped_while_it_looks(cluster)
    checked = cluster.act("node2", "quickCheck")
    go_on(running)
    assert finished(running).status == 0
    assert checked.status == 0
    assert "busy" in checked.stderr


def test_restore_while_another_is_at_work_waits_for_it(cluster: Cluster) -> None:
    """Two restores: the second waits, finds all right and succeeds."""
    cluster.with_resource()
    before = len(cluster.writes("node2"))
    first = _restore_stopped_while_it_looks(cluster)
    second = cluster.start("node2", "restore", "-t", VIP_TAG)
    until(lambda: cluster.log("node2").count("BEGIN restore") == 2)
    go_on(first)
    assert [finished(first).status, finished(second).status] == [0, 0]
    assert len(cluster.writes("node2")) == before + 6


def test_restore_ended_by_sigterm_says_so_and_frees_its_lock(cluster: Cluster) -> None:
    """A framework may end an action; it ends at once, with a message, and the next one can begin."""
    cluster.with_resource()
    running = _restore_stopped_while_it_looks(cluster)
    running.send_signal(signal.SIGTERM)
    go_on(running)
    done = finished(running)
    assert done.status == 1
    assert "SIGTERM" in done.stderr
    assert cluster.act("node2", "restore").status == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGALRM, signal.SIGINT])
def test_quick_check_ended_by_a_signal_is_0(cluster: Cluster, number: signal.Signals) -> None:
    """A signal is no answer."""
    cluster.with_resource()
    look = cluster.sandbox.fault("silent", server="node1", operation="DescribeRouteTables")
    running = cluster.start("node1", "quickCheck", "-t", VIP_TAG, AWSCLI_READ_TIMEOUT="300")
    until(lambda: cluster.met(look))
    os.kill(running.pid, number)
    done = finished(running)
    assert done.status == 0
    assert "stopped by signal" in done.stderr  # and not by its deadline
