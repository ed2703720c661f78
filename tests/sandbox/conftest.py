"""The sandbox put back as it was before each test, and EC2 as an SDK reaches it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import boto3
import pytest
from botocore.config import Config

from ec2kit.sandbox.client import Sandbox, started

from ..one_sandbox import OneSandbox
from ..patience import HANGS

ONCE = Config(
    retries={"total_max_attempts": 1}, connect_timeout=HANGS, read_timeout=HANGS, parameter_validation=False
)
"""A client that tries once, and waits for its answer."""

BRIEF = ONCE.merge(Config(connect_timeout=1, read_timeout=1))
"""A client that silence ends."""


@pytest.fixture
def sandbox(one_sandbox: OneSandbox) -> OneSandbox:
    one_sandbox.reset(tables=7)
    return one_sandbox


def a_client(url: str, *, region: str = "us-east-1", config: Config = ONCE) -> Any:
    return boto3.client(
        "ec2",
        endpoint_url=url,
        region_name=region,
        aws_access_key_id="anybody",
        aws_secret_access_key="anything",
        config=config,
    )


@pytest.fixture(scope="session")
def _tls_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with started(tmp_path_factory.mktemp("tls") / "with space", tls=True, within=HANGS) as sandbox:
        yield sandbox


@pytest.fixture
def tls_sandbox(_tls_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A sandbox over TLS, trusted by the clients of the test."""
    _tls_sandbox.reset()
    monkeypatch.setenv("AWS_CA_BUNDLE", _tls_sandbox.description["ca_bundle"])
    return _tls_sandbox


@pytest.fixture
def collected() -> Iterator[None]:
    """Lets go of the sockets that the SDK left open, before another test can be blamed for them."""
    yield
    gc.collect()


THE_SDK_LEAVES_SOCKETS = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.usefixtures("collected"),
]
"""Marks of a module: botocore closes no socket of IMDS, and none whose handshake failed."""


@pytest.fixture
def reach() -> Iterator[Callable[..., Any]]:
    """Makes clients of EC2, as `a_client` does, and closes them after the test."""
    with ExitStack() as stack:
        yield lambda url, **settings: stack.enter_context(closing(a_client(url, **settings)))


@pytest.fixture(scope="session")
def _clients(one_sandbox: OneSandbox) -> dict[str, Any]:
    description = one_sandbox.description
    servers = {name: a_client(node["endpoint_url"]) for name, node in description["nodes"].items()}
    return {**servers, "": a_client(description["endpoint_url"])}


@pytest.fixture
def ec2(sandbox: Sandbox, _clients: dict[str, Any]) -> Any:
    """EC2 as node1 reaches it."""
    return _clients["node1"]


@pytest.fixture
def other_server(sandbox: Sandbox, _clients: dict[str, Any]) -> Any:
    """EC2 as node2 reaches it."""
    return _clients["node2"]


@pytest.fixture
def undisturbed(sandbox: Sandbox, _clients: dict[str, Any]) -> Any:
    """EC2 where no rule holds."""
    return _clients[""]


@pytest.fixture
def vpc(sandbox: Sandbox) -> dict[str, Any]:
    """sandbox.json."""
    return sandbox.description


def eni(vpc: dict[str, Any], node: str = "node1", device: str = "eth1") -> str:
    return str(vpc["nodes"][node]["interfaces"][device]["network_interface_id"])


def the_route(ec2: Any, table: str, cidr: str = "10.1.0.10/32") -> dict[str, Any]:
    routes = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    return next(route for route in routes if route.get("DestinationCidrBlock") == cidr)


def move(ec2: Any, vpc: dict[str, Any], *, node: str = "node2", **params: Any) -> Any:
    """Point the first table's route to the VIP at a server's eth1."""
    return ec2.replace_route(
        RouteTableId=vpc["route_table_ids"][0],
        DestinationCidrBlock="10.1.0.10/32",
        NetworkInterfaceId=eni(vpc, node),
        **params,
    )


def target(ec2: Any, vpc: dict[str, Any]) -> str:
    """What the first table's route to the VIP points at."""
    return str(the_route(ec2, vpc["route_table_ids"][0])["NetworkInterfaceId"])


def the_address(ec2: Any, vpc: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = ec2.describe_addresses(AllocationIds=[vpc["allocation_id"]])["Addresses"][0]
    return found


def refused(call: Any, **params: Any) -> tuple[str, str]:
    """The code and the message of the error that a call ends with."""
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]
