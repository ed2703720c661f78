"""A virtual IP run as Pacemaker runs it: real scripts as processes, on the sandbox."""

from __future__ import annotations

import json
import signal
import time

import pytest

from ..actions.cluster import Cluster, given_time, until
from .resource import (
    ERR_ARGS,
    ERR_CONFIGURED,
    ERR_GENERIC,
    ERR_INSTALLED,
    ERR_UNIMPLEMENTED,
    LONG,
    NOT_RUNNING,
    SUCCESS,
    VIP,
    OcfResource,
    VirtualIp,
    brief,
    ended,
    kill,
)

HERE = ["node2"] * 3


@pytest.fixture
def running(vip: VirtualIp) -> VirtualIp:
    """The virtual IP, started on node2."""
    vip.started("node2")
    return vip


def steal(vip: VirtualIp, eni: str | None = None) -> None:
    """An outside hand points every table at node1, or at another ENI."""
    for table in vip.cluster.tables:
        vip.cluster.point(table, eni or vip.cluster.eni("node1"))


# -- start and stop --------------------------------------------------------------------------------------------


def test_start_puts_the_address_on_and_then_moves_every_route(vip: VirtualIp) -> None:
    """Whoever follows the route finds the address there; nothing else changes in AWS."""
    others = vip.cluster.others()
    done = vip.start("node2")
    assert done.status == SUCCESS, done.stderr
    assert vip.is_on("node2")
    assert vip.cluster.holders() == HERE
    assert vip.cluster.others() == others
    log = vip.cluster.log("node2")
    assert log.index("eth1: 10.1.0.10 put on") < log.index("moved from")


def test_start_lets_a_witness_send_packets_to_the_address(vip: VirtualIp) -> None:
    """Pacemaker's definition names no other server, so EC2_PROBE_FROM does; start does not wait for it."""
    go = vip.cluster.sandbox.folder / "go"
    command = vip.cluster.sandbox.folder / "try"
    command.write_text(f'#!/bin/sh\nwhile ! [ -e "{go}" ]; do sleep 0.1; done\n')
    command.chmod(0o755)
    settings = {"EC2_PROBE": f"command:{command}", "EC2_PROBE_FROM": "node1", "EC2_PROBE_TIMEOUT": "60"}
    done = vip.start("node2", **settings)
    assert done.status == SUCCESS, done.stderr
    assert "probe" not in vip.cluster.log("node2")
    go.touch()
    until(lambda: ":620464:" in vip.cluster.log("node2"))
    assert "INFO:ec2kit:probe:vip:620460:packets" in vip.cluster.log("node2")


def test_start_twice_changes_nothing_the_second_time(running: VirtualIp) -> None:
    """A start of what runs is a success without a write."""
    before = running.cluster.writes("node2")
    assert running.start("node2").status == SUCCESS
    assert running.cluster.writes("node2") == before


def test_start_that_fails_takes_the_address_off_again(vip: VirtualIp) -> None:
    """No server keeps an address that nobody can reach there."""
    vip.cluster.sandbox.fault("deny", operation="ReplaceRoute")
    done = vip.start("node2")
    assert done.status == ERR_GENERIC
    assert "ocf-exit-reason:" in done.stderr
    assert not vip.is_on("node2")
    assert vip.probe("node2").status == NOT_RUNNING


def test_start_that_fails_leaves_an_address_that_was_there_before(running: VirtualIp) -> None:
    """An idle hand that starts what runs, while EC2 is silent, does no harm."""
    running.cluster.sandbox.fault("refuse", server="node2")
    assert running.run("node2", "start", {"timeout": brief(5)}).status == ERR_GENERIC
    assert running.is_on("node2")


def test_start_killed_at_its_worst_is_stopped_clean(vip: VirtualIp) -> None:
    """A start that was killed between address and route is seen by monitor, and stop cleans up."""
    vip.cluster.sandbox.fault("silent", operation="ReplaceRoute")
    process = vip.begin("node2", "start", {"timeout": LONG})
    until(lambda: vip.is_on("node2"))
    kill(process)
    vip.cluster.sandbox.clear()
    until(lambda: vip.stop("node2").status == SUCCESS)
    assert not vip.is_on("node2")
    assert vip.probe("node2").status == NOT_RUNNING


def test_stop_takes_the_address_off_and_leaves_the_routes_to_the_next_start(running: VirtualIp) -> None:
    """The next server's start moves the routes; until then they are as they were."""
    assert running.stop("node2").status == SUCCESS
    assert not running.is_on("node2")
    assert running.cluster.holders() == HERE
    assert running.probe("node2").status == NOT_RUNNING


def test_stop_needs_neither_ec2_nor_imds(running: VirtualIp) -> None:
    """What blocks AWS does not block a stop, and so fences nobody."""
    running.cluster.sandbox.fault("silent", server="node2")
    running.cluster.sandbox.fault("silent", server="node2", service="imds")
    done = given_time(
        lambda seconds: running.run("node2", "stop", {"timeout": round(seconds * 1000)}),
        lambda done: not running.is_on("node2"),
        seconds=4,
    )
    assert (done.status, running.is_on("node2")) == (SUCCESS, False)


def test_stop_of_what_never_ran_is_a_success(vip: VirtualIp) -> None:
    """Pacemaker stops before it starts elsewhere, whether or not anything runs."""
    assert vip.stop("node1").status == SUCCESS


def test_stop_whose_address_cannot_be_taken_off_fails(running: VirtualIp) -> None:
    """Two servers with one address are worse than a fenced one."""
    ip = running.cluster.sandbox.folder / "node2" / "bin" / "ip"
    text = ip.read_text()
    ip.write_text(text.replace("#!/bin/sh", '#!/bin/sh\ncase "$*" in *del*) echo stuck >&2; exit 2 ;; esac', 1))
    done = running.stop("node2")
    assert done.status == ERR_GENERIC
    assert "may still be there" in done.stderr


def test_stop_cancels_a_start_that_is_still_at_it(vip: VirtualIp) -> None:
    """Whoever was told to stop last does not find the address on again."""
    vip.cluster.sandbox.fault("throttle", operation="ReplaceRoute")
    process = vip.begin("node2", "start", {"timeout": LONG})
    until(lambda: vip.is_on("node2"))
    assert vip.stop("node2").status == SUCCESS
    assert ended(process).status == ERR_GENERIC
    assert not vip.is_on("node2")
    assert vip.cluster.holders() == ["node1"] * 3


def test_move_from_one_server_to_the_other(running: VirtualIp) -> None:
    """Stop here, start there: one server has the address, and every route."""
    assert running.stop("node2").status == SUCCESS
    assert running.start("node1").status == SUCCESS
    assert (running.is_on("node1"), running.is_on("node2")) == (True, False)
    assert running.cluster.holders() == ["node1"] * 3
    assert (running.monitor("node1").status, running.monitor("node2").status) == (SUCCESS, NOT_RUNNING)


# -- monitor -----------------------------------------------------------------------------------------------------


def test_monitor_where_it_does_not_run_asks_nobody(vip: VirtualIp) -> None:
    """A server without the address answers at once, although the routes still point at it."""
    assert vip.monitor("node1").status == NOT_RUNNING
    assert vip.probe("node1").status == NOT_RUNNING
    assert vip.calls("node1") == []


def test_monitor_of_what_runs_is_a_success_with_one_call(running: VirtualIp) -> None:
    """One look at EC2, and the metadata service only once a boot."""
    before, asked = len(running.calls("node2")), len(running.imds_calls("node2"))
    assert running.monitor("node2").status == SUCCESS
    assert running.calls("node2")[before:] == ["DescribeRouteTables"]
    assert all("/iam/" in path or "/api/" in path for path in running.imds_calls("node2")[asked:])  # credentials


def test_monitor_says_little_to_pacemaker(running: VirtualIp) -> None:
    """A check that went well leaves no line in Pacemaker's own log."""
    assert running.monitor("node2").stderr == ""


@pytest.mark.parametrize("operation", ["monitor", "probe"])
def test_monitor_of_an_address_whose_route_is_elsewhere_fails(running: VirtualIp, operation: str) -> None:
    """AWS answered, twice, that the address is elsewhere: Pacemaker decides, for a probe too."""
    steal(running)
    done = getattr(running, operation)("node2")
    assert done.status == ERR_GENERIC
    assert "ocf-exit-reason:10.1.0.10/32 points at" in done.stderr
    assert running.cluster.holders() == ["node1"] * 3


def test_monitor_looks_at_its_own_interface_only(vip: VirtualIp) -> None:
    """The address on another interface is not this resource."""
    vip.put_on("node2", "eth0")
    assert vip.monitor("node2").status == NOT_RUNNING


def test_monitor_without_ip_goes_by_the_marker(running: VirtualIp) -> None:
    """A command that cannot be run is no evidence against what start wrote down."""
    (running.cluster.sandbox.folder / "node2" / "bin" / "ip").write_text("#!/bin/sh\nexit 1\n")
    assert running.monitor("node2").status == SUCCESS
    assert running.monitor("node1").status == NOT_RUNNING


def test_monitor_while_a_start_is_at_it_is_busy(vip: VirtualIp) -> None:
    """A check never calls dead what is just coming up."""
    vip.cluster.sandbox.fault("throttle", operation="ReplaceRoute")
    process = vip.begin("node2", "start", {"timeout": LONG})
    until(lambda: vip.is_on("node2"))
    assert vip.monitor("node2").status == SUCCESS
    vip.cluster.sandbox.clear()
    assert ended(process).status == SUCCESS


# -- repair ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("thief", ["node1", "stranger"])
def test_monitor_that_may_repair_takes_the_address_back(running: VirtualIp, thief: str) -> None:
    """An outside hand is put right without moving or restarting anything."""
    steal(
        running, running.cluster.sandbox.description["foreign_network_interface_id"] if thief == "stranger" else None
    )
    done = running.given(repair_in_monitor="true").monitor("node2")
    assert done.status == SUCCESS, done.stderr
    assert running.cluster.holders() == HERE
    assert "in service here again" in running.cluster.log("node2")


def test_monitor_that_cannot_repair_fails_with_both_reasons(running: VirtualIp) -> None:
    """Where taking it back is not possible, Pacemaker learns what is wrong and why it stays so."""
    steal(running)
    running.cluster.sandbox.fault("deny", operation="ReplaceRoute")
    done = running.given(repair_in_monitor="true").monitor("node2")
    assert done.status == ERR_GENERIC
    assert "points at" in done.stderr
    assert "not repaired" in done.stderr


def test_probe_never_repairs(running: VirtualIp) -> None:
    """A probe looks and changes nothing."""
    steal(running)
    assert running.given(repair_in_monitor="true").probe("node2").status == ERR_GENERIC
    assert running.cluster.holders() == ["node1"] * 3


def test_monitor_of_a_server_that_was_asleep_does_not_take_the_address_back(running: VirtualIp) -> None:
    """A server that was paused may have been replaced meanwhile: no monitor after that takes the route."""
    path = running.cluster.path("node2", "EC2KIT_RUN_DIR") / "vip.memory.json"
    content = json.loads(path.read_text())
    path.write_text(
        json.dumps({**content, "in_service_at": time.clock_gettime(time.CLOCK_BOOTTIME) - 20})
    )  # the interval is 10 s
    steal(running)
    running.given(repair_in_monitor="true")
    for _ in range(2):
        assert running.monitor("node2").status == ERR_GENERIC
        assert running.cluster.holders() == ["node1"] * 3
    assert running.cluster.log("node2").count("not taken back") == 2


@pytest.mark.parametrize(
    "mistake",
    [{"repair_in_monitor": "ture"}, {"routing_table": "rtb"}, {"iflabel": "much-too-long-a-label"}],
    ids=lambda mistake: next(iter(mistake)),
)
def test_stop_in_spite_of_a_mistake_that_does_not_matter_to_it(running: VirtualIp, mistake: dict[str, str]) -> None:
    """Made while it ran: a stop that fails would get the server fenced. The mistake is told."""
    done = running.given(**mistake).stop("node2")
    assert done.status == SUCCESS, done.stderr
    assert not running.is_on("node2")
    assert next(iter(mistake)) in running.cluster.log("node2")


def test_address_that_a_probe_finds_running_counts_as_started_here(vip: VirtualIp) -> None:
    """As right after a change from another agent: what start would have written down is written down."""
    vip.put_on("node2")
    steal(vip, vip.cluster.eni("node2"))
    assert vip.probe("node2").status == SUCCESS
    assert vip.marker("node2").exists()
    assert "runs here without a start" in vip.cluster.log("node2")
    steal(vip)
    vip.given(repair_in_monitor="true")
    assert vip.monitor("node2", EC2_SNAPSHOT_MAX_AGE="0").status == SUCCESS
    assert vip.cluster.holders() == HERE
    assert vip.cluster.log("node2").count("runs here without a start") == 1


def test_address_that_is_here_and_elsewhere_in_aws_is_not_taken_for_started(vip: VirtualIp) -> None:
    """A leftover on the interface is a failure, which the cluster clears up."""
    vip.put_on("node2")
    assert vip.probe("node2").status == ERR_GENERIC
    assert not vip.marker("node2").exists()


def test_monitor_stopped_in_the_middle_of_a_repair_writes_nothing_late(running: VirtualIp) -> None:
    """A monitor that sleeps past its time sends nothing when it wakes."""
    steal(running)
    look = running.cluster.sandbox.fault("silent", operation="DescribeRouteTables")
    running.given(repair_in_monitor="true")
    process, seconds = running.begun_until(lambda: running.cluster.met(look), "node2", "monitor", seconds=6)
    kill(process, signal.SIGSTOP)
    running.cluster.sandbox.clear(look)
    time.sleep(seconds - 1)
    kill(process, signal.SIGCONT)
    ended(process)
    assert running.cluster.holders() == ["node1"] * 3


# -- readiness of a standby ----------------------------------------------------------------------------------------


def test_stand_by_with_everything_in_order_is_not_running_without_a_warning(running: VirtualIp) -> None:
    """A standby that could take over says nothing, and changes nothing."""
    done = running.stand_by("node1")
    assert done.status == NOT_RUNNING
    assert "WARN" not in done.stderr
    assert "ReplaceRoute" in running.calls("node1")  # whether it is allowed to, by DryRun
    assert running.cluster.holders() == HERE


@pytest.mark.parametrize(
    ("fault", "finding"),
    [
        pytest.param({"effect": "refuse"}, "ec2 endpoint", id="endpoint"),
        pytest.param({"effect": "no-role", "service": "imds"}, "no credentials", id="credentials"),
        pytest.param({"effect": "deny", "operation": "ReplaceRoute"}, "permission ec2:ReplaceRoute", id="permission"),
        pytest.param({"effect": "refuse", "service": "imds"}, "instance metadata", id="imds"),
    ],
)
def test_stand_by_that_could_not_take_over_warns_and_is_not_running(
    running: VirtualIp, fault: dict[str, str], finding: str
) -> None:
    """What would make the next failover fail is known before it, and is no failure of the resource."""
    running.cluster.sandbox.fault(server="node1", **fault)  # type: ignore[arg-type]
    done = running.stand_by("node1")
    assert done.status == NOT_RUNNING
    assert finding in done.stderr
    assert "WARN: this server stands by" in done.stderr
    assert "ERROR" not in done.stderr


def test_stand_by_with_the_source_destination_check_on_warns(running: VirtualIp) -> None:
    """EC2 would drop every packet after the failover."""
    eni = running.cluster.eni("node1")
    running.cluster.aws.modify_network_interface_attribute(NetworkInterfaceId=eni, SourceDestCheck={"Value": True})
    done = running.stand_by("node1")
    assert done.status == NOT_RUNNING
    assert "source/destination check" in done.stderr


def test_stand_by_of_what_runs_here_is_a_success(running: VirtualIp) -> None:
    """A resource that runs where it should not is seen, so that Pacemaker stops it."""
    assert running.stand_by("node2").status == SUCCESS


# -- parameters ----------------------------------------------------------------------------------------------------


def test_routing_table_restricts_to_the_listed_tables(vip: VirtualIp) -> None:
    """Tables that are not listed are neither moved nor looked at."""
    first, second, third = vip.cluster.tables
    vip.given(routing_table=f"{first},{third}")
    assert vip.start("node2").status == SUCCESS
    routes = {table: vip.cluster.server_of(vip.cluster.routes()[table, f"{VIP}/32"]) for table in vip.cluster.tables}
    assert routes == {first: "node2", second: "node1", third: "node2"}
    assert vip.monitor("node2").status == SUCCESS


def test_routing_table_that_lacks_the_route_fails_and_the_others_are_moved(vip: VirtualIp) -> None:
    """A table that was listed by mistake is named; the address works where it can."""
    first = vip.cluster.tables[0]
    done = vip.given(routing_table=f"{first},rtb-0123456789abcdef0").start("node2")
    assert done.status == ERR_GENERIC
    assert "rtb-0123456789abcdef0" in done.stderr
    assert vip.cluster.routes()[first, f"{VIP}/32"] == vip.cluster.eni("node2")


def test_address_is_the_old_name_of_ip(vip: VirtualIp) -> None:
    """A configuration of old age still works."""
    vip.without("ip").given(address=VIP)
    assert vip.start("node2").status == SUCCESS
    assert vip.is_on("node2")


def test_alias_with_the_rival_s_whole_configuration_works_and_tells_once(vip: VirtualIp) -> None:
    """The switch from ocf:heartbeat:aws-vpc-move-ip is a change of one word."""
    vip.agent = "aws-vpc-move-ip"
    vip.given(
        routing_table=",".join(vip.cluster.tables),
        region="us-east-1",
        profile="default",
        awscli="/usr/bin/aws",
        auth_type="role",
        monapi="true",
        lookup_type="NetworkInterfaceId",
        curl_retries="4",
        curl_sleep="3",
        awscli_timeout="10",
    )
    assert vip.run("node2", "validate-all").status == SUCCESS
    done = vip.start("node2")
    assert done.status == SUCCESS, done.stderr
    assert done.stderr.count("without meaning") == 1
    assert vip.cluster.holders() == HERE
    assert vip.monitor("node2").status == SUCCESS
    assert vip.stop("node2").status == SUCCESS


def test_iflabel_is_handed_to_ip(vip: VirtualIp) -> None:
    """Old tools show the label."""
    vip.given(iflabel="vip")
    ip = vip.cluster.sandbox.folder / "node2" / "bin" / "ip"
    text = ip.read_text()
    ip.write_text(text.replace("#!/bin/sh", '#!/bin/sh\necho "$*" >> "$(dirname "$0")/words"', 1))
    assert vip.start("node2").status == SUCCESS
    assert "addr add 10.1.0.10/32 dev eth1 label eth1:vip" in ip.with_name("words").read_text()


def test_region_of_the_parameter_goes_before_that_of_the_instance(vip: VirtualIp) -> None:
    """The request is signed for the region that was given; the sandbox serves another one."""
    assert "not 'eu-west-1'" in vip.given(region="eu-west-1").start("node2").stderr


def test_profile_that_does_not_exist_fails_start_and_never_monitor(running: VirtualIp) -> None:
    """A configuration that the SDK refuses is trouble, and trouble is no verdict."""
    running.given(profile="nobody")
    assert running.monitor("node2").status == SUCCESS
    done = running.run("node1", "start", {"timeout": LONG})
    assert done.status == ERR_GENERIC
    assert "nobody" in done.stderr


def test_manage_address_off_leaves_the_interface_alone(vip: VirtualIp) -> None:
    """IPaddr2 puts the address on; this resource runs where its marker is."""
    vip.given(manage_address="false")
    assert vip.probe("node2").status == NOT_RUNNING
    assert vip.start("node2").status == SUCCESS
    assert not vip.is_on("node2")
    assert vip.marker("node2").exists()
    assert vip.monitor("node2").status == SUCCESS
    vip.put_on("node1")
    assert vip.monitor("node1").status == NOT_RUNNING
    assert vip.stop("node2").status == SUCCESS
    assert vip.probe("node2").status == NOT_RUNNING


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        pytest.param({"ip": ""}, "ip", id="no-address"),
        pytest.param({"routing_table_role": "arn:aws:iam::1:role/x"}, "routing_table_role", id="role"),
        pytest.param({"routing_table": "main"}, "routing_table", id="no-table"),
    ],
)
@pytest.mark.parametrize("operation", ["validate-all", "start", "monitor", "reload-agent"])
def test_parameter_that_cannot_be_honoured_is_a_configuration_error(
    vip: VirtualIp, operation: str, parameters: dict[str, str], name: str
) -> None:
    """What cannot be right on any server is said so, with the parameter's name; nothing is asked or written."""
    done = vip.given(**parameters).run("node2", operation)
    assert done.status == ERR_CONFIGURED
    assert f"ocf-exit-reason:{name}: " in done.stderr
    assert vip.calls("node2") == []


def test_stop_of_a_misconfigured_resource_is_a_success_unless_it_runs(running: VirtualIp) -> None:
    """What never started is stopped; what did is not said to be."""
    running.given(ip="nonsense")
    assert running.stop("node1").status == SUCCESS
    assert running.stop("node2").status == ERR_GENERIC


def test_device_that_is_not_there_is_an_error_of_this_server(vip: VirtualIp) -> None:
    """Another server may have it."""
    assert vip.given(interface="eth7").start("node2").status == ERR_INSTALLED
    assert vip.probe("node2").status == NOT_RUNNING
    assert vip.stop("node2").status == SUCCESS


# -- other operations ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "status"),
    [
        pytest.param("validate-all", SUCCESS, id="validate-all"),
        pytest.param("reload-agent", SUCCESS, id="reload-agent"),
        pytest.param("usage", SUCCESS, id="usage"),
        pytest.param("promote", ERR_UNIMPLEMENTED, id="promote"),
        pytest.param("notify", ERR_UNIMPLEMENTED, id="notify"),
        pytest.param("migrate_to", NOT_RUNNING, id="migrate"),
        pytest.param("validate", SUCCESS, id="validate"),
        pytest.param("reload", SUCCESS, id="reload"),
        pytest.param("", ERR_ARGS, id="none"),
    ],
)
def test_operation_that_changes_nothing_ends_as_ocf_wants(vip: VirtualIp, operation: str, status: int) -> None:
    """What is not there is not implemented, which is no failure; what does not run is not handed over."""
    assert vip.run("node2", operation).status == status
    assert vip.calls("node2") == []


@pytest.mark.parametrize(
    ("operation", "status"),
    [
        pytest.param("validate-all", SUCCESS, id="validate-all"),
        pytest.param("start", ERR_CONFIGURED, id="start"),
        pytest.param("monitor", ERR_CONFIGURED, id="monitor"),
    ],
)
def test_parameters_are_validated_before_there_is_a_resource(vip: VirtualIp, operation: str, status: int) -> None:
    """Tools ask so, without a resource's name; nothing else goes without one."""
    vip.name = ""
    done = vip.run("node2", operation)
    assert done.status == status
    assert bool(done.stderr) is (status != SUCCESS)  # pcs shows as a warning what is said of a success
    vip.given(ip="nonsense")
    assert vip.run("node2", "validate-all").status == ERR_CONFIGURED


def test_parameter_that_is_misspelt_is_warned_of(vip: VirtualIp) -> None:
    """A list of tables under a wrong name would move all of them."""
    done = vip.given(routing_tables="rtb-1").run("node2", "validate-all")
    assert done.status == SUCCESS
    assert "routing_tables: no parameter of ocf:ec2kit:route-table" in done.stderr


def test_monitors_of_several_resources_share_one_answer(vip: VirtualIp) -> None:
    """The monitor that asks, asks for all that runs here; what was stopped is not asked for."""
    cluster, second = (
        vip.cluster,
        OcfResource(vip.cluster, "route-table", "vip2", {"ip": "10.1.0.20", "interface": "eth1"}),
    )
    for each in (vip, second):
        assert each.start("node2").status == SUCCESS
    before = cluster.asked("node2", "DescribeRouteTables")
    for each in (vip, second) * 4:
        assert each.monitor("node2", EC2_SNAPSHOT_MAX_AGE="600").status == SUCCESS
    assert cluster.asked("node2", "DescribeRouteTables") == before + 1


def test_several_resources_started_at_once_all_run(cluster: Cluster) -> None:
    """A group's members, and several groups, do not get into one another's way."""
    addresses = [VIP, *cluster.sandbox.description["neighbours"]]
    resources = [OcfResource(cluster, "route-table", f"vip-{each}", {"ip": each}) for each in addresses]
    processes = [each.begin("node2", "start", {"timeout": LONG}) for each in resources]
    done = [ended(process) for process in processes]
    assert [each.status for each in done] == [SUCCESS] * 4, [each.stderr for each in done]
    assert [each.monitor("node2").status for each in resources] == [SUCCESS] * 4
    assert [each.stop("node2").status for each in resources] == [SUCCESS] * 4


# -- several addresses, and destinations that are none ---------------------------------------------------------


def test_several_addresses_are_put_on_moved_and_taken_off_together(vip: VirtualIp) -> None:
    """IPv4 and IPv6 in one resource: all are there or it does not run here, and stop leaves none."""
    cluster, second, third = vip.cluster, "10.1.0.20", "2001:db8:9::1"
    block = {"RouteTableId": cluster.tables[0], "DestinationIpv6CidrBlock": f"{third}/128"}
    cluster.aws.create_route(**block, NetworkInterfaceId=cluster.eni("node1"))
    both = vip.given(ip=f"{VIP} {second} {third}")
    file = cluster.path("node2", "EC2KIT_NET_DIR") / "eth1" / "addresses"
    done = both.start("node2")
    assert done.status == SUCCESS, done.stderr
    assert {f"{VIP}/32", f"{second}/32", f"{third}/128"} <= {*file.read_text().split()}
    routes = cluster.routes()
    assert {cluster.server_of(routes[cluster.tables[0], f"{each}/{length}"]) for each, length in (
        (VIP, 32), (second, 32), (third, 128)
    )} == {"node2"}  # fmt: skip
    assert both.monitor("node2").status == SUCCESS
    file.write_text(file.read_text().replace(f"{second}/32\n", ""))
    assert both.probe("node2").status == NOT_RUNNING
    done = both.monitor("node2")
    assert (done.status, f"eth1: {second} was taken off" in done.stderr) == (SUCCESS, True)
    assert both.stop("node2").status == SUCCESS
    assert not {f"{VIP}/32", f"{second}/32", f"{third}/128"} & {*file.read_text().split()}


def test_default_route_of_chosen_tables_runs_without_an_address(vip: VirtualIp) -> None:
    """A NAT pair: the route moves, no device is touched, and a probe knows by the marker where it runs."""
    cluster, table = vip.cluster, vip.cluster.tables[2]
    default = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0"}
    cluster.aws.create_route(**default, NetworkInterfaceId=cluster.eni("node1"))
    nat = vip.given(ip="0.0.0.0/0", routing_table=table)
    file = cluster.path("node2", "EC2KIT_NET_DIR") / "eth1" / "addresses"
    before = file.read_text()
    assert nat.probe("node2").status == NOT_RUNNING
    done = nat.start("node2")
    assert done.status == SUCCESS, done.stderr
    assert cluster.server_of(cluster.routes()[table, "0.0.0.0/0"]) == "node2"
    assert file.read_text() == before
    assert [nat.monitor("node2").status, nat.probe("node1").status] == [SUCCESS, NOT_RUNNING]
    assert nat.stop("node2").status == SUCCESS
    assert nat.probe("node2").status == NOT_RUNNING


# -- tables of another account -----------------------------------------------------------------------------------


def shared_vpc(cluster: Cluster) -> OcfResource:
    """
    The resource of the recipe; the route tables are the other account's from now on.

    Source: SAP ASE on AWS, "Shared VPC cluster resources".
    """
    cluster.sandbox.fault("other-account", account="210987654321")
    return VirtualIp(cluster, "aws-vpc-move-ip").given(
        routing_table=",".join(cluster.tables[:2]),
        lookup_type="NetworkInterfaceId",
        routing_table_role="arn:aws:iam::210987654321:role/sharing-vpc-account-cluster-role",
    )


def test_recipe_of_aws_for_a_shared_vpc_runs_word_for_word(cluster: Cluster) -> None:
    """The words of AWS's SAP guides, with another provider's name: started, monitored and stopped."""
    vip, tables = shared_vpc(cluster), cluster.tables[:2]
    done = vip.start("node2")
    assert done.status == SUCCESS, done.stderr
    routes = cluster.routes()
    assert {cluster.server_of(routes[each, f"{VIP}/32"]) for each in tables} == {"node2"}
    assert vip.monitor("node2").status == SUCCESS
    assert vip.stop("node2").status == SUCCESS
    assert {each["parameters"]["RoleSessionName"] for each in cluster.sandbox.sts_calls()} == {"vip@node2"}


def test_standby_tries_the_role_and_says_if_it_may_not_assume_it(cluster: Cluster) -> None:
    """The permissions are those of the role; a standby that cannot have it says so before it has to."""
    vip = shared_vpc(cluster)
    assert vip.stand_by("node1").status == NOT_RUNNING
    assert not [word for word in ("permission", "ec2 endpoint") if word in cluster.log("node1")]
    cluster.sandbox.fault("deny", service="sts", server="node1")
    assert vip.stand_by("node1").status == NOT_RUNNING
    assert f"assume the role {vip.parameters['routing_table_role']}" in cluster.log("node1")


def test_standby_whose_own_way_to_ec2_would_be_moved_warns(vip: VirtualIp) -> None:
    """A standby that could not call EC2 after the failover says so before it is needed."""
    cluster = vip.cluster
    subnet = cluster.sandbox.description["nodes"]["node2"]["interfaces"]["eth0"]["subnet_id"]
    filters = [{"Name": "association.subnet-id", "Values": [subnet]}]
    (public,) = cluster.aws.describe_route_tables(Filters=filters)["RouteTables"]
    nat = vip.given(ip="0.0.0.0/0", routing_table=public["RouteTableId"])
    done = nat.stand_by("node2")
    assert done.status == NOT_RUNNING
    assert "own way to ec2: only" in cluster.log("node2")
