"""A sandbox starts whole or not at all, says so in words, and goes when it is told."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ec2kit.sandbox import folder as files
from ec2kit.sandbox.client import NoSandbox, Sandbox, started
from ec2kit.sandbox.effects import EFFECTS
from ec2kit.sandbox.rule import GENERAL

from ..patience import HANGS

EC2KIT = [sys.executable, "-c", "from ec2kit.cli.sandbox import command; command()"]


def ec2kit(*words, **options):
    return subprocess.run(
        [*EC2KIT, *map(str, words)], capture_output=True, text=True, timeout=HANGS, check=False, **options
    )


def sh(sandbox, command, *, server="node1"):
    """Run a command line as one of the servers."""
    return subprocess.run(
        ["sh", "-c", command],
        env=sandbox.environment(server),
        capture_output=True,
        text=True,
        timeout=HANGS,
        check=False,
    )


def test_start_is_ready_with_the_last_environment_and_goes_on_sigterm(tmp_path):
    """Once node3.env is there every endpoint answers; SIGTERM ends it with status 0 and without environments."""
    with subprocess.Popen([*EC2KIT, "start", "--dir", tmp_path, "--nodes", "3"], stdout=subprocess.PIPE) as process:
        end = time.monotonic() + HANGS
        while not (tmp_path / "node3.env").exists() and time.monotonic() < end:
            time.sleep(0.02)
        sandbox = Sandbox(tmp_path)
        assert (sandbox.faults(), sandbox.calls()) == ([], [])
        process.send_signal(signal.SIGTERM)
        assert (process.wait(HANGS), b"node3" in process.stdout.read()) == (0, True)
    assert not list(tmp_path.glob("*.env"))


def test_second_sandbox_in_a_folder_is_refused(sandbox):
    """One folder, one sandbox; the message names the process that has it."""
    done = ec2kit("start", "--dir", sandbox.folder)
    assert done.returncode == 1
    assert f"already runs in {sandbox.folder} (process {sandbox.description['pid']})" in done.stderr


def test_port_in_use_is_told(tmp_path):
    """A port that is taken is named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = ec2kit("start", "--dir", tmp_path, "--port", port)
    assert (done.returncode, f"port {port} cannot be used" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--nodes", "0"], "servers"),
        (["--tables", "0"], "route tables"),
    ],
)
def test_what_cannot_be_is_told(tmp_path, options, words):
    """A start that makes no sense ends with one sentence."""
    done = ec2kit("start", "--dir", tmp_path, *options)
    assert (done.returncode, words in done.stderr, "Traceback" in done.stderr) == (1, True, False)


def test_folder_that_cannot_be_used_is_told():
    """A folder that nobody can write is named."""
    done = ec2kit("start", "--dir", "/proc/nowhere")
    assert (done.returncode, "/proc/nowhere cannot be used" in done.stderr) == (1, True)


def test_without_moto_the_extra_is_named(tmp_path):
    """Who has no moto learns what to install."""
    code = "import sys; sys.modules['moto'] = None; from ec2kit.cli.sandbox import command; command()"
    words = [sys.executable, "-c", code, "start", "--dir", tmp_path]
    done = subprocess.run(words, capture_output=True, text=True, timeout=HANGS, check=False)
    assert (done.returncode, "ec2kit[sandbox]" in done.stderr, "Traceback" in done.stderr) == (1, True, False)


def test_run_passes_on_the_status_and_cleans_up(tmp_path):
    """A command runs as the server that was named; its status is run's."""
    words = ["sh", "-c", 'echo "$EC2KIT_SERVER:$AWS_ACCESS_KEY_ID"; exit 7']
    done = ec2kit(
        "run", "--node", "node2", "--", *words, env={**os.environ, "AWS_ACCESS_KEY_ID": "x", "TMPDIR": str(tmp_path)}
    )
    assert (done.returncode, done.stdout, list(tmp_path.iterdir())) == (7, "node2:\n", [])


def test_start_removes_what_an_earlier_run_made_and_keeps_the_users(tmp_path):
    """State of an earlier run is gone, tunables and foreign files stay."""
    for name in ("node1/state/vip", "node7/state/vip", "node1/default", "mine.env"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("EC2_MAX_RETRY=1\n")
    (tmp_path / "node7.env").touch()
    files.clear(tmp_path)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"node1/default", "mine.env"}


def test_client_tells_why_it_could_not_start(tmp_path):
    """What the process said is in the exception, as it is on the terminal: there is no such region."""
    with pytest.raises(NoSandbox, match="no region"), started(tmp_path, region="mars-1"):
        pass


def test_client_without_sandbox_says_so(tmp_path):
    """Where nothing runs nothing is guessed."""
    with pytest.raises(NoSandbox, match="no sandbox runs in"):
        Sandbox(tmp_path)


def test_faults_from_the_command_line(sandbox):
    """fault, faults and clear say and do what the client does."""
    number = ec2kit("fault", "--dir", sandbox.folder, "delay", "--server", "node2", "--seconds", "0.5").stdout.strip()
    listed = json.loads(ec2kit("faults", "--dir", sandbox.folder).stdout)
    assert (str(listed["id"]), listed["effect"], listed["seconds"]) == (number, "delay", 0.5)
    assert ec2kit("clear", "--dir", sandbox.folder, number).returncode == 0
    assert sandbox.faults() == []
    assert "no effect 'boom'" in ec2kit("fault", "--dir", sandbox.folder, "boom").stderr
    assert (
        "throttle knows no 'seconds'" in ec2kit("fault", "--dir", sandbox.folder, "throttle", "--seconds", "1").stderr
    )


def test_help_of_fault_has_every_effect_with_its_sentence_and_every_option():
    """What there is need not be looked up elsewhere."""
    told = ec2kit("fault", "--help").stdout
    for name, effect in EFFECTS.items():
        assert f"  {name:<12}{effect.summary}" in told
        assert effect.summary.endswith(".")
    for argument in (*GENERAL, *(each for effect in EFFECTS.values() for each in effect.arguments)):
        assert f"--{argument.name} " in told


def test_every_effect_has_a_test():
    """No effect is only believed to work."""
    place = Path(__file__).parent
    modules = (
        "test_effects.py",
        "test_imds.py",
        "test_tls.py",
        "test_proxy.py",
        "test_door.py",
        "test_route53.py",
        "test_sts.py",
    )
    tests = "".join((place / name).read_text(encoding="utf-8") for name in modules)
    assert [name for name in EFFECTS if f'"{name}"' not in tests] == []


def test_environment_is_the_servers(sandbox, monkeypatch):
    """What could lead elsewhere is gone, places are absolute and exist."""
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("HTTPS_PROXY", "http://192.0.2.1:3128")
    environment = sandbox.environment("node2")
    assert (environment["EC2KIT_SERVER"], "AWS_PROFILE" in environment, "HTTPS_PROXY" in environment) == (
        "node2",
        False,
        False,
    )
    assert environment["AWS_ENDPOINT_URL"] == sandbox.description["nodes"]["node2"]["endpoint_url"]
    places = [environment[f"EC2KIT_{name}"] for name in ("DEFAULTS", "STATE_DIR", "RUN_DIR", "NET_DIR")]
    assert all(Path(place).is_absolute() and Path(place).exists() for place in places)


def test_devices_have_the_macs_of_their_interfaces(sandbox):
    """A device's address is the one that EC2 gave its interface."""
    net = Path(sandbox.environment("node1")["EC2KIT_NET_DIR"])
    mac = sandbox.description["nodes"]["node1"]["interfaces"]["eth1"]["mac"]
    assert (net / "eth1" / "address").read_text().strip() == mac
    assert (net / "eth1" / "operstate").read_text().strip() == "up"


def test_ip_sets_links_down_and_up(sandbox):
    """ip changes the picture of the device, and the real machine never."""
    net = 'cd "$EC2KIT_NET_DIR/eth1" && cat operstate carrier flags'
    assert sh(sandbox, f"ip link set dev eth1 down; {net}").stdout.split() == ["down", "0", "0x1002"]
    assert sh(sandbox, f"ip link set dev eth1 up; {net}").stdout.split() == ["up", "1", "0x1003"]


def test_ip_adds_and_deletes_addresses(sandbox):
    """An address is added once and deleted once."""
    show = "ip -4 -o addr show dev eth0"
    assert "inet 10.1.0.10/32 scope" in sh(sandbox, f"ip addr add 10.1.0.10/32 dev eth0; {show}").stdout
    assert "File exists" in sh(sandbox, "ip addr add 10.1.0.10/32 dev eth0").stderr
    assert "10.1.0.10" not in sh(sandbox, f"ip addr del 10.1.0.10/32 dev eth0; {show}").stdout
    assert sh(sandbox, "ip addr del 10.1.0.10/32 dev eth0").returncode == 2


def test_ip_finds_the_device_of_a_source(sandbox):
    """Replies leave by the device that has the source address, in both of ip's formats."""
    private = sandbox.description["nodes"]["node1"]["interfaces"]["eth1"]["private_ip_address"]
    question = f"route get 10.0.1.99 from {private}"
    assert sh(sandbox, f"ip -4 {question}").stdout.startswith(
        f"10.0.1.99 from {private} via 10.0.11.1 dev eth1 uid 0"
    )
    assert json.loads(sh(sandbox, f"ip -j {question}").stdout)[0]["dev"] == "eth1"
    assert sh(sandbox, "ip route get 10.0.1.99 from 192.0.2.7").returncode == 2


def test_ip_shows_addresses_as_json(sandbox):
    """ip -j is what programs read."""
    (device,) = json.loads(sh(sandbox, "ip -j addr show dev eth0").stdout)
    assert (device["ifname"], device["addr_info"][0]["local"]) == ("eth0", "10.0.1.11")


@pytest.mark.parametrize("words", ["", "neigh show", "link set dev eth9 up", "addr show dev eth9"])
def test_ip_knows_no_more_than_that(sandbox, words):
    """What the stand-in does not know fails."""
    assert sh(sandbox, f"ip {words}").returncode != 0


def remote(sandbox, server, command):
    words = [*shlex.split(sandbox.environment("node1")["EC2_REMOTE_COMMAND"]), server, command]
    return subprocess.run(words, capture_output=True, text=True, timeout=HANGS, check=False)


def test_remote_runs_as_the_other_server(sandbox):
    """A command line runs in the other server's environment, from /, and its status comes back."""
    done = remote(sandbox, "node2", "echo $EC2KIT_SERVER; pwd; exit 3")
    assert (done.returncode, done.stdout.split()) == (3, ["node2", "/"])


def test_remote_fails_as_ssh_does(sandbox):
    """An unknown server and one that is cut off end with ssh's 255."""
    assert remote(sandbox, "node9", "true").returncode == 255
    cut = sandbox.folder / "node2" / "unreachable"
    cut.touch()
    done = remote(sandbox, "node2", "true")
    cut.unlink()
    assert (done.returncode, "timed out" in done.stderr) == (255, True)
