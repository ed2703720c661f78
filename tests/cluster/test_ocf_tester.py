"""ocf-tester, which the resource-agents project has for its own agents, passes for ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ec2kit.sandbox.client import Sandbox, started

from ..debian.root import Root
from ..ocf.dtd import declared
from ..patience import HANGS
from .kit import installed


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with started(tmp_path_factory.mktemp("sandbox"), nodes=1, tables=2) as running:
        yield running


@pytest.fixture(scope="module")
def agents(root: Root | None) -> Iterator[Path]:
    """The agents where nobody may run them, as ocf-tester does."""
    if os.geteuid() != 0 or (root is None and not all(shutil.which(each) for each in ("ocf-tester", "xmllint"))):
        reason = "root, ocf-tester or xmllint is missing: run 'make cluster-setup'"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="ec2kit-agents-") as folder:
        Path(folder).chmod(0o755)
        yield installed(Path(folder) / "kit", root)


def declaring(agent: Path, inside: list[str]) -> Path:
    """The agent, whose meta-data declare what Debian's DTD does not know."""
    told = subprocess.run([*inside, agent, "meta-data"], env=_BARE, capture_output=True, text=True, check=True).stdout
    metadata, covered = agent.with_name(f"{agent.name}.xml"), agent.with_name(f"{agent.name}-declaring")
    metadata.write_text(declared(told))
    covered.write_text(f'#!/bin/sh\n[ "$1" != meta-data ] || exec cat {metadata}\nexec {agent} "$@"\n')
    covered.chmod(0o755)
    return covered


_BARE = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
"""For the words before the agent; an agent needs none."""

PARAMETERS = {
    "route-table": {"ip": "vip", "interface": "=eth1"},
    "elastic-ip": {"elastic_ip": "elastic_ip", "allocation_id": "allocation_id"},
    "secondary-ip": {"secondary_private_ip": "secondary_ip", "interface": "=eth1"},
    "dns-record": {"hostedzoneid": "hosted_zone_id", "fullname": "record"},
}
"""Agent → its parameters: "=" and the value, or the name of the value in the sandbox's description."""


@pytest.mark.parametrize("agent", PARAMETERS)
def test_ocf_tester_passes(agent: str, agents: Path, sandbox: Sandbox, root: Root | None) -> None:
    """Statuses, meta-data and idempotence are as every OCF agent's have to be."""
    inside = root.inside if root is not None else []
    told = sandbox.description
    given = {name: told.get(value, value[1:]) for name, value in PARAMETERS[agent].items()}
    words = [word for name, value in given.items() for word in ("-o", f"{name}={value}")]
    environment = {**sandbox.environment("node1"), "OCF_ROOT": "/usr/lib/ocf"}
    environment["PATH"] += ":/usr/sbin:/sbin"
    command = [*inside, "ocf-tester", "-n", "tested", *words, str(declaring(agents / agent, inside))]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=HANGS, cwd="/"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed all tests" in done.stdout
