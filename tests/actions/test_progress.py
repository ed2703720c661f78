"""What a person at a terminal sees of an action that takes its time: the real scripts and the admin CLI."""

from __future__ import annotations

import os
import re
import shlex
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ec2kit.state.lock import Lock

from ..patience import HANGS
from ..resolver import Name, black_hole, resolving
from ..terminal import Terminal, at_a_terminal, width
from .cluster import ACTIONS, EIP_TAG, VIP_TAG, Cluster, in_a_hurry

EC2KIT = str(Path(sys.executable).parent / "ec2kit")

Wait = Callable[[Cluster, ExitStack, Path], tuple[str, list[str], dict[str, str], str]]
"""Something to wait for: the server, the words of the action, its settings, and what the person has to see."""


@contextmanager
def _silence() -> Iterator[str]:
    """Yield the place of a server that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def _check(*words: str) -> list[str]:
    return [*words, str(ACTIONS / "quickCheck"), "-t", VIP_TAG]


def _name(cluster: Cluster, stack: ExitStack, folder: Path) -> tuple[str, list[str], dict[str, str], str]:
    resolver = stack.enter_context(resolving({"ec2.sandbox.test": Name(seconds=float("inf"))}))
    words = _check(*resolver.command())
    return "node2", words, {"EC2_ENDPOINT_URL": "http://ec2.sandbox.test"}, "resolving the name ec2.sandbox.test"


def _connection(cluster: Cluster, stack: ExitStack, folder: Path) -> tuple[str, list[str], dict[str, str], str]:
    with socket.create_server(("127.0.0.2", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://{stack.enter_context(black_hole(port))}:{port}"
    return "node2", _check(), {"EC2_ENDPOINT_URL": url}, f"DescribeRouteTables: connecting to {url}"


def _tls(cluster: Cluster, stack: ExitStack, folder: Path) -> tuple[str, list[str], dict[str, str], str]:
    url = f"https://{stack.enter_context(_silence())}"
    return "node2", _check(), {"EC2_ENDPOINT_URL": url}, "DescribeRouteTables: connecting to 127.0.0.1 (TLS)"


def _proxy(cluster: Cluster, stack: ExitStack, folder: Path) -> tuple[str, list[str], dict[str, str], str]:
    url = f"http://{stack.enter_context(_silence())}"
    settings = {
        "EC2_ENDPOINT_URL": "https://ec2.us-east-1.amazonaws.com",
        "HTTPS_PROXY": url,
        "NO_PROXY": "127.0.0.1",
    }
    return "node2", _check(), settings, f"DescribeRouteTables: connecting to {url} (proxy)"


def _credentials(cluster: Cluster, stack: ExitStack, folder: Path) -> tuple[str, list[str], dict[str, str], str]:
    config = folder / "config"
    config.write_text("[default]\ncredential_process = sleep 100\n")
    settings = {"AWS_CONFIG_FILE": str(config)}
    return "node2", _check(), settings, "DescribeRouteTables: waiting for credentials (credential_process)"


def _answer(cluster: Cluster, stack: ExitStack, folder: Path) -> tuple[str, list[str], dict[str, str], str]:
    url = f"http://{stack.enter_context(_silence())}"
    return "node2", _check(), {"EC2_ENDPOINT_URL": url}, f"waiting for the answer of EC2 ({url})"


def _answer_to_status(cluster: Cluster, stack: ExitStack, folder: Path) -> tuple[str, list[str], dict[str, str], str]:
    server, _, settings, expected = _answer(cluster, stack, folder)
    return server, [EC2KIT, "status"], settings, expected


def _lock(cluster: Cluster, stack: ExitStack, folder: Path) -> tuple[str, list[str], dict[str, str], str]:
    lock = Lock(str(cluster.path("node3", "EC2KIT_RUN_DIR") / f"{VIP_TAG}.writing.lock"))
    assert lock.take()
    stack.callback(lock.release)
    words = [EC2KIT, "restore", "-t", VIP_TAG]
    return "node3", words, {}, "waiting for another restore or recover on this server"


def _peer(cluster: Cluster, stack: ExitStack, folder: Path) -> tuple[str, list[str], dict[str, str], str]:
    for table in cluster.tables:
        cluster.point(table, cluster.eni("node2"))
    remote = folder / "remote"
    remote.write_text("#!/bin/sh\nexec sleep 100\n")
    remote.chmod(0o700)
    words = [str(ACTIONS / "recover"), "-t", VIP_TAG]
    return "node1", words, {"EC2_REMOTE_COMMAND": str(remote)}, "waiting for the answer of node2"


WAITS: tuple[Wait, ...] = (_connection, _tls, _proxy, _credentials, _answer, _answer_to_status, _lock, _peer)


def test_an_action_at_a_terminal_names_what_it_waits_for(cluster: Cluster, tmp_path: Path) -> None:
    """The stage of a request, the lock of another action, another server: each is named, with the time left."""
    cluster.with_resource(servers=3)
    waits = (*WAITS, _name) if os.geteuid() == 0 else WAITS
    with ExitStack() as stack:
        begun: list[tuple[Terminal, str]] = []
        for each in waits:
            server, words, settings, expected = each(cluster, stack, tmp_path)
            environment = cluster.environment(server, EC2_SNAPSHOT_MAX_AGE="0", **settings)
            begun.append((stack.enter_context(at_a_terminal(words, environment)), expected))
        missing = {expected: terminal.shown for terminal, expected in begun if not terminal.shows(expected)}
        assert not missing
        for terminal, expected in begun:
            assert re.search(rf"\r?\d+ s left: .*{re.escape(expected)}", terminal.shown)


def test_a_restore_at_a_terminal_counts_its_writes(cluster: Cluster) -> None:
    """N of M, and that they wait for EC2's rate; of the line that says so nothing remains in the end."""
    cluster.with_resource()
    environment = cluster.environment("node2", EC2_WRITE_BURST="1", EC2_WRITE_RATE="1")
    with at_a_terminal([str(ACTIONS / "restore"), "-t", VIP_TAG], environment) as terminal:
        assert terminal.end() == 0
    counted = [re.search(r"^\d+ s left: (\d+) of 6 changes made(.*)", each) for each in terminal.drawn]
    found = [(int(each[1]), each[2]) for each in counted if each]
    assert found, terminal.shown
    assert found == sorted(found, key=lambda each: each[0])
    assert "; ReplaceRoute waits for its turn (AWS's rate)" in {more for _, more in found}
    assert cluster.holders() == ["node2"] * 6
    assert not [each for each in terminal.rows if "left" in each]
    assert len(terminal.rows) == 6 + len(["BEGIN", "END", "after the last line"])


def test_a_restore_at_a_narrow_japanese_terminal_waits_for_ec2_in_one_row(cluster: Cluster) -> None:
    """The tables are named that EC2 does not show yet, in the person's language, and cut where the row ends."""
    cluster.with_resource()
    late = cluster.sandbox.fault("late", server="node2", operation="DescribeRouteTables", seconds=3600)
    environment = cluster.environment("node2", LC_ALL="ja_JP.UTF-8", EC2_VERIFY_TIMEOUT="240")
    with at_a_terminal([str(ACTIONS / "restore"), "-t", VIP_TAG], environment, columns=70) as terminal:
        assert terminal.shows("変更が AWS に表示されるのを待っています: rtb-")
        cluster.sandbox.clear(late)
        assert terminal.end() == 0
    drawn = [each for each in terminal.drawn if "変更が AWS に表示されるのを待っています: rtb-" in each]
    assert drawn, terminal.shown
    for each in drawn:
        assert re.match(r"残り \d+ 秒: ", each)
        assert each.endswith("...")
        assert 68 <= width(each) <= 69
    assert not [each for each in terminal.rows if "残り" in each]


def test_a_restore_at_a_terminal_that_is_stopped_ends_all_the_same(cluster: Cluster) -> None:
    """Ctrl-S holds up neither the action nor its status."""
    cluster.with_resource()
    cluster.sandbox.fault("late", server="node2", operation="DescribeRouteTables", seconds=2)
    environment = cluster.environment("node2", EC2_VERIFY_TIMEOUT="30")
    words = [str(ACTIONS / "restore"), "-t", VIP_TAG]
    with at_a_terminal(words, environment, is_stopped=True) as terminal:
        assert terminal.process.wait(timeout=HANGS) == 0
        assert terminal.shown == ""
        assert terminal.end() == 0
    assert set(cluster.holders()) == {"node2"}


_IN_THE_BACKGROUND = "import os, sys; os.setpgid(0, 0); os.execv(sys.argv[1], sys.argv[1:])"


def test_no_progress_is_shown_to_a_framework_or_in_a_log(cluster: Cluster) -> None:
    """A hook, a log on stderr, a stderr that is no terminal, a process in the background: whole lines only."""
    cluster.with_resource().with_resource(EIP_TAG)
    with ExitStack() as stack:
        settings = {**in_a_hurry(2.5), "EC2_ENDPOINT_URL": f"http://{stack.enter_context(_silence())}"}
        piped = cluster.start("node1", "quickCheck", "-t", VIP_TAG, **settings)
        hook = [str(ACTIONS / "quickCheck"), "-t", EIP_TAG, "--hook"]
        logged = [str(ACTIONS / "quickCheck"), "-t", VIP_TAG]
        redirected = ["sh", "-c", f"exec {shlex.join(logged)} 2>&1 | cat"]
        behind = ["sh", "-c", f"{shlex.join([sys.executable, '-c', _IN_THE_BACKGROUND, *logged])}; exit $?"]
        cases = ((hook, {}), (logged, {"EC2KIT_LOG_FILE": "-"}), (redirected, {}), (behind, {}))
        terminals = [
            stack.enter_context(at_a_terminal(words, cluster.environment("node2", **settings, **more)))
            for words, more in cases
        ]
        for each in terminals:
            assert each.end() == 0
            assert "UNKNOWN" in each.shown
            assert each.drawn == []
        assert "\r" not in piped.communicate(timeout=HANGS)[1]
