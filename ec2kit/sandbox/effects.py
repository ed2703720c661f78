"""
How a call can be disturbed: one small function for each effect, and the table of them at the end.

An effect is called with its hit, which carries the call out when asked to; it returns what is answered. The first
sentence of each is what the help says of it.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ec2kit.sandbox.call import Call, error
from ec2kit.sandbox.rule import Argument, Effect, Hit
from ec2kit.sandbox.surroundings import Surroundings
from ec2kit.sandbox.view import Picture
from ec2kit.sandbox.wire import Answer, nothing, reset

_NO_ANSWER = Answer(0, b"", deliver=nothing)
_BOTH = ("ec2", "imds")


# No answer ----------------------------------------------------------------------------------------------------------


def refuse(hit: Hit) -> Answer:
    """The endpoint is shut: connections are refused."""
    return replace(_NO_ANSWER, deliver=reset)


def silent(hit: Hit) -> Answer:
    """Accepted, and nothing is said; what the client gave up is not carried out."""
    left = hit.call.received.client_left
    while not left() and not hit.rule.gone.wait(0.05):
        pass
    return _NO_ANSWER if left() else hit.proceed()


def break_off(hit: Hit) -> Answer:
    """The connection breaks; the call is not carried out."""
    return replace(_NO_ANSWER, deliver=reset)


def lose(hit: Hit) -> Answer:
    """Carried out, and closed without an answer."""
    hit.proceed()
    return _NO_ANSWER


# A bad answer -------------------------------------------------------------------------------------------------------


def delay(hit: Hit) -> Answer:
    """Carried out later."""
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


def garble(hit: Hit) -> Answer:
    """Carried out; 200 with half a document and rubbish after it."""
    answer = hit.proceed()
    return replace(answer, status=200, body=answer.body[: len(answer.body) // 2] + b"\x00\xff<garbled")


# Errors -------------------------------------------------------------------------------------------------------------


def fail(hit: Hit) -> Answer:
    """Any error; the call is not carried out."""
    told = hit.told
    return error(hit.call, told["code"], told["message"], status=told["status"])


def throttle(hit: Hit) -> Answer:
    """RequestLimitExceeded, whatever the rate of calls is."""
    return error(hit.call, "RequestLimitExceeded", "Request limit exceeded.")


def deny(hit: Hit) -> Answer:
    """UnauthorizedOperation, for DryRun too: the IAM policy does not allow the call."""
    return error(hit.call, "UnauthorizedOperation", "You are not authorized to perform this operation.")


# What is shown ------------------------------------------------------------------------------------------------------


def stale(hit: Hit) -> Answer:
    """
    Shown as it was when the rule was set.

    Source: EC2 developer guide, "Eventual consistency in the Amazon EC2 API".
    """
    then: Picture = hit.rule.kept
    hit.call.glasses.append(lambda now: then)
    return hit.proceed()


def pages(hit: Hit) -> Answer:
    """Answered in pages of so many, although nobody asked for pages."""
    hit.call.page_size = hit.told["size"]
    return hit.proceed()


# The metadata service -----------------------------------------------------------------------------------------------


def no_role(hit: Hit) -> Answer:
    """The instance has no role."""
    return Answer(404, b"", content_type="text/plain")


# The table ----------------------------------------------------------------------------------------------------------


def _looks(call: Call) -> bool:
    return call.operation in ("DescribeRouteTables", "DescribeAddresses", "DescribeNetworkInterfaces")


def _looks_in_pages(call: Call) -> bool:
    return call.operation in ("DescribeRouteTables", "DescribeNetworkInterfaces")


def _asks_for_role(call: Call) -> bool:
    return "/meta-data/iam" in call.operation


def _picture(told: Mapping[str, Any], around: Surroundings) -> Picture:
    return around.picture()


_SECONDS = Argument("seconds", float, 1.0, "How long.")
_STATUS = Argument("status", int, 500, "The HTTP status.", least=100, most=599)
_CODE = Argument("code", str, "InternalError", "EC2's error code.")
_MESSAGE = Argument("message", str, "An internal error has occurred", "EC2's error message.")
_SIZE = Argument("size", int, 5, "How many there are on a page.", least=1, most=1000)

EFFECTS: dict[str, Effect] = {
    "refuse": Effect(refuse, services=_BOTH, chooses=False, shuts=True),
    "silent": Effect(silent, services=_BOTH),
    "reset": Effect(break_off, services=_BOTH),
    "lose": Effect(lose, services=_BOTH),
    "delay": Effect(delay, (_SECONDS,), services=_BOTH),
    "drip": Effect(drip, (_SECONDS,), services=_BOTH),
    "garble": Effect(garble, services=_BOTH),
    "error": Effect(fail, (_STATUS, _CODE, _MESSAGE)),
    "throttle": Effect(throttle),
    "deny": Effect(deny),
    "stale": Effect(stale, calls=_looks, prepare=_picture),
    "pages": Effect(pages, (_SIZE,), calls=_looks_in_pages),
    "no-role": Effect(no_role, services=("imds",), calls=_asks_for_role),
}
