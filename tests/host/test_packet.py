"""Whether packets are answered: by real TCP on loopback, real ping in a namespace, and commands of an operator."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ec2kit.deadline import Deadline
from ec2kit.errors import LocalCommandFailed
from ec2kit.host import packet
from ec2kit.host.packet import Answer
from ec2kit.settings import Settings

from ..builders import ImpatientClock
from ..patience import HANGS

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def answer(way: str, address: str = "127.0.0.1", *, seconds: float = HANGS, path: str = PATH) -> Answer | None:
    return packet.answer(way, address, Settings(path=path), Deadline(seconds, ImpatientClock()))


# -- tcp ---------------------------------------------------------------------------------------------------------


def test_tcp_that_is_accepted_is_an_answer() -> None:
    """A listener is there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        said = answer(f"tcp:{server.getsockname()[1]}")
    assert said is not None
    assert said.milliseconds > 0
    assert said.remark == ""


def test_tcp_that_is_refused_is_an_answer_with_a_remark() -> None:
    """The refusal came back from there: the service may start only after the address."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        said = answer(f"tcp:{port}")
    assert said is not None
    assert said.remark == f"it refuses port {port}: packets arrive, and nothing listens"


@contextlib.contextmanager
def deaf() -> Iterator[int]:
    """Give a port of loopback at which connections are neither accepted nor refused: its queue is full."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        address = server.getsockname()
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(address)
        yield int(address[1])


def test_tcp_without_an_answer_is_tried_until_the_deadline() -> None:
    """Nothing came back in time."""
    with deaf() as port:
        assert answer(f"tcp:{port}", seconds=1.5) is None


# -- command -----------------------------------------------------------------------------------------------------


def a_command(folder: Path, script: str, mode: int = 0o755) -> str:
    path = folder / "try it"
    path.write_text(script)
    path.chmod(mode)
    return f"command:{path}"


def test_command_is_given_the_address_and_ends_with_0(tmp_path: Path) -> None:
    """The address is its only word."""
    said = answer(a_command(tmp_path, f'#!/bin/sh\necho "$# $1" >"{tmp_path}/words"\n'), "192.0.2.1")
    assert said is not None
    assert (tmp_path / "words").read_text() == "1 192.0.2.1\n"


def test_command_that_ends_with_1_is_tried_again(tmp_path: Path) -> None:
    """The change may become effective a moment later."""
    script = f'#!/bin/sh\n[ -e "{tmp_path}/seen" ] && exit 0\n: >"{tmp_path}/seen"\nexit 1\n'
    assert answer(a_command(tmp_path, script)) is not None


def test_command_that_always_ends_with_1_is_no_answer(tmp_path: Path) -> None:
    """It can tell, and says no."""
    assert answer(a_command(tmp_path, "#!/bin/sh\nexit 1\n"), seconds=8) is None


def test_command_that_is_cut_off_after_it_has_said_no_is_no_answer(tmp_path: Path) -> None:
    """What it said stays."""
    script = f'#!/bin/sh\n[ -e "{tmp_path}/seen" ] && exec sleep 600\n: >"{tmp_path}/seen"\nexit 1\n'
    assert answer(a_command(tmp_path, script), seconds=5) is None


@pytest.mark.parametrize(
    ("script", "mode", "says"),
    [
        pytest.param(
            "#!/bin/sh\necho 'no such database' >&2\nexit 2\n", 0o755, "exit status 2.*no such data", id="2"
        ),
        pytest.param("#!/bin/sh\nkill -KILL $$\n", 0o755, f"signal {int(signal.SIGKILL)}", id="killed"),
        pytest.param("#!/bin/sh\nexit 0\n", 0o644, "Permission denied", id="not executable"),
        pytest.param("#!/nowhere/sh\n", 0o755, "No such file", id="no interpreter"),
        pytest.param("\x00\x01\x02", 0o755, "Exec format error", id="rubbish"),
    ],
)
def test_command_that_is_rubbish_says_nothing_of_the_address(
    tmp_path: Path, script: str, mode: int, says: str
) -> None:
    """It is an error, and neither yes nor no."""
    with pytest.raises(LocalCommandFailed, match=says):
        answer(a_command(tmp_path, script, mode))


def test_command_that_hangs_says_nothing_of_the_address(tmp_path: Path) -> None:
    """It is killed at the deadline."""
    with pytest.raises(LocalCommandFailed, match="no end within 1 s"):
        answer(a_command(tmp_path, "#!/bin/sh\nexec sleep 600\n"), seconds=1)


def test_command_that_is_not_there_says_nothing_of_the_address(tmp_path: Path) -> None:
    """A path, or a folder in its place."""
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(LocalCommandFailed):
            answer(f"command:{path}", seconds=1)


# -- icmp --------------------------------------------------------------------------------------------------------


def a_ping(folder: Path, script: str) -> str:
    (folder / "ping").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "ping").chmod(0o755)
    return f"{folder}:{PATH}"


def test_icmp_takes_the_time_that_ping_measures(tmp_path: Path) -> None:
    """The start of ping takes longer than the packet."""
    path = a_ping(tmp_path, 'echo "64 bytes from $5: icmp_seq=1 ttl=64 time=0.42 ms"')
    assert answer("icmp", path=path) == Answer(0.42)


def test_icmp_without_an_answer_is_tried_until_the_deadline(tmp_path: Path) -> None:
    """Silence is no error."""
    path = a_ping(tmp_path, f'echo "$*" >>"{tmp_path}/asked"; exit 1')
    assert answer("icmp", "192.0.2.1", seconds=8, path=path) is None
    asked = (tmp_path / "asked").read_text().splitlines()
    assert set(asked) == {"-c 1 -W 1 192.0.2.1"}
    assert len(asked) > 1


def test_icmp_that_cannot_be_sent_says_nothing(tmp_path: Path) -> None:
    """A ping that may not send is an error."""
    with pytest.raises(LocalCommandFailed, match="not permitted"):
        answer("icmp", path=a_ping(tmp_path, "echo 'ping: socket: Operation not permitted' >&2; exit 2"))


# -- the kernel's own answers, in a namespace ----------------------------------------------------------------------

_IN_A_NAMESPACE = """
import sys
from ec2kit.deadline import Deadline
from ec2kit.errors import LocalCommandFailed
from ec2kit.host import packet
from ec2kit.settings import Settings
for way, address in (each.split() for each in sys.argv[1:]):
    try:
        said = packet.answer(way, address, Settings(), Deadline(1))
        print(way, address, "silent" if said is None else "answered " + said.remark[:10])
    except LocalCommandFailed as error:
        print(way, address, "error", error.fields["reason"])
"""

_NETWORK = """
ip link set lo up && ip addr add 192.0.2.1/32 dev lo && ip addr add 2001:db8::1/128 dev lo &&
ip route add unreachable 192.0.2.2 && ip route add prohibit 192.0.2.3 && exec "$@"
"""


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("ping"), reason="needs root, for a namespace, and ping")
def test_real_packets_in_a_namespace_end_as_the_kernel_says() -> None:
    """Real ping and TCP, to an address that is there, to one without a route, and to one that is forbidden."""
    tries = {
        "icmp 192.0.2.1": "answered",
        "tcp:7 192.0.2.1": "answered it refuses",
        "icmp 2001:db8::1": "answered",
        "tcp:7 2001:db8::1": "answered it refuses",
        "icmp 192.0.2.2": "silent",
        "tcp:7 192.0.2.2": "silent",
        "icmp 198.51.100.1": "silent",
        "tcp:7 198.51.100.1": "silent",
        "tcp:7 192.0.2.3": "error Permission denied",
    }
    done = subprocess.run(
        ["unshare", "-n", "sh", "-ec", _NETWORK, "sh", sys.executable, "-c", _IN_A_NAMESPACE, *tries],
        capture_output=True,
        text=True,
        check=False,
        timeout=HANGS,
    )
    assert done.returncode == 0, done.stderr
    assert [line.rstrip() for line in done.stdout.splitlines()] == [f"{way} {end}" for way, end in tries.items()]
