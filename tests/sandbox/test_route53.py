"""The sandbox's Route 53, as an unmodified SDK meets it: strict where AWS is, and disturbed by rules."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from ..one_sandbox import OneSandbox
from .conftest import ONCE


@pytest.fixture
def route53(sandbox: OneSandbox) -> Any:
    return boto3.client(
        "route53",
        endpoint_url=sandbox.description["nodes"]["node1"]["route53_url"],
        region_name="us-east-1",
        aws_access_key_id="anybody",
        aws_secret_access_key="anything",
        config=ONCE,
    )


ZONE = "Z0EC2KITPUBLIC"


def _change(route53: Any, action: str, name: str, *values: str, kind: str = "A", **more: Any) -> Any:
    record = {"Name": name, "Type": kind, "TTL": 10, "ResourceRecords": [{"Value": each} for each in values], **more}
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    return route53.change_resource_record_sets(HostedZoneId=ZONE, ChangeBatch=batch)["ChangeInfo"]


def _code(call: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def test_record_sets_are_listed_from_a_name_and_a_type_on(sandbox: OneSandbox, route53: Any) -> None:
    """In the order of the labels from the last to the first, page by page; a change shows at once."""
    _change(route53, "CREATE", "db.example.com", "192.0.2.5")
    asked = {"HostedZoneId": ZONE, "StartRecordName": "db.example.com", "StartRecordType": "A", "MaxItems": "1"}
    page = route53.list_resource_record_sets(**asked)
    (found,) = page["ResourceRecordSets"]
    assert (found["Name"], found["TTL"], found["ResourceRecords"]) == (
        "db.example.com.",
        10,
        [{"Value": "192.0.2.5"}],
    )
    assert (page["IsTruncated"], page["NextRecordName"]) == (True, "other.example.com.")
    names = [each["Name"] for each in route53.list_resource_record_sets(HostedZoneId=ZONE)["ResourceRecordSets"]]
    assert names[:2] == ["example.com.", "example.com."]
    assert names[-2:] == ["weighted.example.com.", "weighted.example.com."]


def test_change_that_does_not_fit_is_refused_as_a_whole(sandbox: OneSandbox, route53: Any) -> None:
    """CREATE of what is there, DELETE of what is another, CNAME beside others, a simple one beside weighted ones."""
    invalid = "InvalidChangeBatch"
    assert _code(lambda: _change(route53, "CREATE", "other.example.com", "192.0.2.5")) == invalid
    assert _code(lambda: _change(route53, "DELETE", "other.example.com", "192.0.2.5")) == invalid
    assert _code(lambda: _change(route53, "UPSERT", "other.example.com", "a.example.com", kind="CNAME")) == invalid
    assert _code(lambda: _change(route53, "UPSERT", "alone.example.com", "192.0.2.5")) == invalid
    assert _code(lambda: _change(route53, "UPSERT", "weighted.example.com", "192.0.2.5")) == invalid
    assert _code(lambda: _change(route53, "UPSERT", "db.example.org", "192.0.2.5")) == invalid
    assert _code(lambda: _change(route53, "UPSERT", "db.example.com", "node1")) == invalid
    assert _code(lambda: route53.list_resource_record_sets(HostedZoneId="ZNONE")) == "NoSuchHostedZone"
    assert _code(lambda: route53.get_change(Id="CNONE")) == "NoSuchChange"
    assert not any(call["carried_out"] for call in sandbox.calls())


def test_change_is_in_sync_at_once_unless_a_rule_says_otherwise(sandbox: OneSandbox, route53: Any) -> None:
    """`spreading` shows PENDING for its time; another zone, another kind, and a reset as well."""
    made = _change(route53, "UPSERT", "db.example.com", "192.0.2.5")
    assert made["Status"] == "PENDING"
    assert route53.get_change(Id=made["Id"])["ChangeInfo"]["Status"] == "INSYNC"
    sandbox.fault("spreading", service="route53", seconds=86400)
    assert route53.get_change(Id=made["Id"])["ChangeInfo"]["Status"] == "PENDING"
    private = route53.get_hosted_zone(Id=sandbox.description["hosted_zone_id"])
    assert [each["VPCId"] for each in private["VPCs"]] == [sandbox.description["vpc_id"]]
    sandbox.reset()
    assert _code(lambda: route53.get_change(Id=made["Id"])) == "NoSuchChange"


def test_change_has_its_comment(route53: Any) -> None:
    """Route 53 returns it with the change, and leaves it out where there was none."""
    record = {"Name": "db.example.com", "Type": "A", "TTL": 10, "ResourceRecords": [{"Value": "192.0.2.5"}]}
    batch = {"Comment": "to the other server", "Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
    made = route53.change_resource_record_sets(HostedZoneId=ZONE, ChangeBatch=batch)["ChangeInfo"]
    assert made["Comment"] == "to the other server"
    assert route53.get_change(Id=made["Id"])["ChangeInfo"]["Comment"] == "to the other server"
    assert "Comment" not in _change(route53, "UPSERT", "db.example.com", "192.0.2.6")


@pytest.mark.parametrize(
    ("effect", "code"), [("throttle", "Throttling"), ("deny", "AccessDenied"), ("expired", "ExpiredToken")]
)
def test_errors_of_route_53_have_its_own_codes(sandbox: OneSandbox, route53: Any, effect: str, code: str) -> None:
    """They are not EC2's."""
    sandbox.fault(effect, service="route53", count=1)
    assert _code(lambda: route53.get_hosted_zone(Id=ZONE)) == code
    assert route53.get_hosted_zone(Id=ZONE)["HostedZone"]["Name"] == "example.com."
