"""
How a call can be disturbed: one small function for each effect, and the table of them at the end.

An effect is called with its hit, which carries the call out when asked to; it returns what is answered. The first
sentence of each is what the help says of it.
"""

from __future__ import annotations

import socket
import time
import urllib.parse
from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate
from typing import Any

from ec2kit.sandbox.buckets import Buckets
from ec2kit.sandbox.call import TOKEN_PATH, Call, error
from ec2kit.sandbox.rule import Argument, Effect, Hit
from ec2kit.sandbox.surroundings import Surroundings
from ec2kit.sandbox.view import Picture, Shown
from ec2kit.sandbox.wire import Answer, Received, nothing, reset

Told = Mapping[str, Any]

_NO_ANSWER = Answer(0, b"", deliver=nothing)


# No answer ----------------------------------------------------------------------------------------------------------


def refuse(hit: Hit) -> Answer:
    """The endpoint is shut: connections are refused."""
    return replace(_NO_ANSWER, deliver=reset)


def silent(hit: Hit) -> Answer:
    """Accepted, and nothing is said; what the client gave up is not carried out."""
    return hit.proceed() if _still_waits(hit) else _NO_ANSWER


def _still_waits(hit: Hit) -> bool:
    """Wait until the rule goes or the client leaves; whether the client is still there."""
    left = hit.call.received.client_left
    while not left() and not hit.rule.gone.wait(0.05):
        pass
    return not left()


def break_off(hit: Hit) -> Answer:
    """The connection breaks; the call is not carried out."""
    return replace(_NO_ANSWER, deliver=reset)


def lose(hit: Hit) -> Answer:
    """Carried out, and closed without an answer."""
    hit.proceed()
    return _NO_ANSWER


# A slow answer ------------------------------------------------------------------------------------------------------


def delay(hit: Hit) -> Answer:
    """Carried out later, with a spread up to so much later still."""
    hit.rule.gone.wait(hit.seconds)
    return hit.proceed()


def drip(hit: Hit) -> Answer:
    """The right answer, one byte of its body every so often; the rest at once when the rule goes."""

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
    """Carried out; closed in the middle of the body."""

    def deliver(connection: socket.socket, head: bytes, body: bytes) -> bool:
        connection.sendall(head + body[: len(body) // 2])
        return False

    return replace(hit.proceed(), deliver=deliver)


def garble(hit: Hit) -> Answer:
    """Carried out; 200 with half a document and rubbish after it."""
    answer = hit.proceed()
    return replace(answer, status=200, body=answer.body[: len(answer.body) // 2] + b"\x00\xff<garbled")


def empty(hit: Hit) -> Answer:
    """Carried out; 200 without a body."""
    return replace(hit.proceed(), status=200, body=b"")


def hollow(hit: Hit) -> Answer:
    """Carried out; 200 with a right document that has a request id and nothing else in it."""
    name = f"{hit.call.operation}Response"
    body = f"<{name}><requestId>{hit.call.request_id}</requestId></{name}>"
    return replace(hit.proceed(), status=200, body=body.encode())


# Errors -------------------------------------------------------------------------------------------------------------


def fail(hit: Hit) -> Answer:
    """
    Any error; the call is not carried out.

    Source: EC2 API, "Error codes", InternalError (500), Unavailable (503).
    """
    told = hit.told
    if hit.call.service == "imds":
        return Answer(told["status"], b"", content_type="text/plain")
    code = told["code"] or ("Unavailable" if told["status"] == 503 else "InternalError")
    return error(hit.call, code, told["message"], status=told["status"])


def gateway(hit: Hit) -> Answer:
    """An error page in HTML, as gateways and proxies on the way have; not carried out."""
    status = hit.told["status"]
    page = f"<html><head><title>{status}</title></head><body><h1>{status}</h1><hr>gateway</body></html>"
    return Answer(status, page.encode(), content_type="text/html")


def throttle(hit: Hit) -> Answer:
    """RequestLimitExceeded, whatever the rate of calls is."""
    return error(hit.call, "RequestLimitExceeded", "Request limit exceeded.")


def bucket(hit: Hit) -> Answer:
    """
    RequestLimitExceeded when the token bucket of the operation, which all servers share, is empty.

    Source: EC2 developer guide, "Request throttling for the Amazon EC2 API"; the sizes are in `buckets`.
    """
    buckets: Buckets = hit.rule.kept
    return hit.pass_by() if buckets.take(hit.call) else throttle(hit)


def deny(hit: Hit) -> Answer:
    """UnauthorizedOperation, for DryRun too: the IAM policy does not allow the call."""
    return error(hit.call, "UnauthorizedOperation", "You are not authorized to perform this operation.")


def expired(hit: Hit) -> Answer:
    """
    RequestExpired: the credentials have had their time.

    Source: EC2 API, "Error codes", RequestExpired: also for temporary credentials that have expired.
    """
    return error(hit.call, "RequestExpired", "Request has expired.")


def skew(hit: Hit) -> Answer:
    """EC2's clock is ahead by so much; RequestExpired beyond 15 minutes, either way."""
    hit.call.clock += hit.seconds
    answer = hit.proceed()
    return replace(answer, headers={**answer.headers, "Date": formatdate(time.time() + hit.call.clock, usegmt=True)})


# What is shown ------------------------------------------------------------------------------------------------------


def stale(hit: Hit) -> Answer:
    """
    Shown as it was when the rule was set.

    Source: EC2 developer guide, "Eventual consistency in the Amazon EC2 API".
    """
    then: Picture = hit.rule.kept
    hit.call.glasses.append(lambda now: then)
    return hit.proceed()


def late(hit: Hit) -> Answer:
    """
    Shown as it was so long ago, with a spread up to so much longer.

    Source: as of `stale`.
    """
    history, seconds = hit.around.region.history, hit.seconds
    hit.call.glasses.append(lambda now: history.ago(seconds, now))
    return hit.proceed()


def back(hit: Hit) -> Answer:
    """Reads go back in time: every other one is shown as it was so long ago."""
    return late(hit) if hit.number % 2 == 0 else hit.pass_by()


def blackhole(hit: Hit) -> Answer:
    """
    Routes to a server's interfaces are shown as blackholes.

    Source: EC2 API, Route, State.
    """
    interfaces = _interfaces(hit)
    hit.call.glasses.append(lambda now: replace(now, route_tables=_blackholed(now.route_tables, interfaces)))
    return hit.proceed()


def gone(hit: Hit) -> Answer:
    """A server's interfaces do not exist: routes to them are blackholes, addresses free, writes refused."""
    interfaces, wanted = _interfaces(hit), hit.call.parameters.get("NetworkInterfaceId")
    if wanted in interfaces:
        text = f"The networkInterface ID '{wanted}' does not exist"
        return error(hit.call, "InvalidNetworkInterfaceID.NotFound", text)
    if not _looks(hit.call):
        return hit.pass_by()
    hit.call.glasses.append(lambda now: _without(now, interfaces))
    return hit.proceed()


def _interfaces(hit: Hit) -> frozenset[str]:
    """Those of the server that was told, or else the caller's."""
    return frozenset(hit.around.interfaces[hit.told["of"] or hit.call.server or ""].values())


def _blackholed(tables: list[Shown], interfaces: frozenset[str]) -> list[Shown]:
    return [{**table, "Routes": [_dead(route, interfaces) for route in table["Routes"]]} for table in tables]


def _dead(route: Shown, interfaces: frozenset[str]) -> Shown:
    return {**route, "State": "blackhole"} if route.get("NetworkInterfaceId") in interfaces else route


def _without(now: Picture, interfaces: frozenset[str]) -> Picture:
    return Picture(
        _blackholed(now.route_tables, interfaces),
        [_freed(address) if _is_on(address, interfaces) else address for address in now.addresses],
        [each for each in now.network_interfaces if not _is_on(each, interfaces)],
    )


def _is_on(shown: Shown, interfaces: frozenset[str]) -> bool:
    return shown.get("NetworkInterfaceId") in interfaces


def _freed(address: Shown) -> Shown:
    of_the_allocation = ("PublicIp", "AllocationId", "Domain", "PublicIpv4Pool", "NetworkBorderGroup", "Tags")
    return {name: address[name] for name in of_the_allocation}


def pages(hit: Hit) -> Answer:
    """Answered in pages of so many, although nobody asked for pages."""
    hit.call.page_size = hit.told["size"]
    return hit.proceed()


def empty_page(hit: Hit) -> Answer:
    """A page without content and a token for the next one, where all is that should be on this one."""
    hit.call.empty_page = True
    return hit.proceed()


# What others do -----------------------------------------------------------------------------------------------------


def steal(hit: Hit) -> Answer:
    """Carried out, and right after it somebody else points the route, or associates the address, elsewhere."""
    answer = hit.proceed()
    if hit.call.carried_out:
        hit.around.undisturbed(_by_another(hit))
    return answer


def _by_another(hit: Hit) -> Received:
    """The same request for another's interface, as an outside hand would make it."""
    thief, call = hit.told["by"], hit.call
    there = hit.around.interfaces[thief]["eth1"] if thief else hit.around.third_party
    parameters = {name: value for name, value in call.parameters.items() if name != "PrivateIpAddress"}
    parameters["NetworkInterfaceId"] = there
    if call.operation == "AssociateAddress":
        parameters["AllowReassociation"] = "true"
    headers = {**call.received.headers, "user-agent": "somebody else"}
    return replace(call.received, method="POST", body=urllib.parse.urlencode(parameters).encode(), headers=headers)


# The metadata service -----------------------------------------------------------------------------------------------


def stale_token(hit: Hit) -> Answer:
    """401, the token has had its time; a new one is good."""
    hit.call.forgotten = True
    return hit.proceed()


def hop_limit(hit: Hit) -> Answer:
    """
    Tokens do not arrive: their packets are dropped on the way, as behind a container's bridge.

    Source: EC2 user guide, "Instance metadata options", HttpPutResponseHopLimit.
    """
    hit.proceed()
    _still_waits(hit)
    return _NO_ANSWER


def no_role(hit: Hit) -> Answer:
    """The instance has no role."""
    return Answer(404, b"", content_type="text/plain")


# The table ----------------------------------------------------------------------------------------------------------


def _looks(call: Call) -> bool:
    return call.operation in ("DescribeRouteTables", "DescribeAddresses", "DescribeNetworkInterfaces")


def _looks_in_pages(call: Call) -> bool:
    return call.operation in ("DescribeRouteTables", "DescribeNetworkInterfaces")


def _looks_at_routes(call: Call) -> bool:
    return call.operation == "DescribeRouteTables"


def _looks_or_names_an_interface(call: Call) -> bool:
    return _looks(call) or "NetworkInterfaceId" in call.parameters


def _moves_an_address(call: Call) -> bool:
    return call.operation in ("ReplaceRoute", "AssociateAddress") and not call.dry_run


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


def _buckets(told: Told, around: Surroundings) -> Buckets:
    return Buckets(**told)


_BOTH, _IMDS = ("ec2", "imds"), ("imds",)

_SECONDS = Argument("seconds", float, 1.0, "How long.")
_SPREAD = Argument("spread", float, 0.0, "Seconds, at most, by which that is longer, by chance.")
_CLOCK = Argument("seconds", float, 1200.0, "How long.", least=-86400)
_STATUS = Argument("status", int, 500, "The HTTP status.", least=100, most=599)
_GATEWAY_STATUS = Argument("status", int, 504, "The HTTP status.", least=100, most=599)
_CODE = Argument("code", str, None, "EC2's error code; what suits the status unless given.")
_MESSAGE = Argument("message", str, "An internal error has occurred", "EC2's error message.")
_BURST = Argument("burst", float, None, "How many tokens fit in; as EC2 publishes it unless given.")
_RATE = Argument("rate", float, None, "How many tokens flow in each second; as EC2 publishes it unless given.")
_TOKENS = Argument(
    "tokens", float, None, "How many tokens are in when the first call comes; 0: none. All unless given."
)
_SIZE = Argument("size", int, 5, "How many there are on a page.", least=1, most=1000)
_OF = Argument("of", str, None, "Whose interfaces; the caller's unless given.", is_server=True)
_BY = Argument("by", str, None, "Who takes it, for its eth1; somebody who is no server unless given.", is_server=True)

EFFECTS: dict[str, Effect] = {
    "refuse": Effect(refuse, services=_BOTH, chooses=False, shuts=True),
    "silent": Effect(silent, services=_BOTH),
    "reset": Effect(break_off, services=_BOTH),
    "lose": Effect(lose, services=_BOTH),
    "delay": Effect(delay, (_SECONDS, _SPREAD), services=_BOTH),
    "drip": Effect(drip, (_SECONDS,), services=_BOTH),
    "cut": Effect(cut, services=_BOTH),
    "garble": Effect(garble, services=_BOTH),
    "empty": Effect(empty, services=_BOTH),
    "hollow": Effect(hollow),
    "error": Effect(fail, (_STATUS, _CODE, _MESSAGE), services=_BOTH),
    "gateway": Effect(gateway, (_GATEWAY_STATUS,)),
    "throttle": Effect(throttle),
    "bucket": Effect(bucket, (_BURST, _RATE, _TOKENS), prepare=_buckets, chooses=False),
    "deny": Effect(deny),
    "expired": Effect(expired),
    "skew": Effect(skew, (_CLOCK,)),
    "stale": Effect(stale, calls=_looks, prepare=_picture),
    "late": Effect(late, (_SECONDS, _SPREAD), calls=_looks, prepare=_history),
    "back": Effect(back, (_SECONDS,), calls=_looks, prepare=_history),
    "blackhole": Effect(blackhole, (_OF,), calls=_looks_at_routes),
    "gone": Effect(gone, (_OF,), calls=_looks_or_names_an_interface),
    "pages": Effect(pages, (_SIZE,), calls=_looks_in_pages),
    "empty-page": Effect(empty_page, calls=_looks_in_pages),
    "steal": Effect(steal, (_BY,), calls=_moves_an_address),
    "stale-token": Effect(stale_token, services=_IMDS, calls=_shows_token),
    "hop-limit": Effect(hop_limit, services=_IMDS, calls=_asks_for_token),
    "no-role": Effect(no_role, services=_IMDS, calls=_asks_for_role),
}
