"""
A request to an endpoint of Route 53 becomes a call; the endpoints of all servers share the zones.

Source: Route 53 API, ListResourceRecordSets, ChangeResourceRecordSets, GetChange, GetHostedZone, "Common errors".
"""

from __future__ import annotations

import re
import time
import urllib.parse
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from ec2kit.sandbox.call import ROUTE53_NAMESPACE, Call, Journal, Refused, error
from ec2kit.sandbox.rules import Rules
from ec2kit.sandbox.wire import Answer, Received
from ec2kit.sandbox.zones import Made, Record, Zone, Zones

PREFIX = "/2013-04-01/"

_MOST_CHANGES = 1000

Content = dict[str, Any]


class Route53:
    """
    Answer requests at one endpoint.

    Args:
        server: The server that the endpoint belongs to. None: the undisturbed endpoint.
    """

    def __init__(self, *, server: str | None, zones: Zones, rules: Rules, journal: Journal) -> None:
        self._server = server
        self._zones = zones
        self._rules = rules
        self._journal = journal

    def __call__(self, received: Received) -> Answer:
        began, era = time.perf_counter(), self._journal.era
        call = _read(received, self._server)
        answer, effects = self._rules.disturb(call, lambda: self._carry_out(call, era))
        told = {
            **call.at_the_door(effects),
            "parameters": {**call.parameters, **call.told},
            "status": answer.status or None,
            "code": call.code,
            "request_id": call.request_id,
            "milliseconds": round((time.perf_counter() - began) * 1000, 3),
            "user_agent": received.headers.get("user-agent", ""),
            "dry_run": False,
            "carried_out": call.carried_out,
        }
        self._journal.write(told, era=era)
        return answer

    def _carry_out(self, call: Call, era: int) -> Answer:
        try:
            if "/route53/aws4_request" not in call.received.headers.get("authorization", ""):
                raise Refused("MissingAuthenticationToken", "Request is missing Authentication Token")
            with self._zones.lock:
                if era != self._journal.era:
                    raise Refused("ServiceUnavailable", "The sandbox has been reset since this request arrived.")
                content = _OPERATIONS[call.operation](call, self._zones)
        except Refused as refused:
            return error(call, refused.code, refused.message)
        call.carried_out = True
        name = f"{call.operation}Response"
        body = f'<?xml version="1.0"?>\n<{name} xmlns="{ROUTE53_NAMESPACE}">{_xml(content)}</{name}>'
        return Answer(200, body.encode(), headers={"x-amzn-RequestId": call.request_id})


def _read(received: Received, server: str | None) -> Call:
    """Return a request as a call; what its path and its query name are its parameters."""
    path, _, query = received.path.partition("?")
    given = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
    for method, form, operation in _PATHS:
        found = re.fullmatch(form, path)
        if found and received.method == method:
            return Call("route53", server, operation, {**given, "Id": found[1]}, received)
    return Call("route53", server, "Unknown", given, received)


def _xml(content: Any) -> str:
    if isinstance(content, Mapping):
        return "".join(f"<{name}>{_inner(name, each)}</{name}>" for name, each in content.items())
    return escape(str(content))


def _inner(name: str, value: Any) -> str:
    """Return what is in an element; the members of a list have the name of the list without its s."""
    if not isinstance(value, list):
        return _xml(value)
    member = {"VPCs": "VPC"}.get(name, name.removesuffix("s"))
    return "".join(f"<{member}>{_xml(each)}</{member}>" for each in value)


# -- looking -----------------------------------------------------------------------------------------------------


def _zone_of(call: Call, zones: Zones) -> Zone:
    zone = zones.zones.get(call.parameters["Id"])
    if zone is None:
        raise Refused("NoSuchHostedZone", f"No hosted zone found with ID: {call.parameters['Id']}")
    return zone


def _list(call: Call, zones: Zones) -> Content:
    zone, told = _zone_of(call, zones), call.parameters
    if "type" in told and "name" not in told:
        raise Refused("InvalidInput", "The input is not valid: a type needs a name")
    most = int(told.get("maxitems", 300))
    first = (_order(told.get("name", "")), told.get("type", ""), told.get("identifier", ""))
    listed = [each for each in sorted(zone.records, key=_place) if _place(each) >= first]
    more = {}
    if len(listed) > most:
        following = listed[most]
        more = {"NextRecordName": following["Name"], "NextRecordType": following["Type"]}
    shown = listed[:most]
    return {
        "ResourceRecordSets": shown,
        "IsTruncated": "true" if more else "false",
        **more,
        "MaxItems": most,
    }


def _place(record: Record) -> tuple[list[str], str, str]:
    return _order(record["Name"]), record["Type"], record.get("SetIdentifier", "")


def _order(name: str) -> list[str]:
    """Return the labels of a name in the order of the listing: that of the domain first."""
    return [each for each in reversed(_canonical(name).split(".")) if each]


def _canonical(name: str) -> str:
    return name.lower().rstrip(".") + "." if name else ""


def _get_zone(call: Call, zones: Zones) -> Content:
    zone = _zone_of(call, zones)
    config = {"PrivateZone": "true" if zone.vpc_ids else "false"}
    described: Content = {
        "HostedZone": {
            "Id": f"/hostedzone/{zone.zone_id}",
            "Name": zone.name,
            "CallerReference": "ec2kit",
            "Config": config,
            "ResourceRecordSetCount": len(zone.records),
        }
    }
    if zone.vpc_ids:
        described["VPCs"] = [{"VPCRegion": "us-east-1", "VPCId": each} for each in zone.vpc_ids]
    return described


def _get_change(call: Call, zones: Zones) -> Content:
    made = zones.made.get(call.parameters["Id"])
    if made is None:
        raise Refused("NoSuchChange", f"A change with ID: {call.parameters['Id']} does not exist")
    is_pending = time.monotonic() - made.at < call.pending
    return _change_info(call.parameters["Id"], "PENDING" if is_pending else "INSYNC", made)


def _change_info(change_id: str, status: str, made: Made) -> Content:
    """Return a change, with its comment if it has one: aws-vpc-route53 counts the words of the answer."""
    submitted = time.gmtime(time.time() - (time.monotonic() - made.at))
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", submitted)
    comment = {"Comment": made.comment} if made.comment else {}
    return {"ChangeInfo": {"Id": f"/change/{change_id}", "Status": status, "SubmittedAt": at, **comment}}


# -- changing ----------------------------------------------------------------------------------------------------


def _change(call: Call, zones: Zones) -> Content:
    """Make all changes of a batch, or none of them."""
    zone = _zone_of(call, zones)
    comment, changes = _batch(call.received.body)
    if not 1 <= len(changes) <= _MOST_CHANGES:
        raise Refused("InvalidChangeBatch", f"[Number of records limit of {_MOST_CHANGES} exceeded.]")
    records = list(zone.records)
    for action, record in changes:
        _check(zone, record)
        _one(zone, records, action, record)
    zone.records, call.told = records, _last_of(changes)
    change_id = f"C{uuid.uuid4().hex[:20].upper()}"
    zones.made[change_id] = Made(time.monotonic(), comment)
    return _change_info(change_id, "PENDING", zones.made[change_id])


def _last_of(changes: list[tuple[str, Record]]) -> dict[str, str]:
    """Return what the journal has of a batch: the record set that is there in the end, with its first value."""
    _, record = changes[-1]
    value = (record.get("ResourceRecords") or [{"Value": ""}])[0]["Value"]
    return {"Name": record["Name"], "Type": record["Type"], "Value": value}


def _batch(body: bytes) -> tuple[str, list[tuple[str, Record]]]:
    """Return the comment of a batch, and its changes."""
    try:
        root = ElementTree.fromstring(body)  # noqa: S314  # the sandbox listens on loopback only
    except ElementTree.ParseError as wrong:
        raise Refused("InvalidInput", f"Invalid XML ; {wrong}") from wrong
    changes = [_content(each) for each in root.iter(f"{{{ROUTE53_NAMESPACE}}}Change")]
    comment = root.findtext(f".//{{{ROUTE53_NAMESPACE}}}Comment") or ""
    return comment, [(each["Action"], each["ResourceRecordSet"]) for each in changes]


def _content(element: ElementTree.Element) -> Any:
    inner = list(element)
    name = element.tag.partition("}")[2]
    if name == "ResourceRecords":
        return [_content(each) for each in inner]
    return {each.tag.partition("}")[2]: _content(each) for each in inner} if inner else (element.text or "")


def _check(zone: Zone, record: Record) -> None:
    """Refuse a record set that does not fit the zone, or has no or wrong values."""
    record["Name"], kind = _canonical(record["Name"]), record["Type"]
    if record["Name"] != zone.name and not record["Name"].endswith(f".{zone.name}"):
        text = f"[RRSet with DNS name {record['Name']} is not permitted in zone {zone.name}]"
        raise Refused("InvalidChangeBatch", text)
    if "AliasTarget" not in record and ("TTL" not in record or not record.get("ResourceRecords")):
        text = "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords]"
        raise Refused("InvalidInput", text)
    for each in record.get("ResourceRecords", ()):
        if kind in _VALUES and not re.fullmatch(_VALUES[kind], each["Value"]):
            text = f"[Invalid Resource Record: '{_WRONG[kind]}' - '{each['Value']}']"
            raise Refused("InvalidChangeBatch", text)


_VALUES = {"A": r"[0-9]{1,3}(\.[0-9]{1,3}){3}", "AAAA": r"[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*", "CNAME": r"[^\s/]+"}
_WRONG = {
    "A": "ARRDATAIllegalIPv4Address",
    "AAAA": "AAAARRDATAIllegalIPv6Address",
    "CNAME": "CNAMERRDATANotSingleValue",
}


def _one(zone: Zone, records: list[Record], action: str, record: Record) -> None:
    """Make one change of a batch in a copy of the zone's record sets."""
    alike = [each for each in records if (each["Name"], each["Type"]) == (record["Name"], record["Type"])]
    same = [each for each in alike if each.get("SetIdentifier") == record.get("SetIdentifier")]
    named = f"name='{record['Name']}', type='{record['Type']}'"
    if action == "DELETE":
        if not same:
            text = f"[Tried to delete resource record set [{named}] but it was not found]"
            raise Refused("InvalidChangeBatch", text)
        if not _is_same(same[0], record):
            text = f"[Tried to delete resource record set [{named}] but the values provided do not match the current "
            raise Refused("InvalidChangeBatch", f"{text}values]")
        records.remove(same[0])
        return
    if action == "CREATE" and same:
        raise Refused("InvalidChangeBatch", f"[Tried to create resource record set [{named}] but it already exists]")
    if alike and not same:
        text = f"[RRSet with DNS name {record['Name']}, type {record['Type']}, SetIdentifier "
        text += f"{record.get('SetIdentifier')} cannot be created as other RRSets exist with the same name and type.]"
        raise Refused("InvalidChangeBatch", text)
    others = [each for each in records if each["Name"] == record["Name"] and each["Type"] != record["Type"]]
    if others and "CNAME" in (record["Type"], *(each["Type"] for each in others)):
        text = (
            f"[RRSet of type {record['Type']} with DNS name {record['Name']} is not permitted as it conflicts with "
        )
        raise Refused("InvalidChangeBatch", f"{text}other records with the same DNS name in zone {zone.name}]")
    if same:
        records.remove(same[0])
    records.append(record)


def _is_same(one: Record, other: Record) -> bool:
    def told(record: Record) -> tuple[Any, list[str], Any]:
        values = sorted(each["Value"] for each in record.get("ResourceRecords", ()))
        return record.get("TTL"), values, record.get("AliasTarget")

    return told(one) == told(other)


def _unknown(call: Call, zones: Zones) -> Content:
    raise Refused("UnknownOperationException", f"no operation at {call.received.method} {call.received.path}")


_ZONE = rf"{PREFIX}hostedzone/([^/]+)"
_PATHS = (
    ("GET", rf"{_ZONE}/rrset/?", "ListResourceRecordSets"),
    ("POST", rf"{_ZONE}/rrset/?", "ChangeResourceRecordSets"),
    ("GET", _ZONE, "GetHostedZone"),
    ("GET", rf"{PREFIX}change/([^/]+)", "GetChange"),
)
"""The method and the path of each operation."""

_OPERATIONS: dict[str, Callable[[Call, Zones], Content]] = {
    "ListResourceRecordSets": _list,
    "ChangeResourceRecordSets": _change,
    "GetHostedZone": _get_zone,
    "GetChange": _get_change,
    "Unknown": _unknown,
}
