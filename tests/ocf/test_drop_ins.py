"""
The four AWS agents of resource-agents, and what ec2kit's agents of the same names know of theirs.

Source: ClusterLabs/resource-agents v4.18.0, meta-data of the agents; and the meta-data of those that are installed.
"""

from __future__ import annotations

import os
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from ec2kit.frameworks.pacemaker.agents import WITHOUT_MEANING
from ec2kit.frameworks.pacemaker.agents import agent as agent_called

from .resource import AGENTS, ERR_CONFIGURED, ERR_UNIMPLEMENTED, SUCCESS, variables

INSTALLED = Path("/usr/lib/ocf/resource.d/heartbeat")

_ALL = "awscli auth_type curl_retries curl_sleep profile region"
PARAMETERS = {
    "aws-vpc-move-ip": f"{_ALL} address awscli_timeout iflabel interface ip lookup_type monapi routing_table "
    "routing_table_role",
    "awseip": f"{_ALL} allocation_id api_delay elastic_ip private_ip_address",
    "awsvip": f"{_ALL} api_delay interface secondary_private_ip",
    "aws-vpc-route53": f"{_ALL} fullname hostedzoneid ip ttl",
}
"""The names of version 4.18.0; aws-vpc-route53 uses `region`, and does not list it."""

ACTIONS = {
    "aws-vpc-move-ip": "start stop monitor validate-all meta-data",
    "awseip": "start stop monitor migrate_to migrate_from validate validate-all reload meta-data",
    "awsvip": "start stop monitor migrate_to migrate_from validate validate-all reload meta-data",
    "aws-vpc-route53": "start stop monitor validate-all meta-data",
}
"""What 4.12.0 to 4.18.0 do; `reload` is not in their meta-data, `status` is only in the usage of some."""

REQUIRED = {
    "aws-vpc-move-ip": {"ip": "10.1.0.10", "routing_table": "rtb-0a"},
    "awseip": {"elastic_ip": "203.0.113.1", "allocation_id": "eipalloc-0a"},
    "awsvip": {"secondary_private_ip": "10.0.1.50"},
    "aws-vpc-route53": {"hostedzoneid": "Z0123456789ABCDEFGHIJ", "fullname": "db.example.com."},
}

by_agent = pytest.mark.parametrize("agent", PARAMETERS)


def run(agent: str, operation: str, **parameters: str) -> subprocess.CompletedProcess[str]:
    """Run one operation where there is neither AWS nor a device."""
    environment = {"PATH": os.environ["PATH"], "EC2KIT_LOG_FILE": os.devnull, "EC2KIT_DEFAULTS": os.devnull}
    return subprocess.run(
        [AGENTS / agent, operation],
        env={**environment, **variables("tried", parameters)},
        capture_output=True,
        text=True,
        check=False,
    )


@by_agent
def test_every_parameter_of_the_heartbeat_agent_is_known(agent: str) -> None:
    """None is taken for a misspelt one, and none more is required; what has no meaning is documented as that."""
    ours = {each.name: each for each in agent_called(agent).parameters}
    assert {*PARAMETERS[agent].split()} <= {*ours}
    assert {name for name, each in ours.items() if each.required} <= {*REQUIRED[agent]}
    given = dict.fromkeys(WITHOUT_MEANING, "3")
    done = run(agent, "validate-all", **REQUIRED[agent], **given, profile="default", region="us-east-1")
    assert done.returncode == SUCCESS, done.stderr
    assert "no parameter of" not in done.stderr


@by_agent
def test_every_operation_of_the_heartbeat_agent_is_implemented(agent: str) -> None:
    """Also under the older names; what only moves a resource that runs has tests of its own."""
    for operation in {*ACTIONS[agent].split()} - {"start", "stop", "monitor", "migrate_to", "migrate_from"}:
        done = run(agent, operation, **REQUIRED[agent])
        assert done.returncode == SUCCESS, f"{operation}: {done.stderr}"
    for operation in {*ACTIONS[agent].split()} & {"validate", "validate-all"}:
        assert run(agent, operation).returncode == ERR_CONFIGURED
    assert run(agent, "status", **REQUIRED[agent]).returncode == ERR_UNIMPLEMENTED


@by_agent
def test_metadata_of_the_installed_heartbeat_agent_have_nothing_that_ours_lacks(agent: str) -> None:
    """Whatever version is here: parameters, operations, what is required and unique, and defaults with a meaning."""
    if not (INSTALLED / agent).exists():
        reason = "resource-agents is not installed: run 'make cluster-setup'"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    environment = {"OCF_ROOT": "/usr/lib/ocf", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    command = [INSTALLED / agent, "meta-data"]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    theirs, ours = ElementTree.fromstring(told), ElementTree.fromstring(run(agent, "meta-data").stdout)
    known = {each.get("name"): each for each in ours.iter("parameter")}
    listed = {each.get("name"): each for each in theirs.iter("parameter")}
    assert {*listed} <= {*known}
    assert {str(each.get("name")) for each in theirs.iter("action")} <= {*ACTIONS[agent].split()}
    for flag in ("required", "unique"):
        assert _flagged(known, flag) <= _flagged(listed, flag)
    for name in {*listed} - {*WITHOUT_MEANING, "profile", "lookup_type"}:
        assert _default(known[name]) == _default(listed[name]), name


def _flagged(parameters: dict[str | None, ElementTree.Element], flag: str) -> set[str | None]:
    return {name for name, each in parameters.items() if each.get(flag) == "1"}


def _default(parameter: ElementTree.Element) -> str:
    content = parameter.find("content")
    assert content is not None
    return content.get("default", "")


DOCUMENT = (Path(__file__).parents[2] / "docs" / "pacemaker.md").read_text()


SECTION = DOCUMENT.partition("\n## Moving from the heartbeat agents\n")[2].partition("\n## ")[0]


def test_the_documented_command_changes_the_provider_of_these_agents_and_nothing_more(tmp_path: Path) -> None:
    """SUSE has one of them under its own provider; other agents of both providers stay."""

    def resources(*providers: str) -> str:
        named = zip(providers, (*PARAMETERS, "aws-vpc-move-ip", "IPaddr2", "SAPHana"), strict=True)
        return "".join(
            f'<primitive id="r{n}" class="ocf" provider="{who}" type="{what}"/>\n'
            for n, (who, what) in enumerate(named)
        )

    theirs = ("heartbeat",) * 4
    (tmp_path / "resources.xml").write_text(resources(*theirs, "suse", "heartbeat", "suse"))
    command = re.search(r"^sed .*?>changed\.xml$", SECTION, re.MULTILINE | re.DOTALL)
    assert command is not None
    subprocess.run(["sh", "-ec", command[0]], cwd=tmp_path, check=True)
    assert (tmp_path / "changed.xml").read_text() == resources(*["ec2kit"] * 5, "heartbeat", "suse")


@by_agent
def test_the_document_says_of_every_parameter_what_becomes_of_it(agent: str) -> None:
    """The table of the change from heartbeat's agents has each name."""
    cells = re.findall(r"^\| (`[^|]+) \|", SECTION, re.MULTILINE)
    table = {name for cell in cells for name in re.findall(r"`([a-z_]+)`", cell)}
    assert {*PARAMETERS[agent].split()} <= table
