"""Each server has a metadata service that speaks version 2 only."""

from __future__ import annotations

import http.client
import json
import time
import urllib.parse
from datetime import datetime, timedelta, timezone

import pytest

from ec2kit.sandbox.imds import ACCESS_KEY_PREFIX, ROLE, SECRET_PREFIX

from ..patience import HANGS
from .conftest import eni

TOKEN = "/latest/api/token"
TTL = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}


def ask(vpc, path, *, method="GET", headers=None, node="node1", timeout=HANGS):
    place = urllib.parse.urlsplit(vpc["nodes"][node]["metadata_url"])
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=timeout)
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def a_token(vpc, node="node1"):
    return {"X-aws-ec2-metadata-token": ask(vpc, TOKEN, method="PUT", headers=TTL, node=node)[1]}


def meta_data(vpc, path, node="node1"):
    return ask(vpc, f"/latest/meta-data/{path}", headers=a_token(vpc, node), node=node)


@pytest.mark.parametrize("headers", [{}, {"X-aws-ec2-metadata-token": "old"}])
def test_without_a_token_nothing_is_told(vpc, headers):
    """Version 1, and a token that is unknown, are answered 401."""
    assert ask(vpc, "/latest/meta-data/instance-id", headers=headers) == (401, "")


@pytest.mark.parametrize("ttl", ["0", "21601", "soon"])
def test_token_needs_a_right_ttl(vpc, ttl):
    """A token lives from one second to six hours."""
    assert ask(vpc, TOKEN, method="PUT", headers={**TTL, "X-aws-ec2-metadata-token-ttl-seconds": ttl})[0] == 400


def test_token_of_one_server_is_nothing_to_another(vpc):
    """Each server has tokens of its own."""
    assert ask(vpc, "/latest/meta-data/mac", headers=a_token(vpc, "node2"))[0] == 401


def test_instance_knows_itself(vpc):
    """Instance id, region and zone are the server's."""
    node = vpc["nodes"]["node2"]
    assert meta_data(vpc, "instance-id", "node2") == (200, node["instance_id"])
    assert meta_data(vpc, "placement/region", "node2") == (200, "us-east-1")
    assert meta_data(vpc, "placement/availability-zone", "node2") == (200, node["availability_zone"])


def test_interfaces_are_found_by_mac(vpc):
    """A device's MAC leads to its interface, subnet and VPC."""
    interface = vpc["nodes"]["node1"]["interfaces"]["eth1"]
    below = f"network/interfaces/macs/{interface['mac']}"
    assert f"{interface['mac']}/" in meta_data(vpc, "network/interfaces/macs/")[1].split()
    assert meta_data(vpc, f"{below}/interface-id") == (200, interface["network_interface_id"])
    assert meta_data(vpc, f"{below}/subnet-id") == (200, interface["subnet_id"])
    assert meta_data(vpc, f"{below}/vpc-ipv4-cidr-blocks") == (200, "10.0.0.0/16")
    assert meta_data(vpc, f"{below}/public-ipv4s")[0] == 404


def test_elastic_ip_is_shown(vpc, ec2):
    """An associated Elastic IP appears on its interface."""
    ec2.associate_address(AllocationId=vpc["allocation_id"], NetworkInterfaceId=eni(vpc, device="eth0"))
    mac = vpc["nodes"]["node1"]["interfaces"]["eth0"]["mac"]
    assert meta_data(vpc, f"network/interfaces/macs/{mac}/public-ipv4s") == (200, vpc["elastic_ip"])
    private = vpc["nodes"]["node1"]["interfaces"]["eth0"]["private_ip_address"]
    path = f"network/interfaces/macs/{mac}/ipv4-associations/{vpc['elastic_ip']}"
    assert meta_data(vpc, path) == (200, private)


def test_role_has_keys_for_six_hours(vpc):
    """The role's keys are recognisable and expire in six hours."""
    assert meta_data(vpc, "iam/security-credentials/") == (200, ROLE)
    keys = json.loads(meta_data(vpc, f"iam/security-credentials/{ROLE}")[1])
    assert keys["AccessKeyId"].startswith(ACCESS_KEY_PREFIX)
    assert keys["SecretAccessKey"].startswith(SECRET_PREFIX)
    expires = datetime.strptime(keys["Expiration"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    assert timedelta(hours=5) < expires - datetime.now(timezone.utc) <= timedelta(hours=6)


def test_instance_without_role_has_no_keys(sandbox, vpc):
    """The effect no-role takes the keys away and leaves the rest."""
    sandbox.fault("no-role", service="imds", server="node1")
    assert meta_data(vpc, "iam/security-credentials/")[0] == 404
    assert meta_data(vpc, "instance-id")[0] == 200


def test_stale_token_is_refused_and_a_new_one_is_good(sandbox, vpc):
    """A token that was good a moment ago is answered 401, for ever; who asks for a new one goes on."""
    token = a_token(vpc)
    assert ask(vpc, "/latest/meta-data/mac", headers=token)[0] == 200
    sandbox.fault("stale-token", service="imds", server="node1", count=1)
    assert [ask(vpc, "/latest/meta-data/mac", headers=token)[0] for _ in range(2)] == [401, 401]
    assert meta_data(vpc, "mac")[0] == 200
    assert [call["effects"] for call in sandbox.imds_calls()[-4:]] == [["stale-token"], [], [], []]


def test_hop_limit_drops_tokens_and_nothing_else(sandbox, vpc):
    """The packets with a token do not arrive; who has one may ask on."""
    token = a_token(vpc)
    sandbox.fault("hop-limit", service="imds", server="node1")
    with pytest.raises(TimeoutError):
        ask(vpc, TOKEN, method="PUT", headers=TTL, timeout=1)
    assert ask(vpc, "/latest/meta-data/mac", headers=token)[0] == 200


def test_metadata_service_can_be_slow_and_out_of_order(sandbox, vpc):
    """It may answer late, and with any status."""
    sandbox.fault("delay", service="imds", server="node1", operation="*/mac", seconds=0.3)
    began = time.monotonic()
    assert meta_data(vpc, "mac")[0] == 200
    assert time.monotonic() - began >= 0.3
    sandbox.fault("error", service="imds", server="node1", status=503)
    assert ask(vpc, TOKEN, method="PUT", headers=TTL) == (503, "")


@pytest.mark.parametrize(("effect", "error"), [("silent", TimeoutError), ("refuse", ConnectionRefusedError)])
def test_metadata_service_can_be_cut(sandbox, vpc, effect, error):
    """One server's metadata service falls silent or refuses; the other's does not."""
    sandbox.fault(effect, service="imds", server="node1")
    with pytest.raises(error):
        ask(vpc, TOKEN, method="PUT", headers=TTL, timeout=1)
    assert ask(vpc, TOKEN, method="PUT", headers=TTL, node="node2")[0] == 200


SCHEDULED, HISTORY = "events/maintenance/scheduled", "events/maintenance/history"
INTERRUPTION, ADVICE = "spot/instance-action", "events/recommendations/rebalance"


def test_nothing_is_announced_as_aws_does_it(vpc):
    """Lists are empty, and the items of Spot Instances do not exist, nor do their folders."""
    assert [meta_data(vpc, path) for path in (SCHEDULED, HISTORY)] == [(200, "[]")] * 2
    assert [meta_data(vpc, path)[0] for path in (INTERRUPTION, ADVICE)] == [404, 404]
    assert "spot/" not in meta_data(vpc, "")[1].split()
    assert meta_data(vpc, "events/") == (200, "maintenance/")


def test_scheduled_event_is_listed_until_it_is_over(sandbox, vpc):
    """With AWS's words and times; on one server, and then in the history."""
    began = time.time()
    rule = sandbox.fault("maintenance", service="imds", server="node1", seconds=7200)
    (event,) = json.loads(meta_data(vpc, SCHEDULED)[1])
    begins = datetime.strptime(event.pop("NotBefore"), "%d %b %Y %H:%M:%S GMT").replace(tzinfo=timezone.utc)
    ends = datetime.strptime(event.pop("NotAfter"), "%d %b %Y %H:%M:%S GMT").replace(tzinfo=timezone.utc)
    assert began + 7199 <= begins.timestamp() <= time.time() + 7200
    assert begins < ends
    assert event.pop("EventId").startswith("instance-event-0")
    assert event == {"Code": "system-reboot", "Description": "scheduled reboot", "State": "active"}
    assert meta_data(vpc, SCHEDULED, "node2") == (200, "[]")
    sandbox.clear(rule)
    sandbox.fault("maintenance", service="imds", server="node1", ended="canceled")
    assert meta_data(vpc, SCHEDULED) == (200, "[]")
    (event,) = json.loads(meta_data(vpc, HISTORY)[1])
    assert (event["State"], event["Description"]) == ("canceled", "[Canceled] scheduled reboot")


def test_retirement_has_no_end(sandbox, vpc):
    """Several events stand in one list."""
    sandbox.fault("maintenance", service="imds", event="instance-retirement", seconds=0)
    sandbox.fault("maintenance", service="imds", event="system-maintenance", seconds=0)
    events = {each["Code"]: each for each in json.loads(meta_data(vpc, SCHEDULED)[1])}
    assert {name for name, each in events.items() if "NotAfter" in each} == {"system-maintenance"}
    assert set(events) == {"system-maintenance", "instance-retirement"}


@pytest.mark.parametrize(
    ("action", "folder"), [("terminate", "termination-time"), ("stop", None), ("hibernate", None)]
)
def test_spot_instance_is_told_of_its_interruption(sandbox, vpc, action, folder):
    """Two minutes before; the older item has the time of a termination only."""
    sandbox.fault("interruption", service="imds", server="node1", action=action)
    told = json.loads(meta_data(vpc, INTERRUPTION)[1])
    at = datetime.strptime(told["time"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
    assert told["action"] == action
    assert abs(at.timestamp() - time.time() - 120) < HANGS
    assert set(meta_data(vpc, "spot/")[1].split()) == {"instance-action", *([folder] if folder else [])}


def test_rebalance_recommendation_has_its_time(sandbox, vpc):
    """It exists until the fault is cleared."""
    rule = sandbox.fault("rebalance", service="imds", server="node1")
    assert set(json.loads(meta_data(vpc, ADVICE)[1])) == {"noticeTime"}
    sandbox.clear(rule)
    assert meta_data(vpc, ADVICE)[0] == 404


def test_boto3_finds_the_credentials(monkeypatch: pytest.MonkeyPatch, sandbox, vpc):
    """An unmodified SDK takes the role's keys from there, and no token is kept in a file."""
    from botocore.credentials import InstanceMetadataProvider
    from botocore.utils import InstanceMetadataFetcher

    url = vpc["nodes"]["node1"]["metadata_url"]
    fetcher = InstanceMetadataFetcher(timeout=HANGS, num_attempts=2, base_url=f"{url}/")
    found = InstanceMetadataProvider(fetcher).load()
    assert found.access_key.startswith(ACCESS_KEY_PREFIX)
    assert "imds-token" not in (sandbox.folder / "imds.jsonl").read_text()
