"""
Each effect is one small function that disturbs a call; the table of effects stands at the end.

An effect is called with its hit, which carries the call out when asked to, and returns the answer. The first
sentence of its docstring is its line in the help.
"""

from __future__ import annotations

import socket
import time
import urllib.parse
from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate
from typing import Any

from ec2kit.sandbox.announcement import ANNOUNCEMENTS
from ec2kit.sandbox.buckets import Buckets
from ec2kit.sandbox.call import TOKEN_PATH, Call, error
from ec2kit.sandbox.rule import DOORS, Argument, Effect, Hit
from ec2kit.sandbox.sts import account_of
from ec2kit.sandbox.surroundings import VIP, Surroundings
from ec2kit.sandbox.view import Picture, Shown
from ec2kit.sandbox.way import WAY_EFFECTS
from ec2kit.sandbox.wire import Answer, Received, nothing, reset

Told = Mapping[str, Any]

_NO_ANSWER = Answer(0, b"", deliver=nothing)


# No answer ----------------------------------------------------------------------------------------------------------


def refuse(hit: Hit) -> Answer:
    """Refuse connections: the endpoint is shut."""
    return replace(_NO_ANSWER, deliver=reset)


def drop(hit: Hit) -> Answer:
    """Let the packets of connections vanish: nothing accepts or refuses them, as with a wrong security group."""
    return replace(_NO_ANSWER, deliver=reset)


def silent(hit: Hit) -> Answer:
    """Accept the request and answer nothing; a call that the client gives up is not carried out."""
    return hit.proceed() if _still_waits(hit) else _NO_ANSWER


def _still_waits(hit: Hit) -> bool:
    """Wait until the rule or the client goes, and tell whether the client is still there."""
    left = hit.call.received.client_left
    while not left() and not hit.rule.gone.wait(0.05):
        pass
    return not left()


def break_off(hit: Hit) -> Answer:
    """Break the connection; the call is not carried out."""
    return replace(_NO_ANSWER, deliver=reset)


def lose(hit: Hit) -> Answer:
    """Carry the call out, and close the connection without an answer."""
    hit.proceed()
    return _NO_ANSWER


# A slow answer ------------------------------------------------------------------------------------------------------


def delay(hit: Hit) -> Answer:
    """Carry the call out so many seconds later, to which chance adds up to the spread."""
    hit.rule.gone.wait(hit.seconds)
    return hit.proceed()


def drip(hit: Hit) -> Answer:
    """Send the right answer, but pause before each byte of its body; send the rest at once when the rule goes."""

    def deliver(connection: socket.socket, head: bytes, body: bytes) -> bool:
        connection.sendall(head)
        for sent in range(len(body)):
            if hit.rule.gone.wait(hit.seconds):
                connection.sendall(body[sent:])
                return True
            connection.sendall(body[sent : sent + 1])
        return True

    return replace(hit.proceed(), deliver=deliver)


# A bad answer -------------------------------------------------------------------------------------------------------


def cut(hit: Hit) -> Answer:
    """Carry the call out, and close the connection in the middle of the body."""

    def deliver(connection: socket.socket, head: bytes, body: bytes) -> bool:
        connection.sendall(head + body[: len(body) // 2])
        return False

    return replace(hit.proceed(), deliver=deliver)


def garble(hit: Hit) -> Answer:
    """Carry the call out, and answer 200 with half a document and rubbish after it."""
    answer = hit.proceed()
    return replace(answer, status=200, body=answer.body[: len(answer.body) // 2] + b"\x00\xff<garbled")


def empty(hit: Hit) -> Answer:
    """Carry the call out, and answer 200 without a body."""
    return replace(hit.proceed(), status=200, body=b"")


def hollow(hit: Hit) -> Answer:
    """Carry the call out, and answer 200 with a valid document that contains only a request id."""
    name = f"{hit.call.operation}Response"
    body = f"<{name}><requestId>{hit.call.request_id}</requestId></{name}>"
    return replace(hit.proceed(), status=200, body=body.encode())


# Errors -------------------------------------------------------------------------------------------------------------


def fail(hit: Hit) -> Answer:
    """
    Answer with any error; the call is not carried out.

    Source: EC2 API, "Error codes", InternalError (500), Unavailable (503).
    """
    told, service = hit.told, hit.call.service
    if service not in _CODES:
        headers = {"Proxy-Authenticate": 'Basic realm="sandbox"'} if told["status"] == 407 else {}
        return Answer(told["status"], b"", content_type="text/plain", headers=headers)
    code = told["code"] or _CODES[service][told["status"] == 503]
    return error(hit.call, code, told["message"], status=told["status"])


_OTHERS = ("sts", "route53")
"""The services whose common errors have other codes than EC2's."""

_CODES = {
    "ec2": ("InternalError", "Unavailable"),
    **dict.fromkeys(_OTHERS, ("InternalFailure", "ServiceUnavailable")),
}
"""The codes of 500 and 503. Source: EC2 API, "Error codes"; STS and Route 53 API, "Common errors"."""


def gateway(hit: Hit) -> Answer:
    """Answer with an error page in HTML, as gateways and proxies on the way do; the call is not carried out."""
    status = hit.told["status"]
    page = f"<html><head><title>{status}</title></head><body><h1>{status}</h1><hr>gateway</body></html>"
    return Answer(status, page.encode(), content_type="text/html")


def throttle(hit: Hit) -> Answer:
    """
    Answer RequestLimitExceeded, or Throttling from STS and Route 53, at any rate of calls.

    Source: EC2 API, "Error codes"; AWS re:Post, "How do I prevent API throttling", for STS; Route 53 developer guide,
    "Maximums on API requests".
    """
    if hit.call.service in _OTHERS:
        return error(hit.call, "Throttling", "Rate exceeded")
    return error(hit.call, "RequestLimitExceeded", "Request limit exceeded.")


def bucket(hit: Hit) -> Answer:
    """
    Answer RequestLimitExceeded while the token bucket of the operation, which all servers share, is empty.

    Source: EC2 developer guide, "Request throttling for the Amazon EC2 API"; the sizes are in `buckets`.
    """
    buckets: Buckets = hit.rule.kept
    return hit.pass_by() if buckets.take(hit.call) else throttle(hit)


def deny(hit: Hit) -> Answer:
    """Answer UnauthorizedOperation, for DryRun too, or AccessDenied of STS or Route 53: the policy forbids it."""
    if (service := hit.call.service) in _OTHERS:
        return error(hit.call, "AccessDenied", f"User is not authorized to perform: {service}:{hit.call.operation}")
    return error(hit.call, "UnauthorizedOperation", "You are not authorized to perform this operation.")


def expired(hit: Hit) -> Answer:
    """
    Answer RequestExpired, or ExpiredToken from STS and Route 53: the credentials have expired.

    Source: EC2 API, "Error codes", RequestExpired: also for temporary credentials that have expired; STS API,
    "Common errors".
    """
    if hit.call.service in _OTHERS:
        return error(hit.call, "ExpiredToken", "The security token included in the request is expired")
    return error(hit.call, "RequestExpired", "Request has expired.")


def worn(hit: Hit) -> Answer:
    """Answer RequestExpired to the keys of the first call that is disturbed, from then on; other keys are good."""
    key = hit.call.credential.split("/")[0]
    keys: list[str] = hit.rule.kept
    if not keys:
        keys.append(key)
    return expired(hit) if key in keys else hit.pass_by()


def other_account(hit: Hit) -> Answer:
    """
    Let the route tables, or some of them, belong to another account: only its roles may see and change them, and
    nothing else.

    Source: VPC user guide, "Share your VPC subnets with other accounts": participants cannot change route tables.
    """
    by_its_role, call = account_of(hit.call.credential) == hit.told["account"], hit.call
    if call.operation not in _OF_ROUTES or not hit.told["tables"]:
        return hit.pass_by() if by_its_role is (call.operation in _OF_ROUTES) else deny(hit)
    its = frozenset(hit.told["tables"].split(","))
    if call.writes:
        return hit.pass_by() if by_its_role is (call.parameters.get("RouteTableId") in its) else deny(hit)

    def glass(now: Picture) -> Picture:
        shown = [each for each in now.route_tables if by_its_role is (each["RouteTableId"] in its)]
        return replace(now, route_tables=shown)

    call.glasses.append(glass)
    return hit.proceed()


_OF_ROUTES = frozenset({"DescribeRouteTables", "ReplaceRoute", "CreateRoute", "DeleteRoute"})


def skew(hit: Hit) -> Answer:
    """
    Set EC2's clock ahead by so many seconds; more than 15 minutes, ahead or behind, are answered by RequestExpired.
    """
    hit.call.clock += hit.seconds
    answer = hit.proceed()
    return replace(answer, headers={**answer.headers, "Date": formatdate(time.time() + hit.call.clock, usegmt=True)})


def spreading(hit: Hit) -> Answer:
    """
    Show each change of a record set as PENDING until so many seconds after it was made.

    Source: Route 53 API, GetChange.
    """
    hit.call.pending = hit.seconds
    return hit.proceed()


# What is shown ------------------------------------------------------------------------------------------------------


def stale(hit: Hit) -> Answer:
    """
    Show everything as it was when the rule was set.

    Source: EC2 developer guide, "Eventual consistency in the Amazon EC2 API".
    """
    then: Picture = hit.rule.kept
    hit.call.glasses.append(lambda now: then)
    return hit.proceed()


def late(hit: Hit) -> Answer:
    """
    Show everything as it was so many seconds ago, to which chance adds up to the spread.

    Source: the same as that of `stale`.
    """
    history, seconds = hit.around.region.history, hit.seconds
    hit.call.glasses.append(lambda now: history.ago(seconds, now))
    return hit.proceed()


def back(hit: Hit) -> Answer:
    """Let reads go back in time: every second one shows everything as it was so many seconds ago."""
    return late(hit) if hit.number % 2 == 0 else hit.pass_by()


def blackhole(hit: Hit) -> Answer:
    """
    Show routes to a server's interfaces as blackholes, or in another state.

    Source: EC2 API, Route, State.
    """
    interfaces, state = _interfaces(hit), hit.told["state"]
    hit.call.glasses.append(lambda now: replace(now, route_tables=_dead(now.route_tables, interfaces, state)))
    return hit.proceed()


def propagated(hit: Hit) -> Answer:
    """
    Show in every table of the VPC, before its own routes, a route to the VIP that a VPN gateway propagated.

    Source: VPC user guide, "How route priority works": a static route has priority over a propagated one.
    """
    return _with_route(hit, {"GatewayId": "vgw-0ec2000000000k170", "Origin": "EnableVgwRoutePropagation"})


def advertised(hit: Hit) -> Answer:
    """
    Show in every table of the VPC, before its own routes, a route to the VIP that a VPC Route Server advertises.

    Source: VPC user guide, "Dynamic routing in your VPC with VPC Route Server"; EC2 API, Route, Origin, State.
    """
    return _with_route(hit, {"NetworkInterfaceId": hit.around.third_party, "Origin": "Advertisement"})


def _with_route(hit: Hit, route: Shown) -> Answer:
    added = {"DestinationCidrBlock": hit.told["destination"], **route, "State": hit.told["state"]}

    def glass(now: Picture) -> Picture:
        vpc_id = _vpc_of(now, hit.around.third_party)
        tables = [
            {**each, "Routes": [added, *each["Routes"]]} if each["VpcId"] == vpc_id else each
            for each in now.route_tables
        ]
        return replace(now, route_tables=tables)

    hit.call.glasses.append(glass)
    return hit.proceed()


def _vpc_of(now: Picture, network_interface_id: str) -> str:
    found = (each for each in now.network_interfaces if each["NetworkInterfaceId"] == network_interface_id)
    return str(next(found)["VpcId"])


def managed(hit: Hit) -> Answer:
    """
    Show Elastic IPs as those that AWS manages for a service.

    Source: EC2 API, Address, ServiceManaged.
    """
    only, manager = hit.told["address"], hit.told["manager"]

    def glass(now: Picture) -> Picture:
        shown = [
            {**each, "ServiceManaged": manager} if only in (None, each["PublicIp"]) else each
            for each in now.addresses
        ]
        return replace(now, addresses=shown)

    hit.call.glasses.append(glass)
    return hit.proceed()


def gone(hit: Hit) -> Answer:
    """
    Hide a server's interfaces: routes to them are blackholes, their addresses are free, writes to them are refused.
    """
    interfaces, wanted = _interfaces(hit), hit.call.parameters.get("NetworkInterfaceId")
    if wanted in interfaces:
        text = f"The networkInterface ID '{wanted}' does not exist"
        return error(hit.call, "InvalidNetworkInterfaceID.NotFound", text)
    if not _looks(hit.call):
        return hit.pass_by()
    hit.call.glasses.append(lambda now: _without(now, interfaces))
    return hit.proceed()


def _interfaces(hit: Hit) -> frozenset[str]:
    """Return the interfaces of the server that the rule names, otherwise the caller's."""
    return frozenset(hit.around.interfaces[hit.told["of"] or hit.call.server or ""].values())


def _dead(tables: list[Shown], interfaces: frozenset[str], state: str) -> list[Shown]:
    def shown(route: Shown) -> Shown:
        return {**route, "State": state} if route.get("NetworkInterfaceId") in interfaces else route

    return [{**table, "Routes": list(map(shown, table["Routes"]))} for table in tables]


def _without(now: Picture, interfaces: frozenset[str]) -> Picture:
    return Picture(
        _dead(now.route_tables, interfaces, "blackhole"),
        [_freed(address) if _is_on(address, interfaces) else address for address in now.addresses],
        [each for each in now.network_interfaces if not _is_on(each, interfaces)],
    )


def _is_on(shown: Shown, interfaces: frozenset[str]) -> bool:
    return shown.get("NetworkInterfaceId") in interfaces


def _freed(address: Shown) -> Shown:
    of_the_allocation = ("PublicIp", "AllocationId", "Domain", "PublicIpv4Pool", "NetworkBorderGroup", "Tags")
    return {name: address[name] for name in of_the_allocation}


def pages(hit: Hit) -> Answer:
    """Answer in pages of so many, although the client did not ask for pages."""
    hit.call.page_size = hit.told["size"]
    return hit.proceed()


def empty_page(hit: Hit) -> Answer:
    """Answer with an empty page and a token for the next one, which holds what should be on this one."""
    hit.call.empty_page = True
    return hit.proceed()


# What others do -----------------------------------------------------------------------------------------------------


def steal(hit: Hit) -> Answer:
    """Carry the call out; right after it, an outside party points the route, or puts the address, elsewhere."""
    answer = hit.proceed()
    if hit.call.carried_out:
        hit.around.undisturbed(_by_another(hit))
    return answer


def _by_another(hit: Hit) -> Received:
    """Return the same request for another's interface, as an outside party would send it."""
    thief, call = hit.told["by"], hit.call
    there = hit.around.interfaces[thief]["eth1"] if thief else hit.around.third_party
    parameters = {name: value for name, value in call.parameters.items() if name != "PrivateIpAddress"}
    parameters["NetworkInterfaceId"] = there
    if call.operation == "AssociateAddress":
        parameters["AllowReassociation"] = "true"
    elif call.operation == "AssignPrivateIpAddresses":
        parameters["AllowReassignment"] = "true"
    headers = {**call.received.headers, "user-agent": "somebody else"}
    return replace(call.received, method="POST", body=urllib.parse.urlencode(parameters).encode(), headers=headers)


# The metadata service -----------------------------------------------------------------------------------------------


def stale_token(hit: Hit) -> Answer:
    """Answer 401 because the token has expired; a new token is valid."""
    hit.call.forgotten = True
    return hit.proceed()


def hop_limit(hit: Hit) -> Answer:
    """
    Withhold tokens: their packets are dropped on the way, as behind a container's bridge.

    Source: EC2 user guide, "Instance metadata options", HttpPutResponseHopLimit.
    """
    hit.proceed()
    _still_waits(hit)
    return _NO_ANSWER


def no_role(hit: Hit) -> Answer:
    """Let the instance have no role."""
    return Answer(404, b"", content_type="text/plain")


# The table ----------------------------------------------------------------------------------------------------------


def _looks(call: Call) -> bool:
    return call.operation in ("DescribeRouteTables", "DescribeAddresses", "DescribeNetworkInterfaces")


def _looks_in_pages(call: Call) -> bool:
    return call.operation in ("DescribeRouteTables", "DescribeNetworkInterfaces")


def _looks_at_routes(call: Call) -> bool:
    return call.operation == "DescribeRouteTables"


def _looks_at_addresses(call: Call) -> bool:
    return call.operation == "DescribeAddresses"


def _looks_or_names_an_interface(call: Call) -> bool:
    return _looks(call) or "NetworkInterfaceId" in call.parameters


def _moves_an_address(call: Call) -> bool:
    names = ("ReplaceRoute", "AssociateAddress", "AssignPrivateIpAddresses")
    return call.operation in names and not call.dry_run


def _asks_for_change(call: Call) -> bool:
    return call.operation == "GetChange"


def _asks_for_token(call: Call) -> bool:
    return call.operation == TOKEN_PATH


def _shows_token(call: Call) -> bool:
    return "x-aws-ec2-metadata-token" in call.received.headers


def _asks_for_role(call: Call) -> bool:
    return "/meta-data/iam" in call.operation


def _picture(told: Told, around: Surroundings) -> Picture:
    return around.region.picture()


def _history(told: Told, around: Surroundings) -> None:
    with around.region.lock:
        around.region.history.reach(told["seconds"] + told.get("spread", 0.0))


def _no_keys(told: Told, around: Surroundings) -> list[str]:
    return []


def _buckets(told: Told, around: Surroundings) -> Buckets:
    return Buckets(**told)


_IMDS = ("imds",)
_ROUTE53 = ("route53",)
_AWS, _ANSWERING = ("ec2", "sts", "route53"), ("ec2", "imds", "sts", "route53")
_LISTENING, _ALL = (*_ANSWERING, "proxy", *DOORS), (*_ANSWERING, "tls", "proxy", *DOORS)

_SECONDS = Argument("seconds", float, 1.0, "The time, in seconds.")
_SPREAD = Argument("spread", float, 0.0, "The most seconds that chance adds.")
_CLOCK = Argument("seconds", float, 1200.0, "The time, in seconds; less than 0: behind.", least=-86400)
_STATUS = Argument("status", int, 500, "The HTTP status.", least=100, most=599)
_GATEWAY_STATUS = Argument("status", int, 504, "The HTTP status.", least=100, most=599)
_CODE = Argument("code", str, None, "EC2's error code. Default: the one that suits the status.")
_MESSAGE = Argument("message", str, "An internal error has occurred", "EC2's error message.")
_BURST = Argument("burst", float, None, "The number of tokens that fit in. Default: as EC2 publishes it.")
_RATE = Argument("rate", float, None, "The tokens that flow in each second. Default: as EC2 publishes it.")
_TOKENS = Argument(
    "tokens", float, None, "The tokens in the bucket when the first call comes; 0: none. Default: full."
)
_SIZE = Argument("size", int, 5, "The number of items on a page.", least=1, most=1000)
_DEAD_STATE = Argument("state", str, "blackhole", "The state of the routes: blackhole, filtered, or any other.")
_STATE = Argument("state", str, "active", _DEAD_STATE.help)
_DESTINATION = Argument("destination", str, f"{VIP}/32", "The destination of the route.")
_ADDRESS = Argument("address", str, None, "The Elastic IP, 203.0.113.1. Default: all.")
_ACCOUNT = Argument("account", str, "210987654321", "The account that owns the route tables.")
_TABLES = Argument("tables", str, "", "The route tables that it owns, separated by commas. Default: all.")
_MANAGER = Argument("manager", str, "nlb", "EC2's name of the service: alb, nlb, rnat, rds, …")
_OF = Argument("of", str, None, "The server that owns the interfaces. Default: the caller.", is_server=True)
_BY = Argument(
    "by", str, None, "The server whose eth1 takes it. Default: an instance that is no server.", is_server=True
)

EFFECTS: dict[str, Effect] = {
    "refuse": Effect(refuse, services=_LISTENING, chooses=False, shuts=True),
    "drop": Effect(drop, services=_LISTENING, chooses=False, shuts=True, drops=True),
    "silent": Effect(silent, services=_ALL),
    "reset": Effect(break_off, services=_ALL),
    "lose": Effect(lose, services=_ANSWERING),
    "delay": Effect(delay, (_SECONDS, _SPREAD), services=_ALL),
    "drip": Effect(drip, (_SECONDS,), services=_ANSWERING),
    "cut": Effect(cut, services=_ANSWERING),
    "garble": Effect(garble, services=_ANSWERING),
    "empty": Effect(empty, services=_ANSWERING),
    "hollow": Effect(hollow),
    "error": Effect(fail, (_STATUS, _CODE, _MESSAGE), services=_LISTENING),
    "gateway": Effect(gateway, (_GATEWAY_STATUS,), services=(*_AWS, "proxy", *DOORS)),
    "throttle": Effect(throttle, services=_AWS),
    "bucket": Effect(bucket, (_BURST, _RATE, _TOKENS), prepare=_buckets, chooses=False),
    "deny": Effect(deny, services=_AWS),
    "expired": Effect(expired, services=_AWS),
    "worn": Effect(worn, prepare=_no_keys),
    "other-account": Effect(other_account, (_ACCOUNT, _TABLES), chooses=False),
    "skew": Effect(skew, (_CLOCK,)),
    "stale": Effect(stale, calls=_looks, prepare=_picture),
    "late": Effect(late, (_SECONDS, _SPREAD), calls=_looks, prepare=_history),
    "back": Effect(back, (_SECONDS,), calls=_looks, prepare=_history),
    "blackhole": Effect(blackhole, (_OF, _DEAD_STATE), calls=_looks_at_routes),
    "propagated": Effect(propagated, (_DESTINATION, _STATE), calls=_looks_at_routes),
    "advertised": Effect(advertised, (_DESTINATION, _STATE), calls=_looks_at_routes),
    "managed": Effect(managed, (_ADDRESS, _MANAGER), calls=_looks_at_addresses),
    "gone": Effect(gone, (_OF,), calls=_looks_or_names_an_interface),
    "pages": Effect(pages, (_SIZE,), calls=_looks_in_pages),
    "empty-page": Effect(empty_page, calls=_looks_in_pages),
    "spreading": Effect(spreading, (_SECONDS, _SPREAD), services=_ROUTE53, calls=_asks_for_change),
    "steal": Effect(steal, (_BY,), calls=_moves_an_address),
    "stale-token": Effect(stale_token, services=_IMDS, calls=_shows_token),
    "hop-limit": Effect(hop_limit, services=_IMDS, calls=_asks_for_token),
    "no-role": Effect(no_role, services=_IMDS, calls=_asks_for_role),
    **ANNOUNCEMENTS,
    **WAY_EFFECTS,
}
