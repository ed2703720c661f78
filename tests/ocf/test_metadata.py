"""What the agents say of themselves, and what the documents say of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from ec2kit import __version__
from ec2kit.frameworks.pacemaker.agents import agent as agent_called
from ec2kit.frameworks.pacemaker.metadata import OPERATIONS
from ec2kit.scenarios import table

from ..patience import HANGS
from .dtd import declared
from .resource import AGENTS as SCRIPTS
from .resource import VIP, VirtualIp, variables

GOLDEN = Path(__file__).parent / "golden"
DTD = Path("/usr/share/resource-agents/ra-api-1.dtd")

by_agent = pytest.mark.parametrize("agent", table.agents())


def metadata(agent: str) -> str:
    command = [SCRIPTS / agent, "meta-data"]
    return subprocess.run(command, env={}, cwd="/", capture_output=True, text=True, check=True).stdout


def test_every_agent_has_its_script_and_every_script_its_agent() -> None:
    """The folder holds nothing but agents, since Pacemaker lists all that it finds there."""
    assert sorted(path.name for path in SCRIPTS.iterdir()) == sorted(table.agents())
    assert all(os.access(path, os.X_OK) for path in SCRIPTS.iterdir())


@by_agent
def test_metadata_are_as_they_were(agent: str) -> None:
    """A change of the interface is seen in the golden file; to accept one: tests/ocf/golden/update."""
    assert metadata(agent) == (GOLDEN / f"{agent}.xml").read_text().replace("VERSION", __version__)


@by_agent
def test_metadata_need_no_environment_and_name_the_agent_that_was_called(agent: str) -> None:
    """Tools ask any agent, as any user, without a single variable, so in ASCII; an alias goes by its own name."""
    assert metadata(agent).isascii()
    root = ElementTree.fromstring(metadata(agent))
    assert root.get("name") == agent
    assert [each.get("name") for each in root.iter("parameter")] == [
        each.name for each in agent_called(agent).parameters
    ]
    names = {each.get("name") for each in root.iter("action")}
    assert names == {each.name for each in OPERATIONS}


@by_agent
def test_metadata_are_valid_by_the_dtd_of_debian(agent: str) -> None:
    """`xmllint --valid` accepts them, with what API 1.1 added; Pacemaker 3.0 wants no declarations in them."""
    if not (shutil.which("xmllint") and DTD.exists()):
        pytest.skip("xmllint or resource-agents is not installed (Debian: libxml2-utils, resource-agents)")
    done = subprocess.run(
        ["xmllint", "--noout", "--valid", "-"],
        input=declared(metadata(agent)),
        cwd=DTD.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_metadata_advertise_monitors_that_pacemaker_can_tell_apart() -> None:
    """Two recurring operations of one name must differ in their interval."""
    root = ElementTree.fromstring(metadata("route-table"))
    monitors = [each.attrib for each in root.iter("action") if each.get("name") == "monitor"]
    assert [each.get("role") for each in monitors] == [None, "Stopped"]
    assert len({each["interval"] for each in monitors}) == 2


# -- what is loaded ------------------------------------------------------------------------------------------------

_REPORT = """
import sys
from ec2kit.frameworks import edge
def leave(status):
    print(status, *sys.modules, file=sys.stderr)
    raise SystemExit
edge.leave = leave
from ec2kit.frameworks.pacemaker import ocf
ocf.main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("operation", "status"),
    [
        pytest.param("meta-data", 100, id="meta-data"),
        pytest.param("validate-all", 100, id="validate-all"),
        pytest.param("reload-agent", 100, id="reload-agent"),
        pytest.param("monitor", 107, id="monitor-not-here"),
        pytest.param("promote", 103, id="not-implemented"),
    ],
)
def test_operation_that_needs_no_aws_loads_neither_boto3_nor_click(
    operation: str, status: int, vip: VirtualIp
) -> None:
    """What Pacemaker asks on every server all the time costs next to nothing."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", _REPORT, "route-table", operation],
        env={**vip.cluster.environment("node1"), **variables("vip", {"ip": VIP, "interface": "eth1"})},
        capture_output=True,
        text=True,
        timeout=HANGS,
        check=False,
    )
    said, *loaded = done.stderr.splitlines()[-1].split()
    assert said == str(status)
    assert not {each.partition(".")[0] for each in loaded} & {"boto3", "botocore", "urllib3", "click"}


# -- the document --------------------------------------------------------------------------------------------------

DOCUMENT = (Path(__file__).parents[2] / "docs" / "pacemaker.md").read_text()


def rows(heading: str) -> dict[str, str]:
    """The table below a heading: first cell → the whole row."""
    section = DOCUMENT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return {found[1]: found[0] for found in re.finditer(r"^\| `([a-z_]+)` \|.*$", section, re.MULTILINE)}


@pytest.mark.parametrize(
    ("heading", "agent"),
    [
        pytest.param("Parameters of route-table", "route-table", id="route-table"),
        pytest.param("Parameters of elastic-ip", "elastic-ip", id="elastic-ip"),
    ],
)
def test_document_lists_the_parameters_with_their_defaults(heading: str, agent: str) -> None:
    """The tables of the document are those of the agents; what has no meaning stands in one of its own."""
    listed, ignored = rows(heading), rows("Moving from the heartbeat agents")
    parameters = {each.name: each for each in agent_called(agent).parameters}
    assert {*listed} <= {*parameters}
    assert {*parameters} <= {*listed, *ignored}
    for name, row in listed.items():
        default = "required" if parameters[name].required else parameters[name].default
        assert row.split(" | ")[1].strip("` ") == (default or "–")
