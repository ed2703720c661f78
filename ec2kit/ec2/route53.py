"""
Route 53 is asked, or asked to change something, by one method for each operation of its API that the kit calls.

It is one service for all regions of a partition. Its requests pass the same stages, guard and permit as EC2's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from ec2kit.ec2.answers import Receipt

if TYPE_CHECKING:
    from ec2kit.ec2.request import Requests

UPSERT, CREATE, DELETE = "UPSERT", "CREATE", "DELETE"

_SHAPES = {
    "AliasTarget": "an alias",
    "TrafficPolicyInstanceId": "of a traffic policy",
    "Weight": "weighted",
    "Region": "latency-based",
    "Failover": "of failover routing",
    "GeoLocation": "geographic",
    "GeoProximityLocation": "of geoproximity routing",
    "CidrRoutingConfig": "IP-based",
    "MultiValueAnswer": "a multivalue answer",
    "SetIdentifier": "one of several with set identifiers",
    "HealthCheckId": "under a health check",
}
"""
A member of a record set → what a set with this member is, which a simple one is not.

Source: Route 53 API, ResourceRecordSet.
"""


class RecordSet(NamedTuple):
    """
    The record set of a name and a type.

    Attributes:
        values: As they are in the answer: Route 53 deletes only what is named exactly.
        shape: "": it has simple routing; otherwise what it is, "weighted".
    """

    ttl: int
    values: tuple[str, ...]
    shape: str = ""


class HostedZone(NamedTuple):
    """
    A hosted zone.

    Attributes:
        name: Without the last dot, "example.com".
        vpc_ids: Of a private zone, the VPCs that see it.
    """

    name: str
    is_private: bool
    vpc_ids: tuple[str, ...]


class Route53:
    """Ask Route 53 on behalf of one action."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        self._spreading: dict[str, str] = {}

    def has_sent(self, operation: str, targets: Iterable[object]) -> bool:
        """Tell the same as `Ec2.has_sent`."""
        return self._requests.has_sent(operation, targets)

    def record_set(self, *, hosted_zone_id: str, name: str, record_type: str) -> RecordSet | None:
        """
        Return the record set of a name and a type, None if there is none; of several with set identifiers, the first.

        Source: Route 53 API, ListResourceRecordSets: it begins with the name and type that are asked for, or with the
        next ones, and shows changes that the DNS servers do not have yet.
        """
        question = {
            "HostedZoneId": hosted_zone_id,
            "StartRecordName": name,
            "StartRecordType": record_type,
            "MaxItems": "1",
        }

        def read(answer: Any) -> RecordSet | None:
            listed = answer["ResourceRecordSets"]
            return _record_set(listed[0]) if listed and _is(listed[0], name, record_type) else None

        return self._requests.look("ListResourceRecordSets", f"{record_type} {name}", question, read)

    def hosted_zone(self, hosted_zone_id: str) -> HostedZone:
        """
        Return a hosted zone.

        Raises:
            AwsRefused: There is no such zone (NoSuchHostedZone).

        Source: Route 53 API, GetHostedZone.
        """
        return self._requests.look("GetHostedZone", hosted_zone_id, {"Id": hosted_zone_id}, _hosted_zone)

    def is_in_sync(self, target: str) -> bool:
        """
        Tell whether all DNS servers have the latest change that this action made to a record set; True: it made none.

        Args:
            target: The name of the record set, as in `change_record_set`.

        Source: Route 53 API, GetChange: PENDING until all authoritative servers have the change, then INSYNC.
        """
        change_id = self._spreading.get(target)
        if change_id is None:
            return True
        if not self._requests.look("GetChange", target, {"Id": change_id}, _is_in_sync):
            return False
        del self._spreading[target]
        return True

    def change_record_set(
        self,
        *,
        action: str,
        target: str,
        hosted_zone_id: str,
        name: str,
        record_type: str,
        record_set: RecordSet,
        instead_of: RecordSet | None = None,
    ) -> Receipt:
        """
        Change a record set of simple routing: make, replace or delete it.

        Args:
            action: UPSERT, CREATE or DELETE. Route 53 refuses to create a record set that is there, and to delete one
                that is not there or has another value or TTL.
            target: The name of the record set in messages, "A db.example.com".
            instead_of: Deleted first, in the same transaction: nothing is changed unless the record set is this one.

        Raises:
            AwsRefused: There is no such zone (NoSuchHostedZone), or the change does not fit (InvalidChangeBatch).
            AwsThrottled: The account makes too many requests, or an earlier change is not made yet
                (PriorRequestNotComplete); this one was not made.
            AwsUnknown: There is no usable answer; `uncertain` tells whether the change may have been carried out.

        Source: Route 53 API, ChangeResourceRecordSets: a change batch is made as a whole or not at all.
        """
        steps = [(DELETE, instead_of)] if instead_of is not None else []
        changes = [_change(*step, name, record_type) for step in (*steps, (action, record_set))]

        def take_in(answer: Any) -> None:
            self._spreading[target] = _id(answer["ChangeInfo"]["Id"])

        return self._requests.change(
            "ChangeResourceRecordSets",
            target,
            {"HostedZoneId": hosted_zone_id, "ChangeBatch": {"Changes": changes}},
            take_in=take_in,
        )


def _is(listed: Any, name: str, record_type: str) -> bool:
    return _without_dot(listed["Name"]) == name and listed["Type"] == record_type


def _record_set(listed: Any) -> RecordSet:
    shape = next((what for member, what in _SHAPES.items() if _has(listed.get(member))), "")
    values = (str(each["Value"]) for each in listed.get("ResourceRecords", ()))
    return RecordSet(int(listed.get("TTL", 0)), tuple(values), shape)


def _has(value: Any) -> bool:
    """Tell whether a member is there, also a weight of 0."""
    return value is not None and value is not False


def _without_dot(name: str) -> str:
    return name.lower().removesuffix(".")


def _hosted_zone(answer: Any) -> HostedZone:
    zone = answer["HostedZone"]
    vpc_ids = tuple(str(each["VPCId"]) for each in answer.get("VPCs", ()))
    return HostedZone(_without_dot(zone["Name"]), bool(zone.get("Config", {}).get("PrivateZone")), vpc_ids)


def _is_in_sync(answer: Any) -> bool:
    return bool(answer["ChangeInfo"]["Status"] == "INSYNC")


def _id(text: str) -> str:
    """Return an id without the path before it, "/change/C1"."""
    return text.rpartition("/")[2]


def _change(action: str, record_set: RecordSet, name: str, record_type: str) -> dict[str, Any]:
    records = [{"Value": each} for each in record_set.values]
    named = {"Name": name, "Type": record_type, "TTL": record_set.ttl, "ResourceRecords": records}
    return {"Action": action, "ResourceRecordSet": named}
