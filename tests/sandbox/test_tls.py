"""The sandbox over TLS, and handshakes that fail, as an unmodified SDK meets them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import botocore
import pytest
from botocore.exceptions import BotoCoreError, SSLError

from ec2kit.sandbox.client import NoSandbox

from ..actions.cluster import until
from ..patience import HANGS
from .conftest import BRIEF, THE_SDK_LEAVES_SOCKETS

pytestmark = THE_SDK_LEAVES_SOCKETS


@pytest.fixture
def node1(tls_sandbox, reach):
    """EC2 as node1 reaches it."""
    return reach(tls_sandbox.description["nodes"]["node1"]["endpoint_url"])


def test_endpoint_is_trusted_with_the_bundle_only(node1, reach, monkeypatch):
    """A client that has the sandbox's bundle is answered; one with a usual bundle refuses the certificate."""
    assert node1.describe_addresses()["Addresses"]
    monkeypatch.setenv("AWS_CA_BUNDLE", str(Path(botocore.__file__).with_name("cacert.pem")))
    with pytest.raises(SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        reach(node1.meta.endpoint_url).describe_addresses()


def test_bundle_has_the_authorities_of_a_real_system(tls_sandbox):
    """A connection costs what it costs with a usual bundle: the sandbox's authority is one of a hundred and more."""
    bundle, own = (Path(tls_sandbox.description[name]).read_text() for name in ("ca_bundle", "ca_file"))
    assert bundle.count("BEGIN CERTIFICATE") > 50
    assert own in bundle


def test_a_servers_shell_asks_over_tls(tls_sandbox):
    """Whoever sources a server's file speaks HTTPS to EC2 and STS, with the credentials of the role."""
    program = (
        "import boto3; print(boto3.client('sts').meta.endpoint_url, len(boto3.client('ec2').describe_vpcs()['Vpcs']))"
    )
    environment = {**tls_sandbox.environment("node1"), "AWS_METADATA_SERVICE_TIMEOUT": f"{HANGS:.0f}"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=HANGS, check=True
    )
    url, vpcs = done.stdout.split()
    assert (url, int(vpcs) > 1) == (tls_sandbox.description["nodes"]["node1"]["sts_url"], True)
    assert url.startswith("https://")
    assert environment["AWS_ENDPOINT_URL"].startswith("https://")
    assert [(each["service"], each["operation"]) for each in tls_sandbox.connections()] == [("tls", "ec2")]


def test_the_ready_sandbox_tells_its_https_endpoints(tmp_path):
    """`run --tls` gives its command the same as `start --tls`."""
    words = [sys.executable, "-c", "from ec2kit.cli.sandbox import command; command()"]
    command = [
        *words,
        "run",
        "--tls",
        "--dir",
        tmp_path,
        "--",
        "sh",
        "-c",
        'echo "$AWS_ENDPOINT_URL"; cat "$AWS_CA_BUNDLE"',
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=HANGS, check=True, env={**os.environ})
    assert re.match(r"https://127\.0\.0\.1:\d+\n.*BEGIN CERTIFICATE", done.stdout, re.DOTALL)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("expired", "certificate has expired"),
        ("name", "doesn't match|IP address mismatch"),
        ("issuer", "unable to get local issuer certificate"),
    ],
)
def test_wrong_certificate_is_shown_by_one_server(tls_sandbox, node1, reach, wrong, words):
    """A client names what is wrong with the certificate; the other server's is good."""
    tls_sandbox.fault("certificate", service="tls", server="node1", wrong=wrong)
    with pytest.raises(SSLError, match=words):
        node1.describe_addresses()
    assert reach(tls_sandbox.description["nodes"]["node2"]["endpoint_url"]).describe_addresses()["Addresses"]
    assert tls_sandbox.calls()[0]["server"] == "node2"


def test_silent_handshake_ends_in_the_clients_time_out(tls_sandbox, node1, reach):
    """The connection is accepted, and no handshake comes; the next connection is not disturbed."""
    tls_sandbox.fault("silent", service="tls", server="node1", count=1)
    with pytest.raises(BotoCoreError, match=r"(?i)time"):
        reach(node1.meta.endpoint_url, config=BRIEF).describe_addresses()
    assert node1.describe_addresses()["Addresses"]


def test_late_handshake_is_waited_for(tls_sandbox, node1):
    """A handshake that comes late is a good one."""
    tls_sandbox.fault("delay", service="tls", operation="ec2", seconds=0.3)
    began = time.monotonic()
    assert node1.describe_addresses()["Addresses"]
    assert time.monotonic() - began >= 0.3


def test_handshake_broken_off_is_a_connection_error(tls_sandbox, node1):
    """The connection breaks before the handshake; a rule for STS leaves EC2 alone."""
    rule = tls_sandbox.fault("reset", service="tls", operation="ec2")
    with pytest.raises(BotoCoreError, match=r"(?i)connect"):
        node1.describe_addresses()
    tls_sandbox.clear(rule)
    tls_sandbox.fault("reset", service="tls", operation="sts")
    assert node1.describe_addresses()["Addresses"]


def test_silent_over_tls_notices_that_the_client_left(tls_sandbox, node1, reach):
    """What a client gives up is not carried out over TLS either."""
    tls_sandbox.fault("silent", server="node1")
    table = tls_sandbox.description["route_table_ids"][0]
    eni = tls_sandbox.description["nodes"]["node2"]["interfaces"]["eth1"]["network_interface_id"]
    impatient = reach(node1.meta.endpoint_url, config=BRIEF)
    with pytest.raises(BotoCoreError, match="Read timeout"):
        impatient.replace_route(RouteTableId=table, DestinationCidrBlock="10.1.0.10/32", NetworkInterfaceId=eni)
    until(tls_sandbox.calls)
    assert [each["carried_out"] for each in tls_sandbox.calls()] == [False]


def test_shut_endpoint_opens_again_over_tls(tls_sandbox, node1):
    """An endpoint that refuses drops its open connections, and comes back on the same port."""
    assert node1.describe_addresses()["Addresses"]
    rule = tls_sandbox.fault("refuse", server="node1")
    with pytest.raises(BotoCoreError, match=r"Could not connect|closed"):
        node1.describe_addresses()
    tls_sandbox.clear(rule)
    assert node1.describe_addresses()["Addresses"]


def test_sandbox_without_tls_has_no_handshakes_to_disturb(sandbox):
    """A fault that could never happen is refused, with what to do; so is an unknown fault of a certificate."""
    with pytest.raises(NoSandbox, match="start it with --tls"):
        sandbox.fault("silent", service="tls")
    with pytest.raises(NoSandbox, match="one of expired, name, issuer"):
        sandbox.fault("certificate", service="tls", wrong="colour")
