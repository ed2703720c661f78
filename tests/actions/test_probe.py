"""Probes of the data plane, with the real scripts: after a restore, which they never hold up, and on demand."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from ec2kit.actions import after_restore
from ec2kit.messages import catalogue
from ec2kit.state.intention import Direction, Intention

from ..builders import Desk
from ..cli.test_cli import ec2kit, envelope
from ..one_sandbox import OneSandbox
from ..resolver import needs_root
from .cluster import DNS_TAG, EIP_TAG, VIP_TAG, Cluster, Done, until
from .test_faults import full_disk

MILLISECONDS = re.compile(r"in [0-9.]+ ms")


@pytest.fixture
def cluster(one_sandbox: OneSandbox) -> Cluster:
    cluster = Cluster(one_sandbox, {"EC2_PROBE_TIMEOUT": "60"}, size=3)
    cluster.clean()
    return cluster


def a_command(cluster: Cluster, script: str = "exit 0") -> str:
    """Write the command that all servers run; return EC2_PROBE."""
    path = cluster.sandbox.folder / "node1" / "bin" / "try it"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return f"command:{path}"


def probe(cluster: Cluster, server: str, way: str, *words: str, tag: str = VIP_TAG, **settings: str) -> Done:
    return ec2kit(cluster, server, "probe", tag, *words, EC2_PROBE=way, **settings)


def note(cluster: Cluster, server: str) -> Path:
    return cluster.path(server, "EC2KIT_RUN_DIR") / f"{VIP_TAG}.probe.json"


def heard(cluster: Cluster, server: str) -> dict[str, str]:
    """Server → outcome, by the note."""
    servers: dict[str, dict[str, Any]] = json.loads(note(cluster, server).read_text())["servers"]
    return {name: each["outcome"] for name, each in servers.items()}


# -- metrics -------------------------------------------------------------------------------------------------------

SAMPLE = re.compile(r'(ec2kit_[a-z_]+)\{tag="ec2-vip1"(?:,[a-z]+="([^"]*)")?\} ([0-9.e+-]+)')


def samples(text: str) -> dict[tuple[str, str], float]:
    """Metric and value of its second label → value; each metric has its help and type before it."""
    found, known = {}, set[str]()
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            known.add(line.split()[2])
        elif not line.startswith("# HELP "):
            sample = SAMPLE.fullmatch(line)
            assert sample is not None, line
            assert sample[1] in known
            found[sample[1].removeprefix("ec2kit_probe_"), sample[2] or ""] = float(sample[3])
    return found


def test_probe_writes_its_metrics_where_node_exporter_reads_them(cluster: Cluster, tmp_path: Path) -> None:
    """Also after a restore; others can read the file, and delete removes it."""
    cluster.with_resource(servers=3)
    cluster.sandbox.folder.joinpath("node3", "unreachable").touch()
    folder = {"EC2_METRICS_DIR": str(tmp_path)}
    assert cluster.act("node2", "restore", EC2_PROBE=a_command(cluster), **folder).status == 0
    file = tmp_path / f"ec2kit-probe-{VIP_TAG}.prom"
    until(file.exists)
    assert file.stat().st_mode & 0o777 == 0o644
    found = samples(file.read_text())
    assert found["success", "node1"] == 1
    assert ("success", "node3") not in found
    assert 0 < found["duration_seconds", "node1"] < found["timestamp_seconds", ""]
    assert (found["servers", "reached"], found["servers", "could not be asked"]) == (1, 1)
    assert found["effective_seconds", ""] >= 0
    cluster.sandbox.folder.joinpath("node3", "unreachable").unlink()
    assert cluster.act("node2", "remove").status == 0
    assert cluster.run("node2", "delete", "-t", VIP_TAG, **folder).status == 0
    assert list(tmp_path.iterdir()) == []


def test_probe_without_a_folder_for_its_metrics_says_so_and_ends_the_same(cluster: Cluster, tmp_path: Path) -> None:
    """A folder that any user can write is not used, either."""
    cluster.with_resource()
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    for name, reason in (("none", "no such folder"), ("open", "others can write the folder")):
        done = probe(cluster, "node1", a_command(cluster), EC2_METRICS_DIR=str(tmp_path / name))
        assert done.status == 0, done.stderr
        assert ":620489:" in cluster.log("node1")
        assert reason in done.stderr
    assert list((tmp_path / "open").iterdir()) == []


# -- on demand -------------------------------------------------------------------------------------------------------


def test_probe_that_is_answered_says_by_whom_and_how_fast(cluster: Cluster) -> None:
    """From all servers but the one that has the address, wherever it is typed; status and log have it, too."""
    cluster.with_resource(servers=3)
    way = a_command(cluster)
    done = probe(cluster, "node2", way)
    assert done.status == 0, done.stderr
    lines = MILLISECONDS.sub("in N ms", done.stdout).splitlines()
    assert lines[0] == f"ec2-vip1  10.1.0.10  by {way}"
    assert lines[1].startswith("  AWS  OUT_OF_SERVICE here, it is on node1: 10.1.0.10/32 points at ")
    assert lines[2:] == ["  node2  reached in N ms", "  node3  reached in N ms"]
    assert f"INFO:ec2kit:probe:{VIP_TAG}:620460:packets ({way}) to 10.1.0.10 are answered" in cluster.log("node2")
    shown = ec2kit(cluster, "node2", "status", VIP_TAG).stdout
    assert re.search(rf"\n  probe     \d+ s ago, by {way}: node2 reached in [0-9.]+ ms; node3 reached", shown)


def test_probe_as_json_has_the_servers_and_the_result(cluster: Cluster) -> None:
    """For a program; status has the same."""
    cluster.with_resource()
    told = envelope(probe(cluster, "node1", a_command(cluster), "--json"))
    assert (told["result"], told["status"], told["holder"]) == ("reached", "IN_SERVICE", "node1")
    assert told["packets_to"] == ["10.1.0.10"]
    assert {name: each["outcome"] for name, each in told["servers"].items()} == {"node2": "reached"}
    (shown,) = envelope(ec2kit(cluster, "node1", "status", VIP_TAG, "--json"))["resources"]
    assert shown["probe"]["servers"] == told["servers"]


def test_probe_that_is_not_answered_is_a_warning_with_places_to_look_at(cluster: Cluster) -> None:
    """EC2 says here, and packets do not arrive; the next check says what EC2 says, all the same."""
    cluster.with_resource()
    done = probe(cluster, "node1", a_command(cluster, "exit 1"), EC2_PROBE_TIMEOUT="4")
    assert done.status == 1, done.stderr
    assert "  node2  no answer within 4 s\n  look at: 10.1.0.10 is on no device here\n" in done.stdout
    line = next(each for each in cluster.log("node1").splitlines() if ":620461:" in each)
    assert "WARN" in line
    assert "AWS says IN_SERVICE here, and packets" in line
    assert "source/destination check" in line
    assert cluster.act("node1", "quickCheck").status == 0


@pytest.mark.parametrize(
    ("script", "says"),
    [
        pytest.param("echo broken >&2; exit 7", "could not try: .* exit status 7, neither 0 nor 1: broken", id="7"),
        pytest.param("exec sleep 600", "could not try: .* no end within 2 s", id="hangs"),
    ],
)
def test_probe_whose_command_is_rubbish_is_not_known(cluster: Cluster, script: str, says: str) -> None:
    """Neither yes nor no, and a warning that names the command."""
    cluster.with_resource()
    patience = "2" if "sleep" in script else "60"
    done = probe(cluster, "node1", a_command(cluster, script), EC2_PROBE_TIMEOUT=patience)
    assert done.status == 3, done.stdout
    assert re.search(f"  node2  {says}", done.stdout)
    assert ":620462:" in cluster.log("node1")


def test_probe_of_a_server_that_is_silent_is_not_known(cluster: Cluster) -> None:
    """The server that failed cannot say whether packets arrive; that is no warning."""
    cluster.with_resource(servers=3)
    cluster.cut_off("node2")
    done = probe(cluster, "node1", a_command(cluster))
    assert done.status == 3, done.stdout
    assert "  node2  could not be asked: ssh: connect to host node2 port 22: Connection timed out\n" in done.stdout
    assert "  node3  reached in" in done.stdout
    assert "WARN" not in cluster.log("node1")


def test_probe_of_a_witness_that_has_no_resource(cluster: Cluster) -> None:
    """EC2_PROBE_FROM names any servers that the way between servers reaches."""
    cluster.with_resource()
    done = probe(cluster, "node1", a_command(cluster), EC2_PROBE_FROM="node3, node1")
    assert done.status == 0, done.stdout
    assert [line.split()[0] for line in done.stdout.splitlines()[2:]] == ["node3"]


def test_probe_runs_no_command_that_the_asked_server_does_not_name(cluster: Cluster) -> None:
    """Another server can let this one send packets, and run nothing else."""
    way = a_command(cluster, f': >"{cluster.sandbox.folder}/ran"')
    words = ("peer", "probe", VIP_TAG, way, "5", "10.1.0.10")
    told = json.loads(ec2kit(cluster, "node3", *words, EC2_PROBE="command:/bin/true").stdout)
    assert (told["outcome"], told["detail"]) == (
        "could not try",
        "EC2_PROBE of that server does not name this command",
    )
    assert not (cluster.sandbox.folder / "ran").exists()


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("icmp", "5"), id="no address"),
        pytest.param(("icmp", "5", "-f"), id="an option"),
        pytest.param(("icmp", "5", "localhost"), id="a name"),
        pytest.param(("icmp", "600", "127.0.0.1"), id="too long"),
        pytest.param(("off", "5", "127.0.0.1"), id="off"),
        pytest.param(("udp:1", "5", "127.0.0.1"), id="another way"),
    ],
)
def test_question_of_another_form_is_refused(desk: Desk, words: tuple[str, ...]) -> None:
    """What another server says is data, and is checked as such."""
    from ec2kit.actions.probe import PEER_QUESTIONS
    from ec2kit.errors import ArgumentInvalid
    from ec2kit.peers.answer import answer

    with pytest.raises(ArgumentInvalid):
        answer(desk.action("peer"), ["probe", VIP_TAG, *words], PEER_QUESTIONS)


@pytest.mark.parametrize("address", ["10.0.11.12", "2001:db8::12"], ids=["IPv4", "IPv6"])
def test_server_that_has_the_address_on_a_device_does_not_answer_itself(cluster: Cluster, address: str) -> None:
    """A packet to its own address leaves no server."""
    if ":" in address:
        addresses = cluster.path("node2", "EC2KIT_SYSTEM_ROOT") / "proc" / "net" / "if_inet6"
        addresses.parent.mkdir(parents=True)
        addresses.write_text("20010db8000000000000000000000012 03 80 00 80     eth1\n")
    else:
        address = cluster.sandbox.description["nodes"]["node2"]["interfaces"]["eth1"]["private_ip_address"]
    told = json.loads(ec2kit(cluster, "node2", "peer", "probe", VIP_TAG, "icmp", "5", address).stdout)
    assert told["outcome"] == "has it itself"
    assert told["detail"] == f"this server itself has {address} on eth1, and would answer itself"


@contextmanager
def listening(cluster: Cluster) -> Iterator[tuple[str, socket.socket]]:
    """A resource whose virtual IP is an address of loopback, and a real listener there."""
    vip = f"127.{os.getpid() % 250}.7.9"
    for table in cluster.tables:
        cluster.aws.create_route(
            RouteTableId=table, DestinationCidrBlock=f"{vip}/32", NetworkInterfaceId=cluster.eni("node1")
        )
    words = ["-t", VIP_TAG, "--region", "us-east-1", "--type", "route-table", "--vip", vip, "--interface", "eth1"]
    for done in (cluster.run("node1", "create", *words), cluster.run("node2", "extend", "node1", VIP_TAG)):
        assert done.status == 0, done.stderr
    with socket.create_server((vip, 0)) as server:
        yield vip, server


def test_restore_with_a_real_listener_is_probed_by_tcp(cluster: Cluster) -> None:
    """From the restore on node2 to the connection that node1 makes, and to what status shows."""
    with listening(cluster) as (vip, server):
        way = f"tcp:{server.getsockname()[1]}"
        assert cluster.act("node2", "restore", EC2_PROBE=way).status == 0
        until(note(cluster, "node2").exists)
        until(lambda: ":620464:" in cluster.log("node2"))
    assert heard(cluster, "node2") == {"node1": "reached"}
    log = cluster.log("node2")
    assert re.search(rf"620460:packets \({way}\) to {vip} are answered: node1 reached in [0-9.]+ ms\n", log)
    assert re.search(rf"620464:a packet to {vip} was answered at most [0-9.]+ s after AWS had accepted", log)
    shown = ec2kit(cluster, "node2", "status", VIP_TAG).stdout
    assert re.search(r"effective at most [0-9.]+ s after AWS had accepted it\n", shown)


# -- after a restore -------------------------------------------------------------------------------------------------


def until_it_may_go_on(cluster: Cluster) -> tuple[str, Path]:
    """Return EC2_PROBE with a command that runs until a file is there, and the file."""
    go = cluster.sandbox.folder / "node1" / "run" / "go"
    return a_command(cluster, f'while ! [ -e "{go}" ]; do sleep 0.1; done'), go


def test_restore_ends_before_its_probe_and_is_overtaken_by_none(cluster: Cluster) -> None:
    """Nothing that the caller could wait for stays open: its exit status and its pipes are there at once."""
    cluster.with_resource()
    way, go = until_it_may_go_on(cluster)
    done = cluster.act("node2", "restore", EC2_PROBE=way)
    assert done.status == 0, done.stderr
    assert not note(cluster, "node2").exists()
    go.touch()
    until(note(cluster, "node2").exists)
    assert heard(cluster, "node2") == {"node1": "reached"}
    until(lambda: ":620464:" in cluster.log("node2"))


def test_probe_of_a_restore_that_a_remove_has_overtaken_counts_no_longer(cluster: Cluster) -> None:
    """It would say of another server what was meant for this one."""
    cluster.with_resource()
    way, go = until_it_may_go_on(cluster)
    assert cluster.act("node2", "restore", EC2_PROBE=way).status == 0
    assert cluster.act("node2", "remove").status == 0
    go.touch()
    until(lambda: ":620465:" in cluster.log("node2"))
    assert not note(cluster, "node2").exists()


def test_restore_that_changes_nothing_measures_nothing(cluster: Cluster) -> None:
    """The packets are sent all the same, and an earlier measurement is not this one's."""
    cluster.with_resource()
    assert cluster.act("node1", "restore", EC2_PROBE=a_command(cluster)).status == 0
    until(lambda: ":620460:" in cluster.log("node1"))
    assert json.loads(note(cluster, "node1").read_text())["effective"] is None


def test_restore_whose_probe_is_not_answered_succeeds_all_the_same(cluster: Cluster) -> None:
    """A WARN in the log, and in status; no exit status and no state of the resource knows of it."""
    cluster.with_resource()
    tries = {"EC2_PROBE": a_command(cluster, "exit 1"), "EC2_PROBE_TIMEOUT": "4"}
    assert cluster.act("node2", "restore", **tries).status == 0
    until(lambda: ":620461:" in cluster.log("node2"))
    shown = ec2kit(cluster, "node2", "status", VIP_TAG).stdout
    assert "node1 no answer within 4 s\n" in shown
    assert "ISP here" in shown
    assert cluster.act("node2", "quickCheck").status == 0


def test_probe_of_an_elastic_ip_is_sent_to_it(cluster: Cluster) -> None:
    """Where packets go to depends on the kind."""
    cluster.with_resource(EIP_TAG)
    done = probe(cluster, "node1", a_command(cluster), tag=EIP_TAG)
    lines = done.stdout.splitlines()
    assert (done.status, lines[0].split()[:2]) == (0, [EIP_TAG, cluster.sandbox.description["elastic_ip"]])
    assert lines[-1].startswith("  this proves only the path inside AWS")


def test_probe_of_a_record_set_is_sent_to_what_it_points_at(cluster: Cluster) -> None:
    """A name would lead to where a resolver still believes it to be."""
    cluster.with_resource(DNS_TAG)
    told = envelope(probe(cluster, "node2", a_command(cluster), "--json", tag=DNS_TAG))
    private = cluster.sandbox.description["nodes"]["node1"]["interfaces"]["eth1"]["private_ip_address"]
    assert (told["holder"], told["packets_to"]) == ("node1", [private])


# -- trouble of this server ------------------------------------------------------------------------------------------


def test_note_that_cannot_be_written_costs_only_the_note(cluster: Cluster) -> None:
    """Restore succeeds, and the log has the result of the probe."""
    cluster.with_resource()
    note(cluster, "node2").mkdir()
    assert cluster.act("node2", "restore", EC2_PROBE=a_command(cluster)).status == 0
    until(lambda: ":620464:" in cluster.log("node2"))
    assert re.search(r"ERROR:ec2kit:probe:ec2-vip1:\d+:.*ec2-vip1.probe.json", cluster.log("node2"))
    assert ":620460:" in cluster.log("node2")


@needs_root
def test_disk_that_is_full_costs_only_the_note(cluster: Cluster, tmp_path: Path) -> None:
    """On demand, the result is shown and the exit status is the same."""
    cluster.with_resource()
    with ExitStack() as stack:
        settings = full_disk(cluster, stack, tmp_path)
        done = probe(cluster, "node1", a_command(cluster), **settings)
    assert done.status == 0, done.stderr
    assert "  node2  reached in" in done.stdout
    assert "No space left" in done.stderr


def test_probe_that_cannot_be_begun_changes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server without processes has the address all the same."""
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    after_restore.begin(desk.action(), Intention(Direction.UP, 1), accepted_at=None)
    assert desk.lines.of(catalogue.PROBE_NOT_BEGUN)
