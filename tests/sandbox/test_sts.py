"""STS gives the keys of a role, or refuses, as an unmodified SDK meets it."""

from __future__ import annotations

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ..patience import HANGS
from .conftest import BRIEF, ONCE, THE_SDK_LEAVES_SOCKETS

pytestmark = THE_SDK_LEAVES_SOCKETS

ROLE = "arn:aws:iam::123456789012:role/path/mover"


@pytest.fixture
def role(sandbox, monkeypatch, tmp_path):
    """An SDK of node1 whose profile is a role, which the instance's role may assume."""
    for name, value in sandbox.environments["node1"].items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    config = tmp_path / "config"
    config.write_text(f"[profile mover]\nrole_arn = {ROLE}\ncredential_source = Ec2InstanceMetadata\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_METADATA_SERVICE_TIMEOUT", f"{HANGS:.0f}")
    return boto3.session.Session(profile_name="mover")


def test_role_is_assumed_with_the_instances_keys(sandbox, role):
    """IMDS gives keys, STS gives those of the role for them, and EC2 takes these; the journal has no secret."""
    assert role.client("ec2", config=ONCE).describe_addresses()["Addresses"]
    (call,) = sandbox.sts_calls()
    assert (call["operation"], call["parameters"]["RoleArn"], call["status"]) == ("AssumeRole", ROLE, 200)
    assert len(sandbox.calls()) == 1


def test_route_tables_of_another_account_are_its_roles_alone(sandbox, role):
    """The keys of a role are good for the account of the role only, and for nothing but its tables."""
    by_role = role.client("ec2", config=ONCE)
    by_server = boto3.session.Session().client("ec2", config=ONCE)
    sandbox.fault("other-account", account="123456789012")
    assert by_role.describe_route_tables()["RouteTables"]
    assert by_server.describe_addresses()["Addresses"]
    for refused in (by_role.describe_addresses, by_server.describe_route_tables):
        with pytest.raises(ClientError, match="UnauthorizedOperation"):
            refused()
    sandbox.clear()
    sandbox.fault("other-account", account="210987654321")
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        by_role.describe_route_tables()


def test_worn_keys_are_refused_and_others_are_good(sandbox, role):
    """The keys of the first call stay refused; those that come after them are taken."""
    sandbox.fault("worn", skip=1)
    by_role = role.client("ec2", config=ONCE)
    assert by_role.describe_addresses()["Addresses"]
    for _ in range(2):
        with pytest.raises(ClientError, match="RequestExpired"):
            by_role.describe_addresses()
    assert boto3.session.Session().client("ec2", config=ONCE).describe_addresses()["Addresses"]


@pytest.mark.parametrize(
    ("effect", "arguments", "code", "status"),
    [
        ("deny", {}, "AccessDenied", 403),
        ("throttle", {}, "Throttling", 400),
        ("expired", {}, "ExpiredToken", 403),
        ("error", {}, "InternalFailure", 500),
        ("error", {"status": 503}, "ServiceUnavailable", 503),
    ],
)
def test_sts_refuses(sandbox, effect, arguments, code, status):
    """An error has STS's form, code and status; EC2 is not disturbed."""
    sandbox.fault(effect, service="sts", server="node1", **arguments)
    with pytest.raises(ClientError) as caught:
        sts(sandbox).assume_role(RoleArn=ROLE, RoleSessionName="test")
    response = caught.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    assert response["ResponseMetadata"]["RequestId"] == sandbox.sts_calls()[0]["request_id"]


def sts(sandbox, config=ONCE, **settings):
    config = config.merge(Config(**settings))
    url = sandbox.description["nodes"]["node1"]["sts_url"]
    keys = {"aws_access_key_id": "anybody", "aws_secret_access_key": "anything"}
    return boto3.client("sts", region_name="us-east-1", endpoint_url=url, config=config, **keys)


def test_sts_is_silent(sandbox):
    """No answer from STS ends in the client's time-out."""
    sandbox.fault("silent", service="sts", server="node1")
    with pytest.raises(BotoCoreError, match="Read timeout"):
        sts(sandbox, BRIEF).get_caller_identity()


def test_sts_says_what_is_wrong(sandbox):
    """A call without a signature, of no operation, or with parameters that cannot be, is refused with STS's code."""
    with pytest.raises(ClientError, match="MissingAuthenticationToken"):
        sts(sandbox, signature_version=UNSIGNED).get_caller_identity()
    with pytest.raises(ClientError, match="InvalidAction"):
        sts(sandbox).get_session_token()
    with pytest.raises(ClientError, match="ValidationError"):
        sts(sandbox).assume_role(RoleArn="mover", RoleSessionName="test")
    given = sts(sandbox).assume_role_with_web_identity(RoleArn=ROLE, RoleSessionName="test", WebIdentityToken="e.y.J")
    assert given["AssumedRoleUser"]["Arn"] == "arn:aws:sts::123456789012:assumed-role/mover/test"
    assert "e.y.J" not in (sandbox.folder / "sts.jsonl").read_text()
