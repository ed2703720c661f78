"""An endpoint that ignores DryRun, as plain moto does for routes: a check there must change nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any, NamedTuple

import boto3
import pytest

from ec2kit.sandbox.client import Sandbox
from ec2kit.sandbox.process import running

from .cluster import ACTIONS, EIP_TAG, VIP_TAG, Done, finished

REGION = "eu-west-1"
"""A region of its own: moto's EC2 of another region belongs to other tests of this process."""


class PlainMoto(NamedTuple):
    """
    Two servers whose EC2 is moto itself, beside the sandbox that has made the example in the same moto.

    Attributes:
        url: moto's endpoint, without the layer that closes the differences to EC2.
    """

    sandbox: Sandbox
    url: str

    def run(self, server: str, action: str, *words: str, url: str | None = None) -> Done:
        """Run an action; url: the endpoint, moto's if it is left out."""
        environment = {**self.sandbox.environment(server), "AWS_ENDPOINT_URL": url or self.url}
        command = [str(ACTIONS / action), *words]
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return finished(process)

    def create_by_the_sandbox(self, tag: str, *words: str) -> None:
        url = self.sandbox.description["nodes"]["node1"]["endpoint_url"]
        done = self.run("node1", "create", "-t", tag, *words, "--interface", "eth1", url=url)
        assert done.status == 0, done.stderr

    def shown(self) -> list[Any]:
        """All that a check must not change, as the undisturbed endpoint shows it."""
        ec2 = boto3.client("ec2", REGION, endpoint_url=self.sandbox.description["endpoint_url"])
        looks = (ec2.describe_route_tables, ec2.describe_addresses, ec2.describe_network_interfaces)
        return [{**look(), "ResponseMetadata": None} for look in looks]


@pytest.fixture(scope="module")
def _moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainMoto]:
    from moto.server import ThreadedMotoServer

    folder = tmp_path_factory.mktemp("plain-moto")
    with running(folder, nodes=2, tables=2, region=REGION):
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        try:
            host, port = server.get_host_and_port()
            yield PlainMoto(Sandbox(folder), f"http://{host}:{port}")
        finally:
            server.stop()


@pytest.fixture
def moto(_moto: PlainMoto, credentials: None) -> PlainMoto:
    _moto.sandbox.reset()
    return _moto


def test_a_check_on_an_endpoint_that_ignores_dry_run_changes_nothing_and_says_so(moto: PlainMoto) -> None:
    """canextend and extend of routes fail there with the reason, and every route is where it was."""
    moto.create_by_the_sandbox(VIP_TAG, "--type", "route-table", "--vip", "10.1.0.10")
    before = moto.shown()
    for words in (["canextend", "node1", VIP_TAG], ["extend", "node1", VIP_TAG, "--priority", "10"]):
        done = moto.run("node2", *words)
        assert done.status == 1
        assert "does not know DryRun" in done.stderr
        assert moto.shown() == before


def test_a_check_on_an_endpoint_that_heeds_dry_run_passes_and_changes_nothing(moto: PlainMoto) -> None:
    """Where the operations on Elastic IPs heed DryRun, as in moto, an Elastic IP can be extended."""
    moto.create_by_the_sandbox(
        EIP_TAG, "--type", "elastic-ip", "--elastic-ip", moto.sandbox.description["elastic_ip"]
    )
    before = moto.shown()
    done = moto.run("node2", "canextend", "node1", EIP_TAG)
    assert done.status == 0, done.stderr
    assert moto.shown() == before
